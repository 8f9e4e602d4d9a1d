//! What the broker gave up on. Our consumers never reject a message, so it was redelivered too often
//! after crashes and lost connections. It moves to the deferred deliveries, where failed events are,
//! so that there is one place to look.

use std::sync::Arc;

use db::{Db, deferred::Failure};
use lapin::{
    BasicProperties,
    message::Delivery as Message,
    types::{AMQPValue, FieldTable},
};
use tokio::sync::Notify;

use super::{
    attempt::record_new,
    intake::{Limits, Patience, Settle, Settled},
    work::open,
};
use crate::{metrics::Metrics, names::header};

/// Dead letters are rare, and each may be large.
pub(super) const LIMITS: Limits = Limits {
    prefetch: 20,
    batch_max: 20,
};

/// The broker's word for "redelivered too often".
const DELIVERY_LIMIT: &str = "delivery_limit";

pub(super) struct Drain {
    db: Db,
    queue: &'static str,
    metrics: Metrics,
    failed: Arc<Notify>,
}

impl Drain {
    /// `queue` is the one the letters died in; `failed` is told when some wait for an attempt.
    pub(super) const fn new(
        db: Db,
        queue: &'static str,
        metrics: Metrics,
        failed: Arc<Notify>,
    ) -> Self {
        Self {
            db,
            queue,
            metrics,
            failed,
        }
    }

    fn tell(&self, recorded: &[Failure]) {
        let (queue, count) = (self.queue, recorded.len());
        if count == 0 {
            return;
        }
        tracing::error!(
            bus.queue = queue,
            count,
            "the broker gave up on events; they are among the deferred deliveries"
        );
        let dead = recorded.iter().filter(|letter| letter.permanent).count();
        self.metrics.dead_letters(queue, dead);
        if dead < count {
            self.failed.notify_one();
        }
    }
}

impl Settle for Drain {
    fn appetite(&self) -> usize {
        usize::MAX
    }

    async fn settle(&mut self, batch: Vec<Message>, patience: &mut Patience) -> Settled {
        let failures: Vec<Failure> = batch.into_iter().filter_map(bury).collect();
        loop {
            match record_new(&self.db, self.queue, failures.clone()).await {
                Ok(recorded) => {
                    self.tell(&recorded);
                    return Settled::Acknowledge;
                }
                Err(error) => {
                    let cause = errors::chain(&error);
                    tracing::warn!(
                        bus.queue = self.queue,
                        error = cause,
                        "can't store dead letters; holding them"
                    );
                }
            }
            if !patience.hold_on().await {
                return Settled::Abandon;
            }
        }
    }
}

/// A message that was only redelivered too often was in the company of whatever brought its consumer
/// down, up to a whole prefetch of innocents. On the ladder each is tried alone, so the innocent
/// succeed and the culprit ends as a dead letter. Any other cause of death was a decision: dead.
fn bury(message: Message) -> Option<Failure> {
    let death = death(&message.properties).unwrap_or_else(|| "of unknown cause".to_owned());
    let permanent = death != DELIVERY_LIMIT;
    let reason = format!("the broker gave up on it: {death}");
    let (deliveries, unreadable) = open(vec![message]);
    deliveries
        .iter()
        .map(|delivery| delivery.to_failure(&reason, permanent))
        .chain(unreadable)
        .next()
}

/// The reason of the latest death.
fn death(properties: &BasicProperties) -> Option<String> {
    let headers: &FieldTable = properties.headers().as_ref()?;
    let AMQPValue::FieldArray(deaths) = headers.inner().get(header::DEATH)? else {
        return None;
    };
    let AMQPValue::FieldTable(latest) = deaths.as_slice().first()? else {
        return None;
    };
    match latest.inner().get("reason")? {
        AMQPValue::LongString(reason) => {
            Some(String::from_utf8_lossy(reason.as_bytes()).into_owned())
        }
        AMQPValue::ShortString(reason) => Some(reason.to_string()),
        _ => None,
    }
}
