//! What happened, for tests to read: the oracle of "nothing lost, nothing doubled".

mod record;

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use crate::callback::Outcome;
use crate::{journal::Journal, locked::Locked};
pub use record::{Counters, Delivery, EmittedStatus, Item, ReadMark, Rejection, RequestBody, Send};

/// Statuses of a message.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Sent,
    Delivered,
    Read,
    Played,
    Failed,
}

impl Status {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Played => "played",
            Self::Failed => "failed",
        }
    }
}

/// Which entries of the ledger are wanted. Absent fields match everything.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    pub phone_number_id: Option<String>,
    /// The recipient as written, or its digits.
    pub to: Option<String>,
    pub wamid: Option<String>,
    pub opaque: Option<String>,
    pub opaque_prefix: Option<String>,
    #[serde(rename = "type")]
    pub message_type: Option<String>,
    /// Error code of a rejection.
    pub code: Option<u32>,
    pub app_id: Option<String>,
    pub outcome: Option<Outcome>,
    /// Only entries with a higher sequence number.
    pub after: Option<u64>,
    /// Most entries returned, 1 to 100,000. Default 100 over HTTP, all of them in process.
    pub limit: Option<usize>,
}

/// Sends, rejections, webhook deliveries and read marks, each list capped, and exact counters.
#[derive(Debug)]
pub struct Ledger {
    bodies: bool,
    sends: Locked<Sends>,
    rejections: Locked<Journal<Rejection>>,
    deliveries: Locked<Journal<Delivery>>,
    read_marks: Locked<Journal<ReadMark>>,
    counters: Locked<Counters>,
}

#[derive(Debug)]
struct Sends {
    journal: Journal<Send>,
    by_wamid: HashMap<Arc<str>, u64>,
}

impl Ledger {
    pub(super) fn new(capacity: usize, bodies: bool) -> Self {
        Self {
            bodies,
            sends: Locked::new(Sends {
                journal: Journal::new(capacity),
                by_wamid: HashMap::new(),
            }),
            rejections: Locked::new(Journal::new(capacity)),
            // Each holds the ids of everything in its batch.
            deliveries: Locked::new(Journal::new((capacity / 10).max(1_000))),
            read_marks: Locked::new(Journal::new(capacity)),
            counters: Locked::default(),
        }
    }

    /// Accepted messages, oldest first.
    pub fn sends(&self, filter: &Filter) -> Vec<Send> {
        self.sends.with(|sends| {
            select(&sends.journal, filter, |send| {
                is(filter.phone_number_id.as_deref(), &send.phone_number_id)
                    && filter
                        .to
                        .as_deref()
                        .is_none_or(|to| to == send.to || to == send.wa_id)
                    && is(filter.wamid.as_deref(), &send.wamid)
                    && opaque_matches(filter, send.opaque.as_deref())
                    && is(filter.message_type.as_deref(), &send.message_type)
            })
        })
    }

    /// The accepted message with this id.
    pub fn find_send(&self, wamid: &str) -> Option<Send> {
        self.sends.with(|sends| {
            let number = *sends.by_wamid.get(wamid)?;
            sends.journal.get_mut(number).cloned()
        })
    }

    /// Refused calls, oldest first.
    pub fn rejections(&self, filter: &Filter) -> Vec<Rejection> {
        self.rejections.with(|journal| {
            select(journal, filter, |entry| {
                filter
                    .phone_number_id
                    .as_ref()
                    .is_none_or(|id| entry.phone_number_id.as_ref() == Some(id))
                    && filter
                        .to
                        .as_ref()
                        .is_none_or(|to| entry.to.as_ref() == Some(to))
                    && opaque_matches(filter, entry.opaque.as_deref())
                    && filter.code.is_none_or(|code| entry.code == Some(code))
            })
        })
    }

    /// Webhook delivery attempts, oldest first.
    pub fn deliveries(&self, filter: &Filter) -> Vec<Delivery> {
        self.deliveries.with(|journal| {
            select(journal, filter, |entry| {
                is(filter.app_id.as_deref(), &entry.app_id)
                    && filter.outcome.is_none_or(|wanted| entry.outcome == wanted)
                    && filter.wamid.as_deref().is_none_or(|wamid| {
                        entry
                            .items
                            .iter()
                            .any(|item| item.wamid.as_deref() == Some(wamid))
                    })
            })
        })
    }

    /// Read marks, oldest first.
    pub fn read_marks(&self, filter: &Filter) -> Vec<ReadMark> {
        self.read_marks.with(|journal| {
            select(journal, filter, |entry| {
                is(filter.phone_number_id.as_deref(), &entry.phone_number_id)
                    && is(filter.wamid.as_deref(), &entry.wamid)
            })
        })
    }

