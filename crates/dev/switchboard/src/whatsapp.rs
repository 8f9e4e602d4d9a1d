//! Driving the sandbox: numbers to connect, customers who write.

use anyhow::{Context, Result};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::{
    api::{Api, http},
    platform::{ACCESS_TOKEN, APP_SECRET, Platform, VERIFY_TOKEN},
};

/// A number of the sandbox.
#[derive(Debug, Clone)]
pub struct Number {
    /// Its id at Meta.
    pub phone_number_id: String,
    /// Its account.
    pub waba_id: String,
}

impl Number {
    /// The sandbox's own. Fixed, so that a number connected yesterday is connected today.
    pub fn of_sandbox() -> Self {
        Self {
            phone_number_id: "106540352242922".to_owned(),
            waba_id: "102290129340398".to_owned(),
        }
    }
}

/// The sandbox's control API over HTTP.
#[derive(Debug, Clone)]
pub struct Control {
    http: reqwest::Client,
    base: String,
}

impl Control {
    /// The control of a sandbox at this address (`…/_sandbox`).
    pub fn new(base: impl Into<String>) -> Result<Self> {
        Ok(Self {
            http: http()?,
            base: base.into(),
        })
    }

    /// Registers the app with the platform's callback address, an account and a number.
    pub async fn set_up(&self, callback_url: &str) -> Result<Number> {
        let number = Number::of_sandbox();
        let spec = json!({
            "app_secret": APP_SECRET,
            "verify_token": VERIFY_TOKEN,
            "callback_url": callback_url,
            "access_token": ACCESS_TOKEN,
            "waba_id": number.waba_id,
            "phone_number_id": number.phone_number_id,
        });
        self.post("setup", &spec).await?;
        Ok(number)
    }

    /// A customer writes; returns the message's wamid.
    pub async fn customer_writes(
        &self,
        phone: &str,
        number: &Number,
        text: &str,
    ) -> Result<String> {
        let body =
            json!({ "text": text, "phone_number_id": number.phone_number_id, "name": "Ada" });
        let answer = self
            .post(&format!("customers/{phone}/messages"), &body)
            .await?;
        Ok(answer["wamid"].as_str().context("a wamid")?.to_owned())
    }

    /// POST to the control API.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        ask(self.http.post(format!("{}/{path}", self.base)).json(body)).await
    }

    /// GET from the control API.
    pub async fn get(&self, path: &str) -> Result<Value> {
        ask(self.http.get(format!("{}/{path}", self.base))).await
    }
}

async fn ask(request: RequestBuilder) -> Result<Value> {
    let answer = request.send().await?;
    answer
        .error_for_status()
        .context("ask the sandbox")?
        .json()
        .await
        .context("read the sandbox's answer")
}

/// Sets the sandbox up for a platform and connects its number to the caller's organization;
/// returns the number and its channel.
pub async fn connect(
    platform: &Platform,
    control: &Control,
    api: &Api,
) -> Result<(Number, String)> {
    let number = control.set_up(&platform.callback_url()).await?;
    let id = connect_channel(api, "connect-the-sandbox-number", &number).await?;
    Ok((number, id))
}

/// Connects a number of the sandbox to the caller's organization; returns the channel. `key` is the
/// idempotency key.
pub async fn connect_channel(api: &Api, key: &str, number: &Number) -> Result<String> {
    let body = json!({
        "name": "Sandbox",
        "phoneNumberId": number.phone_number_id,
        "wabaId": number.waba_id,
        "accessToken": ACCESS_TOKEN,
    });
    let channel = api.post("/v1/channels", key, &body).await?;
    Ok(channel["id"].as_str().context("a channel id")?.to_owned())
}
