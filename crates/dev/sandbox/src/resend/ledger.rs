//! What happened, for tests and demos to read: every e-mail that was taken, every refusal, every webhook.

mod links;
mod record;

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::fate::EmailEvent;
use crate::{callback::Outcome, journal::Journal, locked::Locked};
pub(super) use links::links;
pub use record::{Counters, Delivery, EmittedEvent, Mail, Rejection};

/// Which entries are wanted. Absent fields match everything.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// A recipient, without a name.
    pub to: Option<String>,
    pub team: Option<String>,
    /// Part of the subject.
    pub subject: Option<String>,
    pub email_id: Option<String>,
    pub idempotency_key: Option<String>,
    /// Name of a rejection's error.
    pub name: Option<String>,
    pub outcome: Option<Outcome>,
    /// Only entries with a higher sequence number.
    pub after: Option<u64>,
    /// Most entries returned, 1 to 100,000. Default 100 over HTTP, all of them in process.
    pub limit: Option<usize>,
}

/// The mailbox, rejections and webhook deliveries, each list capped, and exact counters.
#[derive(Debug)]
pub struct Ledger {
    mails: Locked<Mails>,
    rejections: Locked<Journal<Rejection>>,
    deliveries: Locked<Journal<Delivery>>,
    counters: Locked<Counters>,
}

#[derive(Debug)]
struct Mails {
    journal: Journal<Mail>,
    by_id: HashMap<Arc<str>, u64>,
}

impl Ledger {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            mails: Locked::new(Mails {
                journal: Journal::new(capacity),
                by_id: HashMap::new(),
            }),
            rejections: Locked::new(Journal::new(capacity)),
            deliveries: Locked::new(Journal::new(capacity)),
            counters: Locked::default(),
        }
    }

    /// E-mails that were taken, oldest first.
    pub fn mailbox(&self, filter: &Filter) -> Vec<Mail> {
        self.mails.with(|mails| {
            select(&mails.journal, filter, |mail| {
                let part = filter.subject.as_deref();
                filter.to.as_deref().is_none_or(|to| mail.is_to(to))
                    && is(filter.team.as_ref(), &mail.team)
                    && part.is_none_or(|part| mail.subject.contains(part))
                    && is(filter.email_id.as_ref(), &mail.id)
                    && maybe_is(
                        filter.idempotency_key.as_ref(),
                        mail.idempotency_key.as_ref(),
                    )
            })
        })
    }

    /// The e-mail with this id.
    pub fn find_mail(&self, id: &str) -> Option<Mail> {
        self.mails.with(|mails| {
            let number = *mails.by_id.get(id)?;
            mails.journal.get_mut(number).cloned()
        })
    }

    /// Refused calls, oldest first.
    pub fn rejections(&self, filter: &Filter) -> Vec<Rejection> {
        self.rejections.with(|journal| {
            select(journal, filter, |entry| {
                filter.to.as_ref().is_none_or(|to| entry.to.contains(to))
                    && maybe_is(filter.team.as_ref(), entry.team.as_ref())
                    && maybe_is(
                        filter.idempotency_key.as_ref(),
                        entry.idempotency_key.as_ref(),
                    )
                    && maybe_is(filter.name.as_ref(), entry.name.as_ref())
            })
        })
    }

    /// Webhook delivery attempts, oldest first.
    pub fn deliveries(&self, filter: &Filter) -> Vec<Delivery> {
        self.deliveries.with(|journal| {
            select(journal, filter, |entry| {
                is(filter.email_id.as_ref(), &entry.email_id)
                    && filter.outcome.is_none_or(|wanted| entry.outcome == wanted)
            })
        })
    }

    /// Empties the lists and zeroes the counters.
    pub fn clear(&self) {
        self.mails.with(|mails| {
            mails.journal.clear();
            mails.by_id.clear();
        });
        self.rejections.with(Journal::clear);
        self.deliveries.with(Journal::clear);
        self.counters
            .with(|counters| *counters = Counters::default());
    }

    pub(super) fn counters(&self) -> Counters {
        self.counters.with(|counters| counters.clone())
    }

    pub(super) fn accept(&self, mail: Mail) {
        self.mails.with(|mails| {
            let id = Arc::clone(&mail.id);
            let (number, evicted) = mails.journal.push(|seq| Mail { seq, ..mail });
            mails.by_id.insert(id, number);
            if let Some(old) = evicted {
                mails.by_id.remove(&old.id);
            }
        });
        self.counters.with(|counters| counters.emails_accepted += 1);
    }

    pub(super) fn replayed(&self) {
        self.counters.with(|counters| counters.calls_replayed += 1);
    }

    pub(super) fn reject(&self, rejection: Rejection) {
        let name = rejection.name.clone().unwrap_or_default();
        self.rejections.with(|journal| {
            journal.push(|seq| Rejection { seq, ..rejection });
        });
        self.counters.with(|counters| {
            counters.calls_rejected += 1;
            *counters.rejected_by_name.entry(name).or_default() += 1;
        });
    }

    pub(super) fn emitted(&self, id: &str, event: EmailEvent, at: DateTime<Utc>) {
        self.change(id, |mail| {
            mail.last_event = event.as_str();
            mail.events.push(EmittedEvent {
                event,
                emitted_at: at,
                acknowledged: false,
            });
        });
        self.counters.with(|counters| counters.events_emitted += 1);
    }

    /// Records a delivery attempt.
    pub(super) fn delivered(&self, delivery: Delivery) {
        let acknowledged = delivery.outcome == Outcome::Acknowledged;
        if acknowledged {
            self.change(&delivery.email_id, |mail| {
                let mut events = mail.events.iter_mut();
                if let Some(known) = events.find(|known| known.event == delivery.event) {
                    known.acknowledged = true;
                }
            });
        }
        self.counters.with(|counters| {
            counters.delivery_attempts += 1;
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

    fn change(&self, id: &str, change: impl FnOnce(&mut Mail)) {
        self.mails.with(|mails| {
            let number = mails.by_id.get(id).copied();
            if let Some(mail) = number.and_then(|number| mails.journal.get_mut(number)) {
                change(mail);
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

fn is(wanted: Option<&String>, actual: &str) -> bool {
    wanted.is_none_or(|wanted| wanted == actual)
}

fn maybe_is(wanted: Option<&String>, actual: Option<&String>) -> bool {
    wanted.is_none() || wanted == actual
}
