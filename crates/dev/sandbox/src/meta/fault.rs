//! Scripted failures: a queue of rules, the first that fits a call is used up by it.

mod kind;
mod play;

use std::sync::atomic::{AtomicUsize, Ordering};

use rand::{Rng, rngs::StdRng};
use serde::{Deserialize, Serialize};

use super::{identifiers::digits, ledger::Status};
use crate::locked::Locked;
pub use kind::FaultKind;
pub(super) use play::{answer_without_accepting, disturb};

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
pub(super) struct Subject {
    pub(super) call: Call,
    pub(super) phone_number_id: Option<String>,
    pub(super) to: Option<String>,
    pub(super) message_type: Option<String>,
    pub(super) opaque: Option<String>,
}

/// A rule and how much of it is left.
#[derive(Clone, Debug, Serialize)]
pub struct FaultRule {
    pub id: u64,
    #[serde(flatten)]
    pub fault: Fault,
    /// `null`: until removed.
    pub left: Option<u32>,
    pub struck: u64,
    #[serde(skip)]
    to_skip: u32,
}

impl FaultRule {
    fn strikes(&mut self, subject: &Subject, rng: &Locked<StdRng>) -> bool {
        if self.left == Some(0) || !self.fault.fits(subject) {
            return false;
        }
        if self.to_skip > 0 {
            self.to_skip -= 1;
            return false;
        }
        if self.fault.probability < 1.0 && rng.with(StdRng::random::<f64>) >= self.fault.probability
        {
            return false;
        }
        self.left = self.left.map(|left| left - 1);
        self.struck += 1;
        true
    }
}

/// All rules, in the order they were added.
#[derive(Debug, Default)]
pub(super) struct Faults {
    rules: Locked<Rules>,
    /// Spares the lock when nothing is scripted, which is most of the time.
    count: AtomicUsize,
}

#[derive(Debug, Default)]
struct Rules {
    list: Vec<FaultRule>,
    last_id: u64,
}

/// A fault that has struck.
#[derive(Clone, Debug)]
pub(super) struct Struck {
    rule_id: u64,
    pub(super) fault: Fault,
}

impl Faults {
    pub(super) fn add(&self, fault: Fault) -> u64 {
        self.rules.with(|rules| {
            rules.last_id += 1;
            rules.list.push(FaultRule {
                id: rules.last_id,
                left: (fault.times > 0).then_some(fault.times),
                struck: 0,
                to_skip: fault.skip,
                fault,
            });
            self.count.store(rules.list.len(), Ordering::Release);
            rules.last_id
        })
    }

    pub(super) fn list(&self) -> Vec<FaultRule> {
        self.rules.with(|rules| rules.list.clone())
    }

    /// Removes one rule, or all. Returns how many went.
    pub(super) fn remove(&self, id: Option<u64>) -> usize {
        self.rules.with(|rules| {
            let before = rules.list.len();
            rules.list.retain(|rule| id.is_some_and(|id| rule.id != id));
            self.count.store(rules.list.len(), Ordering::Release);
            before - rules.list.len()
        })
    }

    /// The first rule about answers that strikes this call.
    pub(super) fn strike_answer(&self, subject: &Subject, rng: &Locked<StdRng>) -> Option<Struck> {
        self.strike(subject, rng, false).into_iter().next()
    }

    /// Every rule about statuses that strikes this message.
    pub(super) fn strike_statuses(&self, subject: &Subject, rng: &Locked<StdRng>) -> Vec<Fault> {
        let struck = self.strike(subject, rng, true);
        struck.into_iter().map(|struck| struck.fault).collect()
    }

    fn strike(&self, subject: &Subject, rng: &Locked<StdRng>, statuses: bool) -> Vec<Struck> {
        if self.count.load(Ordering::Acquire) == 0 {
            return Vec::new();
        }
        self.rules.with(|rules| {
            let mut struck = Vec::new();
            for rule in &mut rules.list {
                let same_family = rule.fault.kind.is_about_statuses() == statuses;
                if same_family && rule.strikes(subject, rng) {
                    struck.push(Struck {
                        rule_id: rule.id,
                        fault: rule.fault.clone(),
                    });
                    if !statuses {
                        break;
                    }
                }
            }
            struck
        })
    }

    /// Gives back a strike that came to nothing because the call was refused anyway.
    pub(super) fn give_back(&self, struck: &Struck) {
        self.rules.with(|rules| {
            if let Some(rule) = rules.list.iter_mut().find(|rule| rule.id == struck.rule_id) {
                rule.left = rule.left.map(|left| left + 1);
                rule.struck -= 1;
            }
        });
    }
}
