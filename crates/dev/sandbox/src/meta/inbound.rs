//! Customers writing to us.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    ControlError, Meta, Status,
    customer::Customer,
    customer_digits,
    identifiers::Direction,
    media::Upload,
    number::Number,
    statuses::StatusError,
    webhook::{Event, MessageEvent, Party, StatusEvent, to_meta_json},
};

/// A message a customer sends. Fields not named here go into the message as they are, so any type
/// Meta knows can be written: `{"type":"location","location":{…}}`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct InboundSpec {
    /// The number written to; may be left out while there is only one.
    pub phone_number_id: Option<String>,
    /// Profile name; remembered.
    pub name: Option<String>,
    /// A file to go with an image, video, audio, document or sticker.
    pub media: Option<MediaContent>,
    /// How often the same webhook is delivered, 1 to 100.
    pub copies: Option<u32>,
    /// Delivered this much later.
    pub delay_ms: Option<u64>,
    /// `text` may be a plain string; `type` is then `text`.
    #[serde(flatten)]
    pub message: Map<String, Value>,
}

/// A file, in base64.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaContent {
    pub mime_type: String,
    pub base64: String,
}

/// What a customer's message became.
#[derive(Clone, Debug, Serialize)]
pub struct InboundReceipt {
    pub wamid: String,
    pub phone_number_id: String,
    /// The sender as the webhook names them, unless they hide their number.
    pub from: String,
    pub from_user_id: String,
    /// How many apps are told.
    pub apps: usize,
}

impl InboundSpec {
    /// A text message to the given number.
    pub fn text(phone_number_id: &str, text: &str) -> Self {
        let mut message = Map::new();
        message.insert("text".into(), text.into());
        Self {
            phone_number_id: Some(phone_number_id.to_owned()),
            message,
            ..Self::default()
        }
    }
}

impl Meta {
    /// The customer with number `phone` writes. The webhook is queued, not yet delivered.
    ///
    /// # Errors
    /// When the number or the message makes no sense.
    pub fn customer_writes(
        &self,
        phone: &str,
        spec: InboundSpec,
    ) -> Result<InboundReceipt, ControlError> {
        let digits = customer_digits(phone)?;
        let number = self.number_written_to(spec.phone_number_id.as_deref())?;
        let account = self
            .registry()
            .find_account(&number.account_id)
            .ok_or_else(|| ControlError::unknown("account", &number.account_id))?;
        if spec.name.is_some() {
            let mut profile = self.0.customers.profile(&digits);
            profile.name.clone_from(&spec.name);
            self.0.customers.set(&digits, profile);
        }
        let customer = self.0.customers.by_phone(&digits, &account.business_id);
        self.0.customers.met(&customer);

        let now = self.clock().now();
        let wamid = match spec.message.get("id").and_then(Value::as_str) {
            Some(own) => own.to_owned(),
            None => self.0.wamids.mint(&customer.wa_id, Direction::FromCustomer),
        };
        let mut message = typed(spec.message)?;
        if let Some(media) = spec.media {
            self.attach(&mut message, &number, &media)?;
        }
        complete(&mut message, &wamid, &customer, &number, now.timestamp());
        number.customer_wrote(&customer.wa_id, &self.settings().limits, now);
        self.ledger()
            .count(|counters| counters.inbound_messages += 1);

        let event = Event::Message(Arc::new(MessageEvent {
            number: Arc::clone(&number),
            wamid: wamid.as_str().into(),
            sender: Arc::new(Party::of(&customer)),
            message: Value::Object(message),
        }));
        for copy in 0..spec.copies.unwrap_or(1).clamp(1, 100) {
            let after = Duration::from_millis(spec.delay_ms.unwrap_or(0));
            // Copies in webhooks of their own, as when Meta delivers again.
            let apart = Duration::from_millis(20) * copy;
            self.tell(&account.id, &event, after + apart);
        }
        Ok(InboundReceipt {
            wamid,
            phone_number_id: number.id.to_string(),
            from: customer.wa_id,
            from_user_id: customer.user_id,
            apps: account.subscriptions().len(),
        })
    }

    /// Signs and delivers a webhook written by the test: JSON written as Meta writes it, or a
    /// string sent byte for byte.
    ///
    /// # Errors
    /// When there is no such app.
    pub fn deliver_raw(&self, app_id: &str, payload: &Value) -> Result<(), ControlError> {
        let app = self.registry().find_app(app_id);
        let app = app.ok_or_else(|| ControlError::unknown("app", app_id))?;
        let body = match payload {
            Value::String(raw) => Bytes::from(raw.clone().into_bytes()),
            json => Bytes::from(to_meta_json(json)),
        };
        app.lane.push(Event::Raw(body), self.clock().now(), 0);
        Ok(())
    }

