//! What happens to a message after it was accepted.

use std::{collections::HashSet, time::Duration};

use chrono::{DateTime, Utc};
use rand::{Rng, rngs::StdRng};
use serde::Serialize;

use super::{
    error::title,
    fault::{Fault, FaultKind},
    ledger::Status,
    settings::StatusSettings,
};

/// What will become of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Sent, delivered and, if the customer lets it be known, read.
    Delivered { receipts: bool },
    /// Only `sent` follows a reaction.
    SentOnly,
    /// Fails with this code.
    Failed(u32),
}

/// One status to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) status: Status,
    /// Since the message was accepted.
    pub(super) after: Duration,
    /// Error code of a failure.
    pub(super) code: Option<u32>,
}

/// The life of a message as a list of statuses, scripted disturbances included.
pub(super) fn plan(
    fate: Fate,
    settings: &StatusSettings,
    faults: &[Fault],
    rng: &mut StdRng,
) -> Vec<Planned> {
    let fate = faults
        .iter()
        .find(|fault| fault.kind == FaultKind::FailedStatus)
        .map_or(fate, |fault| Fate::Failed(fault.code.unwrap_or(131_026)));
    // A failure that was scripted happens to a message that had been sent.
    let scripted = faults
        .iter()
        .any(|fault| fault.kind == FaultKind::FailedStatus);
    let mut planned = course(fate, scripted, settings, rng);
    for fault in faults {
        disturb(&mut planned, fault);
    }
    planned
}

fn course(
    fate: Fate,
    sent_first: bool,
    settings: &StatusSettings,
    rng: &mut StdRng,
) -> Vec<Planned> {
    let mut planned = Vec::with_capacity(3);
    let mut after = settings.sent_ms.draw(rng);
    let step = |status, after, code| Planned {
        status,
        after,
        code,
    };
    match fate {
        Fate::Failed(code) => {
            if sent_first {
                planned.push(step(Status::Sent, after, None));
                after += settings.delivered_ms.draw(rng);
            }
            planned.push(step(Status::Failed, after, Some(code)));
        }
        Fate::SentOnly => planned.push(step(Status::Sent, after, None)),
        Fate::Delivered { receipts } => {
            planned.push(step(Status::Sent, after, None));
            after += settings.delivered_ms.draw(rng);
            planned.push(step(Status::Delivered, after, None));
            if receipts && rng.random::<f64>() < settings.read_probability {
                after += settings.read_ms.draw(rng);
                planned.push(step(Status::Read, after, None));
            }
        }
    }
    planned
}

fn disturb(planned: &mut Vec<Planned>, fault: &Fault) {
    match fault.kind {
        FaultKind::DuplicateStatuses => {
            let copies = usize::try_from(fault.copies.unwrap_or(2).min(100)).unwrap_or(2);
            *planned = planned
                .iter()
                .flat_map(|status| std::iter::repeat_n(*status, copies))
                .enumerate()
                .map(|(index, status)| Planned {
                    // In different webhooks, as Meta's retries are, not side by side in one.
                    after: status.after + Duration::from_millis(10) * count(index % copies.max(1)),
                    ..status
                })
                .collect();
        }
        FaultKind::ReorderedStatuses => {
            let times: Vec<_> = planned.iter().map(|status| status.after).collect();
            planned.reverse();
            for (status, after) in planned.iter_mut().zip(times) {
                status.after = after;
            }
        }
        FaultKind::DroppedStatuses => {
            let dropped: Option<HashSet<_>> = fault
                .statuses
                .as_ref()
                .map(|statuses| statuses.iter().copied().collect());
            planned.retain(|status| {
                dropped
                    .as_ref()
                    .is_some_and(|dropped| !dropped.contains(&status.status))
            });
        }
        FaultKind::DelayedStatuses => {
            let delay = Duration::from_millis(fault.delay_ms.unwrap_or(5_000));
            for status in planned {
                status.after += delay;
            }
        }
        FaultKind::StatusesBeforeResponse => {
            for (index, status) in planned.iter_mut().enumerate() {
                status.after = Duration::from_millis(10) * count(index);
            }
        }
        _ => {}
    }
}

