//! The entries of the ledger, as the control API shows them.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::callback::Outcome;

/// A message Meta has accepted: from here on the customer gets it, whatever the sender was told.
#[derive(Clone, Debug, Serialize)]
pub struct Send {
    pub seq: u64,
    pub wamid: Arc<str>,
    pub phone_number_id: Arc<str>,
    pub waba_id: Arc<str>,
    /// The recipient as the request wrote it.
    pub to: String,
    /// The id WhatsApp knows the recipient by.
    pub wa_id: String,
    #[serde(rename = "type")]
    pub message_type: String,
    /// `biz_opaque_callback_data`.
    pub opaque: Option<Arc<str>>,
    /// The request body as received, unless the ledger keeps no bodies.
    pub body: Option<RequestBody>,
    pub accepted_at: DateTime<Utc>,
    /// What the caller saw: `returned`, or the scripted failure.
    pub answer: &'static str,
    pub statuses: Vec<EmittedStatus>,
}

impl Send {
    /// The request body, parsed.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body.as_ref()?.0).ok()
    }
}

/// A status that was put into a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EmittedStatus {
    pub status: super::Status,
    pub app_id: Arc<str>,
    pub emitted_at: DateTime<Utc>,
    /// Whether the app has answered 200 to a delivery of it.
    pub acknowledged: bool,
}

/// A call that was refused, or failed by script before anything was accepted.
#[derive(Clone, Debug, Serialize)]
pub struct Rejection {
    pub seq: u64,
    pub at: DateTime<Utc>,
    pub call: crate::meta::Call,
    pub phone_number_id: Option<String>,
    pub to: Option<String>,
    pub opaque: Option<String>,
    /// 0 when no answer was given at all.
    pub http_status: u16,
    pub code: Option<u32>,
    pub subcode: Option<u32>,
    pub message: Option<String>,
    pub details: Option<String>,
    /// The scripted failure, if it was one.
    pub fault: Option<&'static str>,
}

/// One attempt to deliver one webhook POST.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    pub seq: u64,
    pub at: DateTime<Utc>,
    /// The same for all attempts of one POST.
    pub delivery: u64,
    /// From 1.
    pub attempt: u32,
    pub app_id: Arc<str>,
    pub url: String,
    pub items: Vec<Item>,
    pub bytes: usize,
    pub outcome: Outcome,
    pub http_status: Option<u16>,
    pub error: Option<String>,
    pub duration_ms: u64,
    /// No further attempt follows.
    pub last: bool,
}

/// One event inside a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Absent for payloads a test wrote itself.
    pub wamid: Option<Arc<str>>,
    /// `message`, `raw` or the status.
    pub event: &'static str,
}

/// A message that was marked as read.
#[derive(Clone, Debug, Serialize)]
pub struct ReadMark {
    pub seq: u64,
    pub at: DateTime<Utc>,
    pub phone_number_id: Arc<str>,
    pub wamid: String,
    /// Whether the typing indicator was shown with it.
    pub typing: bool,
}

/// Totals since the start or the last clearing. They count what the lists have forgotten too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    pub sends_accepted: u64,
    pub calls_rejected: u64,
    /// By error code; scripted failures without a code are under 0.
    pub rejected_by_code: BTreeMap<u32, u64>,
    pub read_marks: u64,
    pub inbound_messages: u64,
    pub statuses_emitted: u64,
    pub statuses_acknowledged: u64,
    pub delivery_attempts: u64,
    pub deliveries_acknowledged: u64,
    pub deliveries_given_up: u64,
    /// Events that had nowhere to go: their app has no callback URL.
    pub events_without_callback: u64,
    /// Events and retries waiting right now, and deliveries under way.
    pub webhooks_pending: usize,
}

/// A request body, byte for byte. Shown as JSON where it is JSON.
#[derive(Clone, Debug)]
pub struct RequestBody(pub Bytes);

impl Serialize for RequestBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serde_json::from_slice::<&RawValue>(&self.0) {
            Ok(json) => json.serialize(serializer),
            Err(_) => serializer.serialize_str(&String::from_utf8_lossy(&self.0)),
        }
    }
}
