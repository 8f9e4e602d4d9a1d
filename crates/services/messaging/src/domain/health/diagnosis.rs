//! What the values mean, for a person in front of a screen.

use chrono::{DateTime, TimeDelta, Utc};
use proto::messaging::v1::ChannelHealthState;

use super::{Health, Token, Webhooks};

/// A token that ends so soon should be replaced.
const TOKEN_SOON: TimeDelta = TimeDelta::days(7);
/// How long a request to reset the PIN is news.
const PIN_NEWS: TimeDelta = TimeDelta::days(7);
/// A number that can't be looked at for so long: what is known of it is old.
const STALE: TimeDelta = TimeDelta::hours(6);

/// How bad it is, and so the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Messages don't go or don't come.
    Critical,
    Warning,
    Info,
}

use Severity::{Critical, Info, Warning};

/// Something to be said of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    pub(crate) code: &'static str,
    pub(crate) severity: Severity,
    pub(crate) sentence: String,
    pub(crate) what_to_do: &'static str,
}

fn say(
    code: &'static str,
    severity: Severity,
    sentence: impl Into<String>,
    what_to_do: &'static str,
) -> Diagnosis {
    Diagnosis {
        code,
        severity,
        sentence: sentence.into(),
        what_to_do,
    }
}

/// Everything to be said, the worst first. `blocked`: why the channel has stopped sending.
pub(crate) fn diagnose(
    health: &Health,
    blocked: Option<&str>,
    now: DateTime<Utc>,
) -> Vec<Diagnosis> {
    let mut found = Vec::new();
    if let Some(reason) = blocked {
        found.push(say(
            "sending_stopped",
            Critical,
            format!("Nothing is sent from this number: {reason}"),
            "Mend what WhatsApp refuses, then give the number a new token or connect it again; what waits is sent then.",
        ));
    }
    found.extend(token(health, now));
    found.extend(webhooks(health));
    found.extend(number(health));
    found.extend(sending(health));
    found.extend(account(health, now));
    found.extend(name(health));
    found.extend(quality(health));
    found.extend(security(health, now));
    found.extend(looking(health, now));
    found.sort_by_key(|diagnosis| diagnosis.severity);
    found
}

/// All of it in one word.
pub(crate) fn state(health: &Health, found: &[Diagnosis]) -> ChannelHealthState {
    match found.first().map(|worst| worst.severity) {
        Some(Critical) => ChannelHealthState::Broken,
        Some(Warning) => ChannelHealthState::Attention,
        Some(Info) | None if health.checked_at.is_none() => ChannelHealthState::Unknown,
        Some(Info) | None => ChannelHealthState::Good,
    }
}

fn token(health: &Health, now: DateTime<Utc>) -> Option<Diagnosis> {
    match health.token {
        Token::Refused => {
            return Some(say(
                "token_refused",
                Critical,
                "WhatsApp no longer takes the access token of this number: it has ended or was revoked.",
                "Make a new token for the system user in Meta's business settings and give it to the number here.",
            ));
        }
        Token::NoAccess => {
            return Some(say(
                "token_without_access",
                Critical,
                "The access token is good, but it may not use this number.",
                "Share the WhatsApp account with the token's system user in Meta's business settings, or give the number another token.",
            ));
        }
        Token::Valid | Token::Unknown => {}
    }
    if !health.token_missing.is_empty() {
        let missing = health.token_missing.join(" and ");
        return Some(say(
            "token_permissions_missing",
            Critical,
            format!("The access token lacks the permission {missing}."),
            "Make a token with both WhatsApp permissions and give it to the number here.",
        ));
    }
    let ends = health
        .token_expires_at
        .filter(|at| *at < now + TOKEN_SOON)?;
    let sentence = format!("The access token ends on {}.", ends.format("%-d %B %Y"));
    Some(say(
        "token_ends_soon",
        Warning,
        sentence,
        "Give the number a new token before that day, best one that never ends.",
    ))
}

