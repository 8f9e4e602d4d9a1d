//! Which apps get an account's webhooks, and callback overrides.

use std::sync::Arc;

use reqwest::Url;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::Reply;
use crate::meta::{
    Meta,
    error::GraphError,
    number::Number,
    registry::{Account, Subscription},
};

/// Meta: an override URL has at most 200 characters.
const OVERRIDE_LIMIT: usize = 200;

impl Meta {
    /// `POST /{waba}/subscribed_apps`. An empty body removes an override.
    pub(super) async fn subscribe(
        &self,
        account: &Arc<Account>,
        app_id: String,
        body: &Value,
    ) -> Result<Reply, GraphError> {
        let callback_override = self.override_in(body).await?;
        account.subscribe(Subscription {
            app_id,
            callback_override,
        });
        Ok(Reply::success())
    }

    pub(super) fn list_subscriptions(&self, account: &Account) -> Reply {
        let data: Vec<_> = account
            .subscriptions()
            .into_iter()
            .map(|subscription| {
                let app = self.registry().find_app(&subscription.app_id);
                let name = app.map(|app| app.name.clone()).unwrap_or_default();
                let mut entry = json!({"whatsapp_business_api_data": {
                    "id": subscription.app_id,
                    "name": name,
                    "link": format!("https://www.facebook.com/games/?app_id={}", subscription.app_id),
                }});
                if let Some(url) = subscription.callback_override {
                    entry["override_callback_uri"] = url.as_str().into();
                }
                entry
            })
            .collect();
        Reply::json(json!({ "data": data }))
    }

    /// `POST /{phone}` with a `webhook_configuration`. An empty string removes the override.
    pub(super) async fn configure_number(
        &self,
        number: &Number,
        body: &Value,
    ) -> Result<Reply, GraphError> {
        let configuration = body.get("webhook_configuration").ok_or_else(|| {
            GraphError::missing("The parameter webhook_configuration is required.")
        })?;
        let url = self.override_in(configuration).await?;
        number.override_callback(url);
        Ok(Reply::success())
    }

    /// Reads an override and checks it by the handshake, as Meta does.
    async fn override_in(&self, body: &Value) -> Result<Option<Url>, GraphError> {
        let uri = body["override_callback_uri"].as_str().unwrap_or_default();
        if uri.is_empty() {
            return Ok(None);
        }
        let invalid = || GraphError::schema("Param override_callback_uri is not a valid URI.");
        if uri.len() > OVERRIDE_LIMIT {
            return Err(invalid());
        }
        let url = Url::parse(uri).map_err(|_| invalid())?;
        let token = body["verify_token"]
            .as_str()
            .ok_or_else(|| GraphError::missing("The parameter verify_token is required."))?;
        let token = SecretString::from(token.to_owned());
        self.verify_callback(&url, &token)
            .await
            .map_err(|error| GraphError::of(2200).details(error.to_string()))?;
        Ok(Some(url))
    }
}
