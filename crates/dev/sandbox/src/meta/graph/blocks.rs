//! Blocking users (Meta: `block_users`, and its OpenAPI document for the answers).

use serde_json::{Value, json};

use super::Reply;
use crate::meta::{Meta, error::GraphError, identifiers::digits, number::Number};

impl Meta {
    /// Meta blocks only users who wrote to the number within 24 hours (131047 otherwise); a block can be taken back at
    /// any time.
    pub(super) fn change_blocks(
        &self,
        number: &Number,
        block: bool,
        body: &Value,
    ) -> Result<Reply, GraphError> {
        if body["messaging_product"] != "whatsapp" {
            return Err(GraphError::missing("messaging_product must be whatsapp"));
        }
        let users = body["block_users"]
            .as_array()
            .filter(|users| !users.is_empty());
        let users = users.ok_or_else(|| GraphError::missing("block_users needs users"))?;
        let mut done = Vec::with_capacity(users.len());
        for user in users {
            let (wa_id, answer) = user_of(user)?;
            if block && !number.window_is_open(&wa_id, self.clock().now()) {
                return Err(
                    GraphError::of(131_047).details("The user has not written within 24 hours")
                );
            }
            done.push((wa_id, answer));
        }
        for (wa_id, _) in &done {
            number.change_block(wa_id, block);
        }
        let answers: Vec<Value> = done.into_iter().map(|(_, answer)| answer).collect();
        let changed = if block {
            "added_users"
        } else {
            "removed_users"
        };
        Ok(Reply::json(json!({
            "messaging_product": "whatsapp",
            "block_users": { (changed): answers },
        })))
    }
}

/// By number or by business-scoped id; the id, and how the user is answered.
fn user_of(user: &Value) -> Result<(String, Value), GraphError> {
    if let Some(id) = user["user_id"].as_str() {
        return Ok((id.to_owned(), json!({ "user_id": id })));
    }
    let input = user["user"].as_str().unwrap_or_default();
    let wa_id = digits(input).ok_or_else(|| GraphError::value("user is no phone number"))?;
    let answer = json!({ "input": input, "wa_id": wa_id });
    Ok((wa_id, answer))
}
