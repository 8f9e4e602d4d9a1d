//! Finishes the generated OpenAPI document: summaries and descriptions from the proto comments,
//! tags, security, permissions, the idempotency header, and problem documents for every error.

use anyhow::Context;
use prost_reflect::DescriptorPool;
use serde_json::{Map, Value, json};

use crate::access::{Method, method_comment};

/// The document that `/openapi.json` serves.
pub(crate) fn finish(
    raw: &[String],
    pool: &DescriptorPool,
    methods: &[Method],
) -> anyhow::Result<String> {
    let mut document = merge(raw)?;
    document["info"]["description"] = json!(
        "Talk to customers on WhatsApp. Every error is a problem document (RFC 9457) with a stable `code`."
    );
    document["security"] = json!([{"bearer": []}]);
    document["tags"] = tags(pool);
    components(&mut document);
    let paths = document["paths"]
        .as_object_mut()
        .context("paths of the document")?;
    for item in paths.values_mut().filter_map(Value::as_object_mut) {
        for operation in item.values_mut().filter_map(Value::as_object_mut) {
            finish_operation(operation, method_of(operation, methods)?);
        }
    }
    Ok(serde_json::to_string_pretty(&document)?)
}

/// The generator writes one document per package; the public API is one.
fn merge(raw: &[String]) -> anyhow::Result<Value> {
    let mut merged = json!({});
    for text in raw {
        let part: Value = serde_json::from_str(text).context("parse a generated document")?;
        merge_into(&mut merged, part);
    }
    Ok(merged)
}

fn merge_into(target: &mut Value, part: Value) {
    match (target, part) {
        (Value::Object(target), Value::Object(part)) => {
            for (key, value) in part {
                merge_into(target.entry(key).or_insert(Value::Null), value);
            }
        }
        (target, part) => *target = part,
    }
}

/// The generator names an operation after its RPC; `access::methods` sees to it that one name means one RPC.
fn method_of<'m>(
    operation: &Map<String, Value>,
    methods: &'m [Method],
) -> anyhow::Result<&'m Method> {
    let id = operation
        .get("operationId")
        .and_then(Value::as_str)
        .context("an operation without a name")?;
    methods
        .iter()
        .find(|method| method.public_api && method.descriptor.name() == id)
        .with_context(|| format!("the operation {id} is no RPC of ours"))
}

fn finish_operation(operation: &mut Map<String, Value>, method: &Method) {
    let comment = method_comment(&method.descriptor);
    let (summary, description) = comment.split_once("\n\n").unwrap_or((comment.as_str(), ""));
    operation.insert(
        "summary".to_owned(),
        json!(summary.replace('\n', " ").trim()),
    );
    if !description.trim().is_empty() {
        operation.insert(
            "description".to_owned(),
            json!(description.replace('\n', " ").trim()),
        );
    }
    operation.insert(
        "tags".to_owned(),
        json!([tag(method.descriptor.parent_service().name())]),
    );
    operation.insert("x-rate-class".to_owned(), json!(method.rate_class));
    match &method.permission {
        Some(permission) => operation.insert("x-permission".to_owned(), json!(permission)),
        None if method.rule == "Public" => operation.insert("security".to_owned(), json!([])),
        None => None,
    };
    if method.step_up {
        operation.insert("x-step-up".to_owned(), json!(true));
    }
    if method.idempotency_key {
        parameters(operation).push(json!({"$ref": "#/components/parameters/IdempotencyKey"}));
    }
    if method.descriptor.is_server_streaming() {
        parameters(operation).push(json!({"$ref": "#/components/parameters/LastEventId"}));
        stream(operation);
    }
    responses(operation, method);
}

fn parameters(operation: &mut Map<String, Value>) -> &mut Vec<Value> {
    let entry = operation.entry("parameters").or_insert_with(|| json!([]));
    if !entry.is_array() {
        *entry = json!([]);
    }
    match entry {
        Value::Array(list) => list,
        _ => unreachable!("it was made an array above"),
    }
}

/// A stream is served as server-sent events; each event's data has the schema of a message.
fn stream(operation: &mut Map<String, Value>) {
    let answer = operation
        .get_mut("responses")
        .and_then(|responses| responses.get_mut("200"));
    let Some(content) = answer
        .and_then(|answer| answer.get_mut("content"))
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    if let Some(json) = content.remove("application/json") {
        content.insert("text/event-stream".to_owned(), json);
    }
}

/// Which errors an operation can answer follows from what it is.
fn responses(operation: &mut Map<String, Value>, method: &Method) {
    let mut statuses = vec![400, 422, 429, 500, 503, 504];
    if method.rule != "Public" {
        statuses.extend([401, 403]);
    } else if method.rate_class == "Login" {
        statuses.push(401);
    }
    if method
        .descriptor
        .input()
        .fields()
        .any(|field| field.name().ends_with("_id"))
    {
        statuses.push(404);
    }
    if method.rate_class != "Read" {
        statuses.push(409);
    }
    statuses.sort_unstable();
    let entry = operation.entry("responses").or_insert_with(|| json!({}));
    if let Value::Object(responses) = entry {
        responses.remove("default");
        for status in statuses {
            responses.insert(
                status.to_string(),
                json!({"$ref": "#/components/responses/Problem"}),
            );
        }
    }
}

fn tag(service: &str) -> String {
    service.trim_end_matches("Service").to_owned()
}

fn tags(pool: &DescriptorPool) -> Value {
    pool.services()
        .filter(|service| service.full_name().starts_with("switchboard."))
        .map(|service| {
            let file = service.parent_file();
            let comment = crate::access::comment(file.file_descriptor_proto(), service.path());
            json!({"name": tag(service.name()), "description": comment.replace('\n', " ").trim()})
        })
        .collect()
}

fn components(document: &mut Value) {
    let components = &mut document["components"];
    components["securitySchemes"] = json!({
        "bearer": {"type": "http", "scheme": "bearer", "description": "An access token or an API key."}
    });
    components["parameters"] = json!({
        "IdempotencyKey": {
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "Repeating a request with the same key and body within 48 hours answers the first result and does nothing twice.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
        },
        "LastEventId": {
            "name": "Last-Event-ID", "in": "header", "required": false,
            "description": "The id of the last event seen; the stream continues right after it.",
            "schema": {"type": "string", "maxLength": 128}
        }
    });
    components["responses"] = json!({
        "Problem": {
            "description": "What went wrong and what to do (RFC 9457).",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        }
    });
    components["schemas"]["Problem"] = json!({
        "type": "object",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": {"type": "string", "description": "Identifies the kind of problem."},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string", "description": "Stable machine name; see the list of error codes."},
            "help": {"type": "string"},
            "request_id": {"type": "string"},
            "errors": {"type": "array", "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}}
            }},
            "retry_after": {"type": "integer", "description": "Seconds to wait before trying again."}
        }
    });
}