fn webhooks(health: &Health) -> Option<Diagnosis> {
    if health.webhooks == Webhooks::Missing {
        return Some(say(
            "webhooks_missing",
            Critical,
            "WhatsApp does not hand us what customers write to this number, nor what becomes of our messages.",
            "Connect the number again: that subscribes the app to its account.",
        ));
    }
    if health.webhook_host.is_empty() {
        return None;
    }
    Some(say(
        "webhooks_redirected",
        Info,
        format!(
            "WhatsApp sends what is written to this number to {}, an address set for it alone.",
            health.webhook_host
        ),
        "If that is not this installation's address, take the override away at Meta.",
    ))
}

fn number(health: &Health) -> Vec<Diagnosis> {
    let status = match health.number_status.as_str() {
        "banned" => Some(say(
            "number_banned",
            Critical,
            "WhatsApp has banned this number.",
            "Ask for a review in Meta's account quality; until then nothing can be sent.",
        )),
        "disconnected" | "pending" | "deleted" | "unverified" => Some(say(
            "number_not_connected",
            Critical,
            "The number is not registered with WhatsApp's Cloud API, or not any more.",
            "Register the number in the WhatsApp manager with its PIN.",
        )),
        "flagged" => Some(say(
            "number_flagged",
            Warning,
            "WhatsApp has flagged this number because customers blocked or reported it.",
            "Send fewer messages that nobody asked for. The flag goes when the quality is good for a week.",
        )),
        "restricted" | "rate_limited" => Some(say(
            "number_restricted",
            Warning,
            "The number has reached its limit: no more new conversations can be begun today.",
            "Wait a day, or begin fewer conversations; answers to customers still go.",
        )),
        _ => None,
    };
    let expired = matches!(
        health.code_verification.as_str(),
        "expired" | "not_verified"
    );
    let code = expired.then(|| {
        say(
            "number_not_verified",
            Info,
            "The proof that this number is yours has expired or was never given.",
            "Nothing while the number works; before it is registered again it must be verified by code.",
        )
    });
    status.into_iter().chain(code).collect()
}

fn sending(health: &Health) -> Option<Diagnosis> {
    // WhatsApp's own words, as far as it gives some.
    let why = health
        .obstacles
        .iter()
        .find(|it| !it.description.is_empty());
    let why = why.map(|it| format!(" WhatsApp says: {}", it.description));
    let why = why.unwrap_or_default();
    match health.can_send.as_str() {
        "blocked" => Some(say(
            "sending_blocked",
            Critical,
            format!("WhatsApp sends no messages from this number.{why}"),
            "Look at the obstacles, which name what must be changed at Meta.",
        )),
        "limited" => Some(say(
            "sending_limited",
            Warning,
            format!("WhatsApp sends only some of the messages from this number.{why}"),
            "Look at the obstacles, which name what must be changed at Meta.",
        )),
        _ => None,
    }
}

fn account(health: &Health, now: DateTime<Utc>) -> Vec<Diagnosis> {
    let mut found = Vec::new();
    match health.ban_state.as_str() {
        "disable" => found.push(say(
            "account_disabled",
            Critical,
            "Meta has disabled the WhatsApp account of this number.",
            "Ask for a review in Meta's account quality.",
        )),
        "schedule_for_disable" => found.push(say(
            "account_will_be_disabled",
            Critical,
            match health.ban_date.as_str() {
                "" => "Meta is about to disable the WhatsApp account of this number.".to_owned(),
                date => format!("Meta will disable the WhatsApp account of this number on {date}."),
            },
            "Ask for a review in Meta's account quality before that day.",
        )),
        _ => {}
    }
    match health.account_review.as_str() {
        "rejected" => found.push(say(
            "account_rejected",
            Critical,
            "Meta's review has rejected the WhatsApp account of this number.",
            "See why in Meta's account quality and ask for another review.",
        )),
        "pending" | "deferred" => found.push(say(
            "account_in_review",
            Info,
            "Meta is still reviewing the WhatsApp account of this number.",
            "",
        )),
        _ => {}
    }
    let mut restrictions = health.restrictions.iter();
    let restricted = restrictions.find(|it| it.expires_at.is_none_or(|ends| ends > now));
    if let Some(restriction) = restricted {
        let what = restricted_from(&restriction.kind);
        let until = restriction.expires_at;
        let until = until.map(|at| format!(" until {}", at.format("%-d %B %Y, %H:%M UTC")));
        found.push(say(
            "account_restricted",
            Warning,
            format!(
                "Meta does not let the account {what}{}.",
                until.unwrap_or_default()
            ),
            "See which rule was broken in Meta's account quality.",
        ));
    }
    found
}