    /// Sends one more status for an accepted message.
    ///
    /// # Errors
    /// When the ledger doesn't know the message (any more), or its number is gone.
    pub fn emit_status(
        &self,
        wamid: &str,
        status: Status,
        code: Option<u32>,
    ) -> Result<(), ControlError> {
        let send = self.ledger().find_send(wamid);
        let send = send.ok_or_else(|| ControlError::unknown("accepted message", wamid))?;
        let number = self.registry().find_number(&send.phone_number_id);
        let number =
            number.ok_or_else(|| ControlError::unknown("phone number", &send.phone_number_id))?;
        let account = self
            .registry()
            .find_account(&number.account_id)
            .ok_or_else(|| ControlError::unknown("account", &number.account_id))?;
        let customer = self.0.customers.by_phone(&send.wa_id, &account.business_id);
        let failed = status == Status::Failed;
        let event = Event::Status(Arc::new(StatusEvent {
            wamid: send.wamid,
            status,
            recipient: Arc::new(Party::of(&customer)),
            pricing: None,
            opaque: send
                .opaque
                .filter(|_| !failed || self.settings().statuses.failed_carries_opaque),
            error: failed.then(|| StatusError::of(code.unwrap_or(131_026), None)),
            number,
        }));
        self.tell(&account.id, &event, Duration::ZERO);
        Ok(())
    }

    fn number_written_to(&self, id: Option<&str>) -> Result<Arc<Number>, ControlError> {
        if let Some(id) = id {
            let number = self.registry().find_number(id);
            return number.ok_or_else(|| ControlError::unknown("phone number", id));
        }
        let mut numbers = self.registry().numbers();
        match (numbers.pop(), numbers.is_empty()) {
            (Some(only), true) => Ok(only),
            _ => Err(ControlError::Invalid(
                "name the phone_number_id: there isn't exactly one number".into(),
            )),
        }
    }

    /// Stores the file and describes it in the message, as Meta does (`url` since November 2025).
    fn attach(
        &self,
        message: &mut Map<String, Value>,
        number: &Number,
        media: &MediaContent,
    ) -> Result<(), ControlError> {
        let kind = message["type"].as_str().unwrap_or_default().to_owned();
        if !["image", "video", "audio", "document", "sticker"].contains(&kind.as_str()) {
            return Err(ControlError::Invalid(format!("a {kind} carries no file")));
        }
        let bytes = STANDARD
            .decode(&media.base64)
            .map_err(|_| ControlError::Invalid("media.base64 is not base64".into()))?;
        let stored = self.store_media(Upload {
            phone_number_id: &number.id,
            mime_type: &media.mime_type,
            bytes: bytes.into(),
            from_customer: true,
        });
        let Value::Object(object) = message.entry(kind).or_insert_with(|| json!({})) else {
            return Err(ControlError::Invalid("the media is not an object".into()));
        };
        object.insert("id".into(), stored.id.as_str().into());
        object.insert("mime_type".into(), media.mime_type.as_str().into());
        // Base64 in webhooks, hex where media is looked up.
        object.insert("sha256".into(), STANDARD.encode(stored.sha256).into());
        object.insert("url".into(), self.media_url(&stored, "webhook").into());
        Ok(())
    }
}

impl Party {
    pub(super) fn of(customer: &Customer) -> Self {
        let profile = &customer.profile;
        let hidden = profile.hide_phone;
        Self {
            wa_id: (!hidden).then(|| customer.wa_id.clone()),
            user_id: customer.user_id.clone(),
            name: profile.name.clone(),
            username: profile.username.clone(),
        }
    }
}

/// Settles the type of the message.
fn typed(mut message: Map<String, Value>) -> Result<Map<String, Value>, ControlError> {
    if let Some(Value::String(text)) = message.get("text") {
        let body = json!({ "body": text });
        message.insert("text".into(), body);
    }
    if !message.contains_key("type") && message.contains_key("text") {
        message.insert("type".into(), "text".into());
    }
    match message.get("type") {
        Some(Value::String(_)) => Ok(message),
        _ => Err(ControlError::Invalid("the message has no type".into())),
    }
}

/// Adds what every message of a customer has.
fn complete(
    message: &mut Map<String, Value>,
    wamid: &str,
    customer: &Customer,
    number: &Number,
    timestamp: i64,
) {
    message.insert("id".into(), wamid.into());
    if !customer.profile.hide_phone {
        message.insert("from".into(), customer.wa_id.as_str().into());
    }
    message.insert("from_user_id".into(), customer.user_id.as_str().into());
    message
        .entry("timestamp")
        .or_insert_with(|| timestamp.to_string().into());
    // A reply names the sender of what it replies to: us.
    if let Some(Value::Object(context)) = message.get_mut("context")
        && context.contains_key("id")
    {
        context
            .entry("from")
            .or_insert_with(|| number.digits.as_ref().into());
    }
}