fn count(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// How long the answer waits so that statuses overtake it.
pub(super) fn answer_held_for(faults: &[Fault]) -> Option<Duration> {
    faults
        .iter()
        .find(|fault| fault.kind == FaultKind::StatusesBeforeResponse)
        .map(|fault| Duration::from_millis(fault.delay_ms.unwrap_or(300)))
}

/// What a message cost, as `sent` and `delivered` say it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Pricing {
    billable: bool,
    #[serde(rename = "pricing_model")]
    model: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    category: String,
}

impl Pricing {
    /// `category` in lower case: marketing, utility, authentication or service.
    pub(super) fn of(category: String, window_open: bool, now: DateTime<Utc>) -> Self {
        // Meta: free inside the window until 2026-09-30, charged like any other since.
        let free = now.timestamp() < CHARGED_SINCE
            && window_open
            && matches!(category.as_str(), "service" | "utility");
        Self {
            billable: !free,
            model: "PMP",
            kind: if free {
                "free_customer_service"
            } else {
                "regular"
            },
            category,
        }
    }
}

/// 2026-10-01T00:00:00Z.
const CHARGED_SINCE: i64 = 1_790_812_800;

/// The error inside a `failed` status.
#[derive(Clone, Debug, Serialize)]
pub(super) struct StatusError {
    code: u32,
    title: &'static str,
    message: &'static str,
    error_data: ErrorData,
    href: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct ErrorData {
    details: String,
}

impl StatusError {
    pub(super) fn of(code: u32, details: Option<&str>) -> Self {
        let title = title(code);
        Self {
            code,
            title,
            message: title,
            error_data: ErrorData {
                details: details.unwrap_or_else(|| usual_details(code)).to_owned(),
            },
            href: "/documentation/business-messaging/whatsapp/support/error-codes",
        }
    }
}

fn usual_details(code: u32) -> &'static str {
    match code {
        131_026 => "Message Undeliverable.",
        131_047 => {
            "Message failed to send because more than 24 hours have passed since the customer \
             last replied to this number."
        }
        131_049 => {
            "In order to maintain a healthy ecosystem engagement, the message failed to be \
             delivered."
        }
        131_050 => "Recipient has chosen to stop receiving marketing messages on WhatsApp.",
        _ => title(code),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use rand::SeedableRng;

    use super::*;

    const READ: Fate = Fate::Delivered { receipts: true };

    fn statuses(faults: &[Fault]) -> Vec<Status> {
        let mut rng = StdRng::seed_from_u64(1);
        let mut planned = plan(READ, &StatusSettings::default(), faults, &mut rng);
        planned.sort_by_key(|status| status.after);
        planned.into_iter().map(|status| status.status).collect()
    }

    #[test]
    fn a_message_is_sent_delivered_and_read_in_that_order() {
        assert_eq!(
            statuses(&[]),
            [Status::Sent, Status::Delivered, Status::Read]
        );
    }

    #[test]
    fn scripted_disturbances_can_be_combined() {
        let reordered = Fault::new(FaultKind::ReorderedStatuses);
        let mut dropped = Fault::new(FaultKind::DroppedStatuses);
        dropped.statuses = Some(vec![Status::Delivered]);
        assert_eq!(
            statuses(&[reordered, dropped]),
            [Status::Read, Status::Sent]
        );
        let duplicated = Fault::new(FaultKind::DuplicateStatuses);
        assert_eq!(statuses(&[duplicated]).len(), 6);
        assert_eq!(statuses(&[Fault::new(FaultKind::DroppedStatuses)]), []);
        assert_eq!(
            statuses(&[Fault::new(FaultKind::FailedStatus)]),
            [Status::Sent, Status::Failed]
        );
    }

    #[test]
    fn service_messages_are_free_in_the_window_until_october_2026() {
        let before = Utc.timestamp_opt(CHARGED_SINCE - 1, 0).unwrap();
        let after = Utc.timestamp_opt(CHARGED_SINCE, 0).unwrap();
        assert!(!Pricing::of("service".into(), true, before).billable);
        assert!(Pricing::of("service".into(), true, after).billable);
        assert!(Pricing::of("marketing".into(), true, before).billable);
    }
}
