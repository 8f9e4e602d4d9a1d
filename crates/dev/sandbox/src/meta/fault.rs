//! Scripted failures of the Graph API.

mod kind;
mod play;

use serde::{Deserialize, Serialize};

use super::{identifiers::digits, ledger::Status};
use crate::faults::{Repeats, Rule, Scripted};
pub use kind::FaultKind;
pub(super) use play::{answer_without_accepting, disturb};

/// A scripted failure and how much of it is left.
pub type FaultRule = Rule<Fault>;

/// The calls a fault can be aimed at.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    #[default]
    Messages,
    MarkRead,
    MediaUpload,
    MediaUrl,
    MediaDownload,
    MediaDelete,
    BlockUsers,
    /// Numbers, accounts, templates, subscriptions, tokens.
    Management,
}

/// One rule: `POST /_sandbox/faults`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub kind: FaultKind,
    #[serde(default)]
    pub call: Call,
    /// Only calls of this number.
    #[serde(default)]
    pub phone_number_id: Option<String>,
    /// Only messages to this recipient, in any notation.
    #[serde(default)]
    pub to: Option<String>,
    /// Only messages of this type.
    #[serde(default, rename = "type")]
    pub message_type: Option<String>,
    /// Only messages whose `biz_opaque_callback_data` begins with this.
    #[serde(default)]
    pub opaque_prefix: Option<String>,
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
    #[serde(default)]
    pub code: Option<u32>,
    #[serde(default)]
    pub subcode: Option<u32>,
    #[serde(default)]
    pub http_status: Option<u16>,
    #[serde(default)]
    pub details: Option<String>,
    #[serde(default)]
    pub copies: Option<u32>,
    #[serde(default)]
    pub statuses: Option<Vec<Status>>,
}

const fn once() -> u32 {
    1
}

const fn always() -> f64 {
    1.0
}

impl Fault {
    /// `kind`, once, for the next message of any number.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            call: Call::Messages,
            phone_number_id: None,
            to: None,
            message_type: None,
            opaque_prefix: None,
            times: 1,
            skip: 0,
            probability: 1.0,
            delay_ms: None,
            code: None,
            subcode: None,
            http_status: None,
            details: None,
            copies: None,
            statuses: None,
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
        !self.kind.is_about_statuses()
    }

    fn fits(&self, subject: &Subject) -> bool {
        self.call == subject.call
            && fits_exactly(
                self.phone_number_id.as_deref(),
                subject.phone_number_id.as_deref(),
            )
            && fits_exactly(
                self.message_type.as_deref(),
                subject.message_type.as_deref(),
            )
            && self.to.as_deref().is_none_or(|wanted| {
                subject.to.as_deref().is_some_and(|to| {
                    to == wanted || (digits(to).is_some() && digits(to) == digits(wanted))
                })
            })
            && self.opaque_prefix.as_deref().is_none_or(|prefix| {
                subject
                    .opaque
                    .as_deref()
                    .is_some_and(|opaque| opaque.starts_with(prefix))
            })
    }
}

fn fits_exactly(wanted: Option<&str>, actual: Option<&str>) -> bool {
    wanted.is_none() || wanted == actual
}

/// The call a fault may strike.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    pub(super) call: Call,
    pub(super) phone_number_id: Option<String>,
    pub(super) to: Option<String>,
    pub(super) message_type: Option<String>,
    pub(super) opaque: Option<String>,
}
