//! What Resend remembers of idempotency keys: for a day, the request and its answer.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::error::ApiError;
use crate::locked::Locked;

/// Resend: keys are remembered for 24 hours.
const LIFETIME: TimeDelta = TimeDelta::hours(24);
const MAX_LENGTH: usize = 256;

/// The keys of one team.
#[derive(Debug, Default)]
pub(super) struct Keys(Locked<HashMap<String, Entry>>);

#[derive(Debug)]
struct Entry {
    request: Value,
    /// Present once the request has succeeded.
    answer: Option<Value>,
    /// Whether the first request is under way.
    in_use: bool,
    first_seen_at: DateTime<Utc>,
}

/// What to do with a request.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is new, or has no key.
    Perform(Hold),
    /// It was performed before, with this answer.
    Replay(Value),
}

/// A key in use until dropped. Then it is forgotten unless the request succeeded: refusals are not remembered.
#[derive(Debug, Default)]
pub(super) struct Hold(Option<(Arc<Keys>, String)>);

impl Keys {
    pub(super) fn claim(
        self: &Arc<Self>,
        key: Option<&str>,
        request: &Value,
        now: DateTime<Utc>,
    ) -> Result<Verdict, ApiError> {
        let Some(key) = key else {
            return Ok(Verdict::Perform(Hold::default()));
        };
        if !(1..=MAX_LENGTH).contains(&key.chars().count()) {
            let message = "The idempotency key must be between 1-256 characters.";
            return Err(ApiError::of("invalid_idempotency_key", message));
        }
        self.0.with(|entries| {
            entries.retain(|_, entry| now - entry.first_seen_at < LIFETIME);
            match entries.get(key) {
                Some(entry) if entry.request != *request => Err(ApiError::of(
                    "invalid_idempotent_request",
                    "This idempotency key has been used on a request with a different payload.",
                )),
                Some(Entry {
                    answer: Some(answer),
                    in_use: false,
                    ..
                }) => Ok(Verdict::Replay(answer.clone())),
                Some(_) => Err(ApiError::of(
                    "concurrent_idempotent_requests",
                    "Another request with the same idempotency key is in progress.",
                )),
                None => {
                    let entry = Entry {
                        request: request.clone(),
                        answer: None,
                        in_use: true,
                        first_seen_at: now,
                    };
                    entries.insert(key.to_owned(), entry);
                    Ok(Verdict::Perform(Hold(Some((
                        Arc::clone(self),
                        key.to_owned(),
                    )))))
                }
            }
        })
    }
}

impl Hold {
    /// The request has succeeded: even if nobody waits for the answer any more, repetitions will get it.
    pub(super) fn remember(&self, answer: &Value) {
        if let Some((keys, key)) = &self.0 {
            keys.0.with(|entries| {
                if let Some(entry) = entries.get_mut(key) {
                    entry.answer = Some(answer.clone());
                }
            });
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let Some((keys, key)) = self.0.take() else {
            return;
        };
        keys.0.with(|entries| match entries.get_mut(&key) {
            Some(entry) if entry.answer.is_some() => entry.in_use = false,
            Some(_) => drop(entries.remove(&key)),
            None => {}
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hours)
    }

    fn hold(keys: &Arc<Keys>, key: &str, request: &Value, hours: i64) -> Hold {
        match keys.claim(Some(key), request, at(hours)) {
            Ok(Verdict::Perform(hold)) => hold,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_key_means_one_request_for_a_day() {
        let keys = Arc::new(Keys::default());
        let (request, other) = (json!({"a": 1}), json!({"a": 2}));
        let name = |result: Result<Verdict, ApiError>| result.expect_err("refused").name;
        let first = hold(&keys, "k", &request, 0);
        let second = keys.claim(Some("k"), &request, at(0));
        assert_eq!(name(second), "concurrent_idempotent_requests");
        first.remember(&json!({"id": 1}));
        let third = keys.claim(Some("k"), &request, at(0));
        assert_eq!(name(third), "concurrent_idempotent_requests");
        drop(first);
        let again = keys.claim(Some("k"), &request, at(23));
        assert!(matches!(again, Ok(Verdict::Replay(answer)) if answer == json!({"id": 1})));
        let different = keys.claim(Some("k"), &other, at(23));
        assert_eq!(name(different), "invalid_idempotent_request");
        drop(hold(&keys, "k", &other, 24));
    }

    #[test]
    fn a_refused_request_leaves_its_key_free() {
        let keys = Arc::new(Keys::default());
        drop(hold(&keys, "k", &json!(1), 0));
        drop(hold(&keys, "k", &json!(2), 0));
        for key in ["", &"x".repeat(257)] {
            let refused = keys.claim(Some(key), &json!(1), at(0));
            assert_eq!(
                refused.expect_err("refused").name,
                "invalid_idempotency_key"
            );
        }
    }
}
