//! Reading numbers, accounts and templates.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::{Reply, incoming::Incoming, media, operation::Operation, templates};
use crate::meta::{
    Meta,
    error::GraphError,
    number::Number,
    registry::{Account, Registered},
    spec::NumberSpec,
};

/// Page size when none is asked for.
const PAGE: usize = 25;
const LARGEST_PAGE: usize = 1000;

impl Meta {
    /// Everything that only reads, or deletes without a body.
    pub(super) fn look_up(
        &self,
        incoming: &Incoming,
        operation: Operation,
    ) -> Result<Reply, GraphError> {
        let fields = incoming.query("fields");
        match operation {
            Operation::ReadNumber(number) => {
                let node = number_node(&number);
                pick(&node, fields, &NUMBER_DEFAULTS).map(Reply::json)
            }
            Operation::ReadAccount(account) => {
                pick(&account_node(&account), fields, &ACCOUNT_DEFAULTS).map(Reply::json)
            }
            Operation::ReadTemplate(known) => {
                pick(&template_node(&known), fields, &TEMPLATE_DEFAULTS).map(Reply::json)
            }
            Operation::ListNumbers(account) => self.list_numbers(&account, incoming),
            Operation::ListTemplates(account) => list_templates(&account, incoming),
            Operation::DeleteTemplates(account) => templates::delete(&account, incoming),
            Operation::ListSubscriptions(account) => Ok(self.list_subscriptions(&account)),
            Operation::Unsubscribe { account, app_id } => {
                account.unsubscribe(&app_id);
                Ok(Reply::success())
            }
            Operation::MediaUrl(file) => Ok(self.describe_media(&file)),
            Operation::DeleteMedia(file) => Ok(self.delete_media(&file)),
            Operation::DownloadMedia(file) => media::download(&file),
            Operation::DebugToken => self.debug_token(incoming),
            Operation::SendMessage(_)
            | Operation::MarkRead(_)
            | Operation::ChangeBlocks(..)
            | Operation::UploadMedia(_)
            | Operation::ConfigureNumber(_)
            | Operation::CreateTemplate(_)
            | Operation::EditTemplate { .. }
            | Operation::Subscribe { .. } => Err(GraphError::of(1)),
        }
    }

    fn list_numbers(&self, account: &Account, incoming: &Incoming) -> Result<Reply, GraphError> {
        let mut numbers = self.registry().numbers();
        numbers.retain(|number| *number.account_id == *account.id);
        numbers.sort_by(|left, right| left.id.cmp(&right.id));
        let nodes: Vec<_> = numbers.iter().map(|number| number_node(number)).collect();
        page(&nodes, incoming, &NUMBER_DEFAULTS)
    }
}

const NUMBER_DEFAULTS: [&str; 8] = [
    "verified_name",
    "code_verification_status",
    "display_phone_number",
    "quality_rating",
    "platform_type",
    "throughput",
    "webhook_configuration",
    "id",
];
const ACCOUNT_DEFAULTS: [&str; 4] = ["id", "name", "timezone_id", "message_template_namespace"];
const TEMPLATE_DEFAULTS: [&str; 7] = [
    "name",
    "parameter_format",
    "components",
    "language",
    "status",
    "category",
    "id",
];

fn number_node(number: &Number) -> Map<String, Value> {
    let spec = number.spec();
    let level = if spec.throughput_mps >= 1000 {
        "HIGH"
    } else {
        "STANDARD"
    };
    let callback = number.callback_override();
    let webhooks = callback.map_or_else(|| json!({}), |url| json!({"phone_number": url.as_str()}));
    let node = json!({
        "id": number.id,
        "display_phone_number": spec.display_phone_number,
        "verified_name": spec.verified_name,
        "quality_rating": spec.quality_rating,
        "code_verification_status": spec.code_verification_status,
        "name_status": spec.name_status,
        "status": status(&spec),
        "platform_type": "CLOUD_API",
        "throughput": {"level": level},
        "account_mode": "LIVE",
        "is_on_biz_app": spec.throughput_mps <= 20,
        "is_official_business_account": false,
        "whatsapp_business_manager_messaging_limit": spec.messaging_limit,
        "messaging_limit_tier": spec.messaging_limit,
        "webhook_configuration": webhooks,
        "health_status": health(number, &spec),
    });
    as_map(node)
}

fn status(spec: &NumberSpec) -> &str {
    match &spec.status {
        Some(status) => status,
        None if spec.registered => "CONNECTED",
        None => "DISCONNECTED",
    }
}

/// As bad as the worst entity.
fn health(number: &Number, spec: &NumberSpec) -> Value {
    let of = |entity: Option<&str>| {
        let unregistered = !spec.registered && entity.is_none_or(|it| it == "PHONE_NUMBER");
        let mine = spec.obstacles.iter();
        let mine = mine.filter(|it| entity.is_none_or(|entity| entity == it.entity_type));
        match mine.map(|it| it.blocks).max() {
            _ if unregistered => "BLOCKED",
            Some(true) => "BLOCKED",
            Some(false) => "LIMITED",
            None => "AVAILABLE",
        }
    };
    let entities = ["PHONE_NUMBER", "WABA", "BUSINESS", "APP"].map(|entity| {
        let id = match entity {
            "PHONE_NUMBER" => &*number.id,
            "WABA" => &*number.account_id,
            _ => "0",
        };
        let errors = spec.obstacles.iter().filter(|it| it.entity_type == entity);
        let errors: Vec<_> = errors
            .map(|it| {
                json!({
                    "error_code": it.error_code,
                    "error_description": it.error_description,
                    "possible_solution": it.possible_solution,
                })
            })
            .collect();
        let mut node = json!({
            "entity_type": entity, "id": id, "can_send_message": of(Some(entity)),
        });
        if !errors.is_empty() {
            node["errors"] = errors.into();
        }
        node
    });
    json!({"can_send_message": of(None), "entities": entities})
}