    /// Empties the lists and zeroes the counters.
    pub fn clear(&self) {
        self.sends.with(|sends| {
            sends.journal.clear();
            sends.by_wamid.clear();
        });
        self.rejections.with(Journal::clear);
        self.deliveries.with(Journal::clear);
        self.read_marks.with(Journal::clear);
        self.counters
            .with(|counters| *counters = Counters::default());
    }

    pub(super) fn counters(&self) -> Counters {
        self.counters.with(|counters| counters.clone())
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Counters)) {
        self.counters.with(change);
    }

    pub(super) fn accept(&self, mut send: Send) {
        if !self.bodies {
            send.body = None;
        }
        self.sends.with(|sends| {
            let wamid = Arc::clone(&send.wamid);
            let (number, evicted) = sends.journal.push(|seq| Send { seq, ..send });
            sends.by_wamid.insert(wamid, number);
            if let Some(old) = evicted {
                sends.by_wamid.remove(&old.wamid);
            }
        });
        self.count(|counters| counters.sends_accepted += 1);
    }

    pub(super) fn reject(&self, rejection: Rejection) {
        let code = rejection.code.unwrap_or(0);
        self.rejections.with(|journal| {
            journal.push(|seq| Rejection { seq, ..rejection });
        });
        self.count(|counters| {
            counters.calls_rejected += 1;
            *counters.rejected_by_code.entry(code).or_default() += 1;
        });
    }

    pub(super) fn mark_read(&self, mark: ReadMark) {
        self.read_marks.with(|journal| {
            journal.push(|seq| ReadMark { seq, ..mark });
        });
        self.count(|counters| counters.read_marks += 1);
    }

    pub(super) fn emitted(
        &self,
        wamid: &str,
        status: Status,
        app_id: &Arc<str>,
        at: DateTime<Utc>,
    ) {
        self.change_send(wamid, |send| {
            send.statuses.push(EmittedStatus {
                status,
                app_id: Arc::clone(app_id),
                emitted_at: at,
                acknowledged: false,
            });
        });
        self.count(|counters| counters.statuses_emitted += 1);
    }

    /// Records a delivery attempt and, when it succeeded, what it acknowledged.
    pub(super) fn delivered(&self, delivery: Delivery) {
        let acknowledged = delivery.outcome == Outcome::Acknowledged;
        let mut statuses = 0;
        if acknowledged {
            for item in &delivery.items {
                let Some(wamid) = &item.wamid else { continue };
                if item.event == "message" {
                    continue;
                }
                statuses += 1;
                self.change_send(wamid, |send| {
                    let emitted = send.statuses.iter_mut().find(|known| {
                        !known.acknowledged
                            && known.status.as_str() == item.event
                            && known.app_id == delivery.app_id
                    });
                    if let Some(emitted) = emitted {
                        emitted.acknowledged = true;
                    }
                });
            }
        }
        self.count(|counters| {
            counters.delivery_attempts += 1;
            counters.statuses_acknowledged += statuses;
            if acknowledged {
                counters.deliveries_acknowledged += 1;
            } else if delivery.last {
                counters.deliveries_given_up += 1;
            }
        });
        self.deliveries.with(|journal| {
            journal.push(|seq| Delivery { seq, ..delivery });
        });
    }

    fn change_send(&self, wamid: &str, change: impl FnOnce(&mut Send)) {
        self.sends.with(|sends| {
            let number = sends.by_wamid.get(wamid).copied();
            if let Some(send) = number.and_then(|number| sends.journal.get_mut(number)) {
                change(send);
            }
        });
    }
}

fn select<T: Clone>(journal: &Journal<T>, filter: &Filter, wanted: impl Fn(&T) -> bool) -> Vec<T> {
    journal
        .after(filter.after.unwrap_or(0))
        .filter(|entry| wanted(entry))
        .take(filter.limit.unwrap_or(usize::MAX))
        .cloned()
        .collect()
}

fn is(wanted: Option<&str>, actual: &str) -> bool {
    wanted.is_none_or(|wanted| wanted == actual)
}

fn opaque_matches(filter: &Filter, opaque: Option<&str>) -> bool {
    filter
        .opaque
        .as_deref()
        .is_none_or(|wanted| opaque == Some(wanted))
        && filter
            .opaque_prefix
            .as_deref()
            .is_none_or(|prefix| opaque.is_some_and(|opaque| opaque.starts_with(prefix)))
}
