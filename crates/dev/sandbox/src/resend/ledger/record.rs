//! The entries of the ledger, as the control API shows them.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{
    callback::Outcome,
    resend::{Call, address::Address, fate::EmailEvent},
};

/// An e-mail Resend has taken: from here on it is on its way, whatever the sender was told.
#[derive(Clone, Debug, Serialize)]
pub struct Mail {
    pub seq: u64,
    pub id: Arc<str>,
    pub team: Arc<str>,
    pub from: String,
    pub to: Vec<String>,
    pub cc: Vec<String>,
    pub bcc: Vec<String>,
    pub reply_to: Vec<String>,
    pub subject: String,
    pub html: Option<String>,
    pub text: Option<String>,
    /// The web addresses in `text` and `html`, in their order, each once.
    pub links: Vec<String>,
    pub tags: BTreeMap<String, String>,
    pub idempotency_key: Option<String>,
    pub accepted_at: DateTime<Utc>,
    /// What the caller saw: `returned`, or the scripted failure.
    pub answer: &'static str,
    pub last_event: &'static str,
    pub events: Vec<EmittedEvent>,
}

impl Mail {
    /// Whether somebody with this address gets it, whatever the name.
    pub(super) fn is_to(&self, wanted: &str) -> bool {
        let wanted = Address::parse(wanted);
        let all = self.to.iter().chain(&self.cc).chain(&self.bcc);
        wanted.is_some() && all.map(|to| Address::parse(to)).any(|to| to == wanted)
    }
}

/// An event that came to pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EmittedEvent {
    pub event: EmailEvent,
    pub emitted_at: DateTime<Utc>,
    /// Whether an endpoint has answered a delivery of it with success.
    pub acknowledged: bool,
}

/// A call that was refused, or failed by script before anything was taken.
#[derive(Clone, Debug, Serialize)]
pub struct Rejection {
    pub seq: u64,
    pub at: DateTime<Utc>,
    pub call: Call,
    pub team: Option<String>,
    pub to: Vec<String>,
    pub idempotency_key: Option<String>,
    /// 0 when no answer was given at all.
    pub http_status: u16,
    pub name: Option<String>,
    pub message: Option<String>,
    /// The scripted failure, if it was one.
    pub fault: Option<&'static str>,
}

/// One attempt to deliver one event to one endpoint.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    pub seq: u64,
    pub at: DateTime<Utc>,
    /// The same for all attempts.
    pub svix_id: String,
    /// From 1.
    pub attempt: usize,
    pub url: String,
    pub event: EmailEvent,
    pub email_id: Arc<str>,
    pub outcome: Outcome,
    pub http_status: Option<u16>,
    pub error: Option<String>,
    /// No further attempt follows.
    pub last: bool,
}

/// Totals since the start or the last clearing. They count what the lists have forgotten too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    pub emails_accepted: u64,
    /// Repetitions that got the answer of the first call.
    pub calls_replayed: u64,
    pub calls_rejected: u64,
    /// By the error's name; scripted failures without one are under the empty name.
    pub rejected_by_name: BTreeMap<String, u64>,
    pub events_emitted: u64,
    pub delivery_attempts: u64,
    pub deliveries_acknowledged: u64,
    pub deliveries_given_up: u64,
    /// Events to come, and deliveries waiting or under way.
    pub webhooks_pending: usize,
}