fn account_node(account: &Account) -> Map<String, Value> {
    as_map(json!({
        "id": account.id,
        "name": account.name,
        "timezone_id": "1",
        "currency": "USD",
        "message_template_namespace": format!("sandbox_{}", account.id),
        "account_review_status": account.review_status,
        "business_verification_status": "verified",
        "owner_business_info": {"id": account.business_id, "name": account.name},
        "health_status": {
            "can_send_message": "AVAILABLE",
            "entities": [
                {"entity_type": "WABA", "id": account.id, "can_send_message": "AVAILABLE"},
            ],
        },
    }))
}

fn template_node(known: &Registered) -> Map<String, Value> {
    let template = &known.template;
    as_map(json!({
        "id": template.id,
        "name": template.name,
        "language": template.language,
        "category": template.category,
        "status": template.status,
        "parameter_format": template.parameter_format,
        "components": template.components,
        "quality_score": {"score": "GREEN"},
        "rejected_reason": "NONE",
    }))
}

fn as_map(node: Value) -> Map<String, Value> {
    match node {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn list_templates(account: &Account, incoming: &Incoming) -> Result<Reply, GraphError> {
    let matches = |wanted: Option<&str>, actual: &str| {
        wanted.is_none_or(|wanted| actual.eq_ignore_ascii_case(wanted))
    };
    let nodes: Vec<_> = account
        .templates()
        .iter()
        .filter(|known| {
            let template = &known.template;
            matches(incoming.query("name"), &template.name)
                && matches(incoming.query("status"), &template.status)
                && matches(incoming.query("language"), &template.language)
                && matches(incoming.query("category"), &template.category)
        })
        .map(|known| template_node(known))
        .collect();
    page(&nodes, incoming, &TEMPLATE_DEFAULTS)
}

/// Only the fields asked for, and always the id. Sub-selections in braces are taken whole.
fn pick(
    node: &Map<String, Value>,
    fields: Option<&str>,
    defaults: &[&str],
) -> Result<Value, GraphError> {
    let mut picked = Map::new();
    let Some(fields) = fields.filter(|fields| !fields.is_empty()) else {
        for name in defaults {
            if let Some(value) = node.get(*name) {
                picked.insert((*name).to_owned(), value.clone());
            }
        }
        return Ok(Value::Object(picked));
    };
    for name in names(fields) {
        let value = node.get(name).ok_or_else(|| {
            GraphError::schema(&format!("Tried accessing nonexisting field ({name})"))
        })?;
        picked.insert(name.to_owned(), value.clone());
    }
    if let Some(id) = node.get("id") {
        picked.insert("id".to_owned(), id.clone());
    }
    Ok(Value::Object(picked))
}

/// `a,b{c,d},e` has three names.
fn names(fields: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    fields
        .split(|character| {
            match character {
                '{' | '(' => depth += 1,
                '}' | ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && character == ','
        })
        .map(|field| {
            field
                .split(['{', '(', '.'])
                .next()
                .unwrap_or_default()
                .trim()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

/// One page, with opaque cursors as Meta has them; `next` is absent on the last.
fn page(
    nodes: &[Map<String, Value>],
    incoming: &Incoming,
    defaults: &[&str],
) -> Result<Reply, GraphError> {
    let size = match incoming.query("limit").map(str::parse) {
        None => PAGE,
        Some(Ok(size @ 1..=LARGEST_PAGE)) => size,
        Some(_) => return Err(GraphError::schema("Param limit is not valid")),
    };
    let start = match incoming.query("after").filter(|after| !after.is_empty()) {
        None => 0,
        Some(cursor) => position(cursor)
            .ok_or_else(|| GraphError::schema("Param after is not a valid cursor"))?,
    };
    let shown: Vec<_> = nodes.iter().skip(start).take(size).collect();
    let end = start + shown.len();
    let data = shown
        .iter()
        .map(|node| pick(node, incoming.query("fields"), defaults))
        .collect::<Result<Vec<_>, _>>()?;
    let mut answer = json!({ "data": data });
    if !shown.is_empty() {
        answer["paging"] = json!({"cursors": {"before": cursor(start), "after": cursor(end)}});
        if end < nodes.len() {
            let next = format!("/{}?after={}", incoming.segments.join("/"), cursor(end));
            answer["paging"]["next"] = next.into();
        }
    }
    Ok(Reply::json(answer))
}

fn cursor(position: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("at{position}"))
}

fn position(cursor: &str) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.strip_prefix("at")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_selections_count_as_one_field() {
        assert_eq!(
            names("id,throughput{level,x}, name_status"),
            ["id", "throughput", "name_status"]
        );
    }
}
