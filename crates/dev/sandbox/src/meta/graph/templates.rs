//! Writing templates: handed in, changed and deleted. Reviewed by the control API, which registers them anew.

use serde_json::{Value, json};

use super::{Reply, incoming::Incoming};
use crate::meta::{
    Meta,
    error::GraphError,
    registry::{Account, Registered},
    template::Template,
};

/// Meta: name and language are in use (100 with this subcode).
const IN_USE: u32 = 2_388_024;
/// Meta: only approved, rejected and paused templates can be changed.
const NOT_EDITABLE: u32 = 2_388_039;

impl Meta {
    pub(super) fn create_template(
        &self,
        account: &Account,
        body: &Value,
    ) -> Result<Reply, GraphError> {
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let (name, language, category) = (text("name"), text("language"), text("category"));
        let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if name.is_empty() || !name.bytes().all(lower) {
            return Err(GraphError::schema(
                "Param name must be lower-case letters, digits and underscores",
            ));
        }
        if language.is_empty() || category.is_empty() {
            return Err(GraphError::schema(
                "The parameters language and category are required.",
            ));
        }
        if account.find_template(&name, &language).is_some() {
            return Err(GraphError::of(100).subcode(IN_USE));
        }
        let format = text("parameter_format");
        let template = Template {
            id: self.id_or_new(None),
            name,
            language,
            category,
            status: "PENDING".to_owned(),
            parameter_format: if format.is_empty() {
                "POSITIONAL".to_owned()
            } else {
                format
            },
            components: components(body)?,
        };
        let template = template.normalized();
        let answer = json!({
            "id": template.id, "status": template.status, "category": template.category,
        });
        account.put_template(template);
        Ok(Reply::json(answer))
    }
}

pub(super) fn edit(
    account: &Account,
    known: &Registered,
    body: &Value,
) -> Result<Reply, GraphError> {
    if !matches!(
        known.template.status.as_str(),
        "APPROVED" | "REJECTED" | "PAUSED"
    ) {
        return Err(GraphError::of(100).subcode(NOT_EDITABLE));
    }
    let mut template = known.template.clone();
    template.components = components(body)?;
    "PENDING".clone_into(&mut template.status);
    account.put_template(template);
    Ok(Reply::success())
}

pub(super) fn delete(account: &Account, incoming: &Incoming) -> Result<Reply, GraphError> {
    let name = incoming.query("name");
    let name = name.ok_or_else(|| GraphError::schema("The parameter name is required."))?;
    if !account.remove_templates(name, incoming.query("hsm_id")) {
        return Err(GraphError::of(100).subcode(2_593_002));
    }
    Ok(Reply::success())
}

/// A body, and an example for each of its places: reviewers must see what is meant.
fn components(body: &Value) -> Result<Vec<Value>, GraphError> {
    let components = body["components"].as_array();
    let components =
        components.ok_or_else(|| GraphError::schema("Param components must be an array"))?;
    for component in components {
        let text = component["text"].as_str().unwrap_or_default();
        let places = crate::meta::template::placeholders(text);
        let example = &component["example"];
        let shown = [
            &example["body_text"][0],
            &example["body_text_named_params"],
            &example["header_text"],
            &example["header_text_named_params"],
        ]
        .into_iter()
        .filter_map(|list| list.as_array())
        .any(|list| list.len() == places.len());
        if !places.is_empty() && !shown {
            return Err(GraphError::schema(
                "Message templates with variables need an example of each",
            ));
        }
    }
    Ok(components.clone())
}
