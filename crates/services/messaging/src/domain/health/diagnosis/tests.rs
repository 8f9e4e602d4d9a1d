use std::collections::HashSet;

use super::*;
use crate::domain::health::{Obstacle, Restriction};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_770_000_000, 0).expect("a time")
}

/// A number with which nothing is wrong.
fn good() -> Health {
    Health {
        number_status: "connected".to_owned(),
        quality_rating: "green".to_owned(),
        messaging_limit: "tier_10k".to_owned(),
        name_status: "approved".to_owned(),
        can_send: "available".to_owned(),
        account_review: "approved".to_owned(),
        token: Token::Valid,
        webhooks: Webhooks::Subscribed,
        checked_at: Some(now()),
        ..Health::default()
    }
}

fn codes(health: &Health) -> Vec<&'static str> {
    let found = diagnose(health, None, now());
    found.into_iter().map(|it| it.code).collect()
}

type Change = fn(&mut Health);

/// What each trouble is called and how bad it is.
const TROUBLES: &[(&str, Severity, Change)] = &[
    ("token_refused", Critical, |it| it.token = Token::Refused),
    ("token_without_access", Critical, |it| {
        it.token = Token::NoAccess;
    }),
    ("token_permissions_missing", Critical, |it| {
        it.token_missing = vec!["whatsapp_business_messaging".to_owned()];
    }),
    ("token_ends_soon", Warning, |it| {
        it.token_expires_at = Some(now() + TimeDelta::days(6));
    }),
    ("webhooks_missing", Critical, |it| {
        it.webhooks = Webhooks::Missing;
    }),
    ("webhooks_redirected", Info, |it| {
        it.webhook_host = "hooks.example".to_owned();
    }),
    ("number_banned", Critical, |it| {
        it.number_status = "banned".to_owned();
    }),
    ("number_not_connected", Critical, |it| {
        it.number_status = "disconnected".to_owned();
    }),
    ("number_flagged", Warning, |it| {
        it.number_status = "flagged".to_owned();
    }),
    ("number_restricted", Warning, |it| {
        it.number_status = "rate_limited".to_owned();
    }),
    ("number_not_verified", Info, |it| {
        it.code_verification = "expired".to_owned();
    }),
    ("sending_blocked", Critical, |it| {
        it.can_send = "blocked".to_owned();
    }),
    ("sending_limited", Warning, |it| {
        it.can_send = "limited".to_owned();
    }),
    ("account_disabled", Critical, |it| {
        it.ban_state = "disable".to_owned();
    }),
    ("account_will_be_disabled", Critical, |it| {
        it.ban_state = "schedule_for_disable".to_owned();
    }),
    ("account_rejected", Critical, |it| {
        it.account_review = "rejected".to_owned();
    }),
    ("account_in_review", Info, |it| {
        it.account_review = "pending".to_owned();
    }),
    ("account_restricted", Warning, |it| {
        it.restrictions = vec![Restriction {
            kind: "restricted_biz_initiated_messaging".to_owned(),
            expires_at: Some(now() + TimeDelta::days(1)),
        }];
    }),
    ("name_declined", Warning, |it| {
        it.name_status = "declined".to_owned();
    }),
    ("name_expired", Warning, |it| {
        it.name_status = "expired".to_owned();
    }),
    ("name_in_review", Info, |it| {
        it.name_status = "pending_review".to_owned();
    }),
    ("quality_low", Warning, |it| {
        it.quality_rating = "red".to_owned();
    }),
    ("quality_medium", Warning, |it| {
        it.quality_rating = "yellow".to_owned();
    }),
    ("limit_lowest", Info, |it| {
        it.messaging_limit = "tier_250".to_owned();
    }),
    ("pin_reset_requested", Warning, |it| {
        it.pin_reset_at = Some(now() - TimeDelta::days(6));
    }),
    ("not_looked_at", Warning, |it| {
        it.fail("unreachable", "", now() - TimeDelta::hours(7));
    }),
    ("not_looked_at_yet", Info, |it| it.checked_at = None),
];

#[test]
fn a_good_number_has_nothing_to_say() {
    assert_eq!(codes(&good()), [""; 0]);
    assert_eq!(state(&good(), &[]), ChannelHealthState::Good);
}

#[test]
fn every_trouble_is_named_alone_in_a_sentence_with_its_weight() {
    let mut seen = HashSet::new();
    for (code, severity, change) in TROUBLES {
        let mut health = good();
        change(&mut health);
        let found = diagnose(&health, None, now());
        assert_eq!(found.len(), 1, "{code}");
        assert_eq!((found[0].code, found[0].severity), (*code, *severity));
        let sentence = &found[0].sentence;
        assert!(
            sentence.ends_with('.') && !sentence.contains('_')
                || *code == "token_permissions_missing"
        );
        assert_eq!(
            found[0].what_to_do.is_empty(),
            matches!(
                *code,
                "account_in_review" | "name_in_review" | "not_looked_at_yet"
            ),
            "{code}"
        );
        assert!(seen.insert(*code));
    }
}

#[test]
fn the_worst_comes_first_and_says_what_the_whole_is() {
    let mut health = good();
    health.messaging_limit = "tier_250".to_owned();
    health.quality_rating = "red".to_owned();
    let found = diagnose(&health, None, now());
    assert_eq!(state(&health, &found), ChannelHealthState::Attention);
    let found = diagnose(&health, Some("the token has ended"), now());
    let codes: Vec<_> = found.iter().map(|it| it.code).collect();
    assert_eq!(codes, ["sending_stopped", "quality_low", "limit_lowest"]);
    assert_eq!(state(&health, &found), ChannelHealthState::Broken);
    let unknown = Health::default();
    let found = diagnose(&unknown, None, now());
    assert_eq!(state(&unknown, &found), ChannelHealthState::Unknown);
}

#[test]
fn what_is_over_is_not_said_any_more() {
    let mut health = good();
    health.restrictions = vec![Restriction {
        kind: "restricted_biz_initiated_messaging".to_owned(),
        expires_at: Some(now()),
    }];
    health.pin_reset_at = Some(now() - TimeDelta::days(7));
    health.token_expires_at = Some(now() + TimeDelta::days(7));
    health.fail("unreachable", "", now() - TimeDelta::hours(6));
    assert_eq!(codes(&health), [""; 0]);
}

#[test]
fn whatsapps_own_words_stand_behind_ours() {
    let mut health = good();
    health.can_send = "limited".to_owned();
    health.obstacles = vec![Obstacle {
        entity: "business".to_owned(),
        code: 141_010,
        description: "The business has not passed verification.".to_owned(),
        solution: String::new(),
    }];
    let found = diagnose(&health, None, now());
    assert!(found[0].sentence.ends_with("has not passed verification."));
}
