//! One business phone number while it runs: its settings, rate limits and open windows.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, PoisonError, RwLock},
};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Url;

use super::{
    error::GraphError, identifiers::digits, limits::Bucket, settings::LimitSettings,
    spec::NumberSpec,
};
use crate::locked::Locked;

/// Meta: free-form messages until 24 hours after the customer's last message.
const SERVICE_WINDOW: TimeDelta = TimeDelta::hours(24);
/// Pair buckets kept before full ones (which remember nothing) are swept.
const PAIRS_BEFORE_SWEEP: usize = 50_000;

#[derive(Debug)]
pub(super) struct Number {
    pub(super) id: Arc<str>,
    pub(super) account_id: Arc<str>,
    /// Sender of its messages: the display number's digits, as webhooks carry it.
    pub(super) digits: Arc<str>,
    spec: RwLock<Arc<NumberSpec>>,
    throughput: Locked<Bucket>,
    pairs: Locked<HashMap<Box<str>, Bucket>>,
    customer_wrote_at: Locked<HashMap<Box<str>, DateTime<Utc>>>,
    callback_override: Locked<Option<Url>>,
    blocked: Locked<BTreeSet<String>>,
}

impl Number {
    pub(super) fn new(spec: NumberSpec, digits: String, now: DateTime<Utc>) -> Self {
        Self {
            id: spec.phone_number_id.as_str().into(),
            account_id: spec.waba_id.as_str().into(),
            digits: digits.into(),
            throughput: Locked::new(Bucket::full(spec.throughput_mps, now)),
            spec: RwLock::new(Arc::new(spec)),
            pairs: Locked::default(),
            customer_wrote_at: Locked::default(),
            callback_override: Locked::default(),
            blocked: Locked::default(),
        }
    }

    pub(super) fn spec(&self) -> Arc<NumberSpec> {
        Arc::clone(&self.spec.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn change(&self, spec: NumberSpec) {
        *self.spec.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(spec);
    }

    pub(super) fn callback_override(&self) -> Option<Url> {
        self.callback_override.with(|url| url.clone())
    }

    pub(super) fn override_callback(&self, url: Option<Url>) {
        self.callback_override.with(|current| *current = url);
    }

    /// Blocks a user, or takes the block back.
    pub(super) fn change_block(&self, wa_id: &str, block: bool) {
        self.blocked.with(|blocked| {
            if block {
                blocked.insert(wa_id.to_owned());
            } else {
                blocked.remove(wa_id);
            }
        });
    }

    /// The users it has blocked.
    pub(super) fn blocked(&self) -> Vec<String> {
        self.blocked
            .with(|blocked| blocked.iter().cloned().collect())
    }

    /// A customer's message: opens the window and counts towards the throughput.
    pub(super) fn customer_wrote(&self, wa_id: &str, limits: &LimitSettings, now: DateTime<Utc>) {
        self.customer_wrote_at.with(|wrote| {
            wrote.insert(wa_id.into(), now);
        });
        if limits.throughput {
            let mps = self.spec().throughput_mps;
            self.throughput
                .with(|bucket| bucket.take_owed(mps, interval(mps), now));
        }
    }

    pub(super) fn window_is_open(&self, wa_id: &str, now: DateTime<Utc>) -> bool {
        self.customer_wrote_at.with(|wrote| {
            wrote
                .get(wa_id)
                .is_some_and(|at| now - *at < SERVICE_WINDOW)
        })
    }

    /// Takes a place under both rate limits, or says which one is exhausted.
    pub(super) fn admit(
        &self,
        wa_id: &str,
        limits: &LimitSettings,
        now: DateTime<Utc>,
    ) -> Result<(), GraphError> {
        if limits.throughput {
            let mps = self.spec().throughput_mps;
            if !self
                .throughput
                .with(|bucket| bucket.try_take(mps, interval(mps), now))
            {
                return Err(throughput_exhausted());
            }
        }
        if limits.pair {
            let every = TimeDelta::milliseconds(i64::from(limits.pair_interval_ms));
            let burst = limits.pair_burst;
            let admitted = self.pairs.with(|pairs| {
                if pairs.len() > PAIRS_BEFORE_SWEEP {
                    pairs.retain(|_, bucket| !bucket.is_full(burst, every, now));
                }
                if let Some(bucket) = pairs.get_mut(wa_id) {
                    return bucket.try_take(burst, every, now);
                }
                let mut bucket = Bucket::full(burst, now);
                let admitted = bucket.try_take(burst, every, now);
                pairs.insert(wa_id.into(), bucket);
                admitted
            });
            if !admitted {
                return Err(pair_exhausted());
            }
        }
        Ok(())
    }

    /// Whether a test number may write to this recipient.
    pub(super) fn allows(&self, wa_id: &str) -> bool {
        self.spec().allowed_recipients.as_ref().is_none_or(|list| {
            list.iter()
                .any(|allowed| digits(allowed).as_deref() == Some(wa_id))
        })
    }
}

pub(super) fn throughput_exhausted() -> GraphError {
    GraphError::of(130_429)
        .subcode(2_494_055)
        .details("Cloud API message throughput has been reached.")
}

pub(super) fn pair_exhausted() -> GraphError {
    GraphError::of(131_056).details(
        "Message failed to send because there were too many messages sent from this phone \
         number to the same phone number in a short period of time.",
    )
}

fn interval(mps: u32) -> TimeDelta {
    TimeDelta::nanoseconds(1_000_000_000 / i64::from(mps.max(1)))
}
