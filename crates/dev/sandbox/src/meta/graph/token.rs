//! `GET /debug_token`.

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{Reply, incoming::Incoming};
use crate::meta::{Meta, error::GraphError, registry::Grant};

impl Meta {
    /// Meta: asked with an app token (`id|secret`) or a token of the same app.
    pub(super) fn debug_token(&self, incoming: &Incoming) -> Result<Reply, GraphError> {
        let asking = incoming.token.as_deref().ok_or_else(GraphError::no_token)?;
        let app_id = self.app_behind(asking)?;
        let input = incoming
            .query("input_token")
            .ok_or_else(|| GraphError::schema("The parameter input_token is required."))?;
        let grant = self.registry().find_token(input);
        let data = match grant.filter(|grant| grant.app_id == app_id) {
            Some(grant) => self.describe(&grant),
            None => invalid("The access token could not be decrypted", None),
        };
        Ok(Reply::json(json!({ "data": data })))
    }

    fn app_behind(&self, token: &str) -> Result<String, GraphError> {
        if let Some((id, secret)) = token.split_once('|') {
            return self
                .registry()
                .find_app(id)
                .filter(|app| app.secret.expose_secret() == secret)
                .map(|app| app.id.to_string())
                .ok_or_else(GraphError::malformed_token);
        }
        let grant = self.registry().find_token(token);
        let grant = grant.ok_or_else(GraphError::malformed_token)?;
        grant.check(self.clock().now())?;
        Ok(grant.app_id.clone())
    }

    fn describe(&self, grant: &Grant) -> Value {
        if let Err(error) = grant.check(self.clock().now()) {
            return invalid(&error.message, error.subcode);
        }
        // Meta: no target ids means every asset.
        let granular: Vec<_> = grant
            .scopes
            .iter()
            .map(|scope| {
                if grant.accounts.is_empty() {
                    json!({ "scope": scope })
                } else {
                    json!({"scope": scope, "target_ids": grant.accounts})
                }
            })
            .collect();
        let app = self.registry().find_app(&grant.app_id);
        json!({
            "app_id": grant.app_id,
            "type": "SYSTEM_USER",
            "application": app.map(|app| app.name.clone()).unwrap_or_default(),
            "data_access_expires_at": 0,
            "expires_at": grant.expires_at.map_or(0, |at| at.timestamp()),
            "issued_at": grant.issued_at.timestamp(),
            "is_valid": true,
            "scopes": grant.scopes,
            "granular_scopes": granular,
            "user_id": "122100000000000001",
        })
    }
}

fn invalid(message: &str, subcode: Option<u32>) -> Value {
    let mut error = json!({"code": 190, "message": message});
    if let Some(subcode) = subcode {
        error["subcode"] = subcode.into();
    }
    json!({"error": error, "is_valid": false, "scopes": []})
}