fn restricted_from(kind: &str) -> &'static str {
    match kind {
        "restricted_biz_initiated_messaging" => "begin conversations",
        "restricted_customer_initiated_messaging" => "answer customers",
        "restricted_add_phone_number_action" => "add numbers",
        "restricted_direct_send_utility_templates" => "send utility templates",
        _ => "do everything it could before",
    }
}

fn name(health: &Health) -> Option<Diagnosis> {
    match health.name_status.as_str() {
        "declined" | "rejected" => Some(say(
            "name_declined",
            Warning,
            match health.name_reason.as_str() {
                "" => "Meta has declined the name that customers are to see.".to_owned(),
                reason => format!("Meta has declined the name that customers are to see: {reason}"),
            },
            "Choose a name that says who you are in the WhatsApp manager.",
        )),
        "expired" => Some(say(
            "name_expired",
            Warning,
            "The approval of the name that customers see was not used in time.",
            "Ask for the name again in the WhatsApp manager, then register the number again.",
        )),
        "pending_review" | "pending" => Some(say(
            "name_in_review",
            Info,
            "Meta is reviewing the name that customers are to see.",
            "",
        )),
        _ => None,
    }
}

fn quality(health: &Health) -> Vec<Diagnosis> {
    let mut found = Vec::new();
    match health.quality_rating.as_str() {
        "red" => found.push(say(
            "quality_low",
            Warning,
            "The quality of this number is low: many customers blocked or reported it.",
            "Stop what customers did not ask for, first of all marketing; the rating looks at the last seven days.",
        )),
        "yellow" => found.push(say(
            "quality_medium",
            Warning,
            "The quality of this number is falling: some customers blocked or reported it.",
            "See which templates customers complain about, and send them to fewer people.",
        )),
        _ => {}
    }
    if health.messaging_limit == "tier_250" {
        found.push(say(
            "limit_lowest",
            Info,
            "Only 250 customers a day can be written to who have not written first.",
            "Verify the business with Meta, which raises the limit to 2,000.",
        ));
    }
    found
}

fn security(health: &Health, now: DateTime<Utc>) -> Option<Diagnosis> {
    let asked = health.pin_reset_at.filter(|at| *at > now - PIN_NEWS)?;
    Some(say(
        "pin_reset_requested",
        Warning,
        format!(
            "Somebody asked on {} for the two-step PIN of this number to be reset.",
            asked.format("%-d %B %Y")
        ),
        "If it was none of you, somebody may be taking the number over: change the PIN and look at who has access to the Meta business.",
    ))
}

fn looking(health: &Health, now: DateTime<Utc>) -> Option<Diagnosis> {
    if health
        .failing_since
        .is_some_and(|since| since < now - STALE)
    {
        let why = match health.failure.as_str() {
            "rate_limited" => "WhatsApp takes no more questions from the app for now.".to_owned(),
            "refused" if !health.failure_hint.is_empty() => health.failure_hint.clone(),
            _ => "WhatsApp can't be reached.".to_owned(),
        };
        return Some(say(
            "not_looked_at",
            Warning,
            format!("What is shown here is old. {why}"),
            "It is tried again by itself; if it lasts, tell whoever runs this installation.",
        ));
    }
    health.checked_at.is_none().then(|| {
        say(
            "not_looked_at_yet",
            Info,
            "This number has not been looked at yet.",
            "",
        )
    })
}

#[cfg(test)]
mod tests;
