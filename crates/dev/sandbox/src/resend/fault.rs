//! Scripted failures of Resend.

mod kind;
mod play;

use serde::{Deserialize, Serialize};

use super::fate::EmailEvent;
use crate::faults::{Repeats, Rule, Scripted};
pub use kind::FaultKind;
pub(super) use play::{answer_without_accepting, disturb};

/// A scripted failure and how much of it is left.
pub type FaultRule = Rule<Fault>;

/// The calls a fault can be aimed at.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// `POST /emails`.
    #[default]
    Send,
    /// `POST /emails/batch`.
    SendBatch,
    /// `GET /emails/{id}`.
    Retrieve,
    /// Anything else, which Resend has and the sandbox has not.
    Unknown,
}

/// One rule: `POST /_sandbox/resend/faults`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub kind: FaultKind,
    #[serde(default)]
    pub call: Call,
    /// Only e-mails with this recipient, without a name.
    #[serde(default)]
    pub to: Option<String>,
    /// Only e-mails whose idempotency key begins with this.
    #[serde(default)]
    pub key_prefix: Option<String>,
    /// How often it strikes; 0 for until it is removed.
    #[serde(default = "once")]
    pub times: u32,
    /// Fitting calls to let pass first.
    #[serde(default)]
    pub skip: u32,
    /// Chance of striking at each fitting call.
    #[serde(default = "always")]
    pub probability: f64,
    #[serde(default)]
    pub delay_ms: Option<u64>,
    /// Name of an `api_error`.
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub http_status: Option<u16>,
    #[serde(default)]
    pub message: Option<String>,
    #[serde(default)]
    pub copies: Option<u32>,
    #[serde(default)]
    pub events: Option<Vec<EmailEvent>>,
}

const fn once() -> u32 {
    1
}

const fn always() -> f64 {
    1.0
}

impl Fault {
    /// `kind`, once, for the next e-mail of any team.
    pub const fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            call: Call::Send,
            to: None,
            key_prefix: None,
            times: 1,
            skip: 0,
            probability: 1.0,
            delay_ms: None,
            name: None,
            http_status: None,
            message: None,
            copies: None,
            events: None,
        }
    }
}

impl Scripted for Fault {
    type Subject = Subject;

    fn repeats(&self) -> Repeats {
        Repeats {
            times: self.times,
            skip: self.skip,
            probability: self.probability,
        }
    }

    fn is_about_answers(&self) -> bool {
        !self.kind.is_about_events()
    }

    fn fits(&self, subject: &Subject) -> bool {
        let to = self.to.as_ref();
        let prefix = self.key_prefix.as_deref();
        self.call == subject.call
            && to.is_none_or(|wanted| subject.to.contains(wanted))
            && prefix.is_none_or(|prefix| {
                let key = subject.idempotency_key.as_deref();
                key.is_some_and(|key| key.starts_with(prefix))
            })
    }
}

/// The call a fault may strike.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    pub(super) call: Call,
    pub(super) team: Option<String>,
    /// Recipients without names, of all e-mails of a batch.
    pub(super) to: Vec<String>,
    pub(super) idempotency_key: Option<String>,
}
