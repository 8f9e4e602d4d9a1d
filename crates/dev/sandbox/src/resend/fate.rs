//! What becomes of an e-mail after it was taken.

use std::time::Duration;

use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    address::Address,
    fault::{Fault, FaultKind},
    settings::EventSettings,
    team::Team,
};

/// Events about an e-mail.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EmailEvent {
    Sent,
    Delivered,
    Bounced,
    Complained,
    Suppressed,
    Failed,
}

impl EmailEvent {
    /// The word of `last_event`; webhooks say `email.` before it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Suppressed => "suppressed",
            Self::Failed => "failed",
        }
    }
}

/// Why Resend sends no more to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reason {
    PreviousBounce,
    PreviousComplaint,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Delivered,
    Bounced,
    Complained,
    Suppressed(Reason),
    Failed,
}

/// One event to come.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) event: EmailEvent,
    /// Since the e-mail was taken.
    pub(super) after: Duration,
    /// Whom it happens to.
    pub(super) to: Vec<String>,
    /// What the event carries besides: `bounce`, `suppressed`, `failed`.
    pub(super) extra: Option<(&'static str, Value)>,
    /// How often it is delivered.
    pub(super) copies: u32,
}

/// The events of an e-mail to these recipients. An address that bounces or complains is suppressed from then on.
pub(super) fn plan(
    recipients: &[Address],
    team: &Team,
    settings: &EventSettings,
    faults: &[Fault],
    rng: &mut StdRng,
) -> Vec<Planned> {
    let fates: Vec<_> = recipients
        .iter()
        .map(|to| (to.bare(), fate(to, team, faults)))
        .collect();
    let whose = |wanted: &dyn Fn(Fate) -> bool| -> Vec<String> {
        let chosen = fates.iter().filter(|(_, fate)| wanted(*fate));
        chosen.map(|(to, _)| to.clone()).collect()
    };
    let sent = settings.sent_ms.draw(rng);
    let delivered = sent + settings.delivered_ms.draw(rng);
    let complained = delivered + settings.complained_ms.draw(rng);
    let mut planned = Vec::new();
    let mut add = |event, after, to: Vec<String>, extra| {
        if !to.is_empty() {
            planned.push(Planned {
                event,
                after,
                to,
                extra,
                copies: 1,
            });
        }
    };
    for reason in [Reason::PreviousBounce, Reason::PreviousComplaint] {
        let to = whose(&|fate| fate == Fate::Suppressed(reason));
        add(EmailEvent::Suppressed, sent, to, Some(suppression(reason)));
    }
    let leaves = |fate| matches!(fate, Fate::Delivered | Fate::Bounced | Fate::Complained);
    add(EmailEvent::Sent, sent, whose(&leaves), None);
    let failed = whose(&|fate| fate == Fate::Failed);
    let failure = ("failed", json!({"reason": "reached_daily_quota"}));
    add(EmailEvent::Failed, sent, failed, Some(failure));
    let arrives = |fate| matches!(fate, Fate::Delivered | Fate::Complained);
    add(EmailEvent::Delivered, delivered, whose(&arrives), None);
    let bounced = whose(&|fate| fate == Fate::Bounced);
    add(EmailEvent::Bounced, delivered, bounced, Some(bounce()));
    let complaining = whose(&|fate| fate == Fate::Complained);
    add(EmailEvent::Complained, complained, complaining, None);
    for fault in faults {
        disturb(&mut planned, fault);
    }
    planned
}

fn fate(to: &Address, team: &Team, faults: &[Fault]) -> Fate {
    let scripted = faults.iter().find_map(|fault| match fault.kind {
        FaultKind::Bounced => Some(Fate::Bounced),
        FaultKind::Complained => Some(Fate::Complained),
        FaultKind::Failed => Some(Fate::Failed),
        _ => None,
    });
    if to.domain == "resend.dev" {
        // Resend's addresses for tests.
        return scripted.unwrap_or_else(|| match to.user() {
            "bounced" => Fate::Bounced,
            "complained" => Fate::Complained,
            "suppressed" => Fate::Suppressed(Reason::PreviousBounce),
            _ => Fate::Delivered,
        });
    }
    team.suppressed.with(|suppressed| {
        if let Some(reason) = suppressed.get(&to.bare()) {
            return Fate::Suppressed(*reason);
        }
        let fate = scripted.unwrap_or(Fate::Delivered);
        let reason = match fate {
            Fate::Bounced => Some(Reason::PreviousBounce),
            Fate::Complained => Some(Reason::PreviousComplaint),
            Fate::Delivered | Fate::Suppressed(_) | Fate::Failed => None,
        };
        if let Some(reason) = reason {
            suppressed.insert(to.bare(), reason);
        }
        fate
    })
}

fn bounce() -> (&'static str, Value) {
    let said = "The recipient's email provider sent a hard bounce message.";
    let answer = "smtp; 550 5.1.1 user unknown";
    let bounce = json!({"type": "Permanent", "subType": "General", "message": said,
        "diagnosticCode": [answer]});
    ("bounce", bounce)
}

fn suppression(reason: Reason) -> (&'static str, Value) {
    let said = "The recipient is on the suppression list of the account.";
    let suppressed = json!({"type": "OnAccountSuppressionList", "reason": reason,
        "message": said, "diagnosticCode": []});
    ("suppressed", suppressed)
}

fn disturb(planned: &mut Vec<Planned>, fault: &Fault) {
    match fault.kind {
        FaultKind::DuplicateEvents => {
            for event in planned {
                event.copies = fault.copies.unwrap_or(2).min(100);
            }
        }
        FaultKind::ReorderedEvents => {
            let times: Vec<_> = planned.iter().map(|event| event.after).collect();
            planned.reverse();
            for (event, after) in planned.iter_mut().zip(times) {
                event.after = after;
            }
        }
        FaultKind::DroppedEvents => planned.retain(|planned| {
            let dropped = fault.events.as_ref();
            dropped.is_some_and(|dropped| !dropped.contains(&planned.event))
        }),
        FaultKind::DelayedEvents => {
            let delay = Duration::from_millis(fault.delay_ms.unwrap_or(5_000));
            for event in planned {
                event.after += delay;
            }
        }
        _ => {}
    }
}
