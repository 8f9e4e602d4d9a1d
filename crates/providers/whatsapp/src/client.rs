//! Calls to the Cloud API.
//!
//! No call is repeated here unless repeating is harmless: a send never is, because there is no
//! idempotency key. What came of a send is one of three things, and [`SendError`] keeps them apart.

mod blocks;
mod config;
mod error;
mod graph;
mod health;
mod media;
mod numbers;
mod rejection;
mod templates;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use http::Method;
use outbound::{Request, Response, Retry, Url};
use secrecy::SecretString;
use serde::Serialize;

pub use self::{
    config::{BaseUrlInvalid, Config},
    error::{CallError, MediaError, SendError, Why},
    graph::{Accepted, MessageStatus},
    health::{AccountHealth, NumberHealth, Obstacle, TokenInfo},
    media::{Download, MediaInfo, Upload},
    numbers::{PhoneNumber, SubscribedApp},
    rejection::Rejection,
    templates::{CreatedTemplate, TemplatePage, TemplateSummary},
};
use self::{
    graph::{Body, Judgement, judge},
    rejection::checked_id,
};
use crate::{send::Outgoing, version::Standing};

/// A client of the Cloud API for all tenants: the token comes with each call. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: Config,
    http: outbound::Client,
    warned_of_version: AtomicBool,
}

impl Client {
    /// A client. Logs a warning if the configured version of the API has expired or soon will.
    ///
    /// Give it an [`outbound::Client`] with a deadline of 30 seconds: shorter ones leave more sends
    /// with an unknown outcome.
    pub fn new(config: Config, http: outbound::Client) -> Self {
        let today = http.clock().now().date_naive();
        let version = config.version;
        match version.standing(today) {
            Standing::Living => {}
            Standing::ExpiresSoon(on) => {
                tracing::warn!(%version, expires_on = %on, "the WhatsApp API version expires soon");
            }
            Standing::Expired(on) => {
                tracing::error!(%version, expired_on = %on, "the WhatsApp API version has expired; calls get another version's behaviour");
            }
            Standing::Unlisted => {
                tracing::warn!(%version, "the WhatsApp API version is not one this program knows");
            }
        }
        Self(Arc::new(Inner {
            config,
            http,
            warned_of_version: AtomicBool::new(false),
        }))
    }

    /// Sends a message from a number, once. Success means accepted, not delivered: what becomes of
    /// the message comes by webhook, sometimes before this call returns.
    ///
    /// # Errors
    /// [`SendError`]: not sent, refused, or unknown. Never repeat the last one blindly.
    pub async fn send(
        &self,
        phone_number_id: &str,
        token: &SecretString,
        message: &Outgoing,
    ) -> Result<Accepted, SendError> {
        let url = self.url(&[phone_number_id, "messages"])?;
        let request = self.post("messages.send", url, token).json(message);
        let response = request.send().await?;
        self.compare_version(&response);
        let status = response.status();
        match judge(&response, self.0.http.clock().now()) {
            Judgement::Refused(rejection) => Err(SendError::from_rejection(rejection)),
            Judgement::Succeeded(body) => Accepted::read(&body).ok_or(SendError::Unknown {
                why: Why::UnreadableAnswer(status),
                source: None,
            }),
        }
    }

    /// Marks a message, and all before it, as read; optionally shows the user that an answer is
    /// being typed (at most 25 seconds).
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn mark_read(
        &self,
        phone_number_id: &str,
        token: &SecretString,
        message_id: &str,
        typing: bool,
    ) -> Result<(), CallError> {
        #[derive(Serialize)]
        struct Mark<'m> {
            messaging_product: &'static str,
            status: &'static str,
            message_id: &'m str,
            #[serde(skip_serializing_if = "Option::is_none")]
            typing_indicator: Option<Typing>,
        }
        #[derive(Serialize)]
        struct Typing {
            r#type: &'static str,
        }
        let url = self.url(&[phone_number_id, "messages"])?;
        let request = self.post("messages.mark_read", url, token).json(&Mark {
            messaging_product: "whatsapp",
            status: "read",
            message_id,
            typing_indicator: typing.then_some(Typing { r#type: "text" }),
        });
        self.succeed(request.idempotent(Retry::default())).await
    }

    /// `{base}/{version}/{segments…}`.
    fn url(&self, segments: &[&str]) -> Result<Url, Box<Rejection>> {
        let config = &self.0.config;
        let mut url = config.base_url.clone();
        let version = config.version.to_string();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(&version);
            for segment in segments {
                path.push(checked_id(segment)?);
            }
        }
        Ok(url)
    }

    fn get(&self, operation: &'static str, url: Url, token: &SecretString) -> Request {
        let request = self.0.http.request(operation, Method::GET, url);
        request.bearer(token).idempotent(Retry::default())
    }

    fn post(&self, operation: &'static str, url: Url, token: &SecretString) -> Request {
        let request = self.0.http.request(operation, Method::POST, url);
        request.bearer(token)
    }

    fn delete(&self, operation: &'static str, url: Url, token: &SecretString) -> Request {
        let request = self.0.http.request(operation, Method::DELETE, url);
        request.bearer(token)
    }

    /// Makes a call whose answer has something we need.
    async fn call(&self, request: Request) -> Result<Body, CallError> {
        let response = request.send().await?;
        self.compare_version(&response);
        match judge(&response, self.0.http.clock().now()) {
            Judgement::Succeeded(body) => Ok(body),
            Judgement::Refused(rejection) => Err(CallError::Rejected(rejection)),
        }
    }

    /// Makes a call whose answer is `{"success": true}`.
    async fn succeed(&self, request: Request) -> Result<(), CallError> {
        let body = self.call(request).await?;
        match body.object().and_then(|object| object.flag("success")) {
            Some(true) => Ok(()),
            _ => Err(CallError::Unreadable),
        }
    }

    /// An expired version is answered by another one, whose behaviour may differ.
    fn compare_version(&self, response: &Response) {
        let asked = self.0.config.version.to_string();
        if let Some(used) = response.header("facebook-api-version")
            && used != asked
            && !self.0.warned_of_version.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(asked, used, "the WhatsApp API answers with another version");
        }
    }
}
