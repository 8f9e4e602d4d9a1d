//! What the broker gave up on. Our consumers never reject a message, so it was redelivered too often
//! after crashes and lost connections. It moves to the deferred deliveries, where failed events are,
//! so that there is one place to look.

use std::sync::Arc;

use db::{Db, DbError, SystemTx, deferred, deferred::Failure, inbox};
use lapin::{
    BasicProperties,
    message::Delivery as Message,
    types::{AMQPValue, FieldTable},
};
use tokio::sync::Notify;
use uuid::Uuid;

use super::{
    intake::{Limits, Patience, Settle, Settled},
    work::open,
};
use crate::names::header;

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
    failed: Arc<Notify>,
}

impl Drain {
    /// `queue` is the one the letters died in; `failed` is told when some wait for an attempt.
    pub(super) const fn new(db: Db, queue: &'static str, failed: Arc<Notify>) -> Self {
        Self { db, queue, failed }
    }

    /// An event that was taken in before it came here has had its effect or has its row already.
    async fn record(&self, failures: &[Failure]) -> Result<usize, DbError> {
        let mut tx = SystemTx::begin(&self.db, self.queue).await?;
        let ids: Vec<Uuid> = failures
            .iter()
            .map(|failure| failure.event_id.as_uuid())
            .collect();
        let mut new = inbox::claim(&mut tx, self.queue, &ids).await?;
        let fresh: Vec<Failure> = failures
            .iter()
            .filter(|failure| new.remove(&failure.event_id.as_uuid()))
            .cloned()
            .collect();
        deferred::record_failures(&mut tx, self.queue, &fresh).await?;
        tx.commit().await?;
        Ok(fresh.len())
    }
}

impl Settle for Drain {
    fn appetite(&self) -> usize {
        usize::MAX
    }

    async fn settle(&mut self, batch: Vec<Message>, patience: &mut Patience) -> Settled {
        let failures: Vec<Failure> = batch.into_iter().filter_map(bury).collect();
        loop {
            match self.record(&failures).await {
                Ok(recorded) => {
                    if recorded > 0 {
                        tracing::error!(
                            bus.queue = self.queue,
                            count = recorded,
                            "the broker gave up on events; they are among the deferred deliveries"
                        );
                        self.failed.notify_one();
                    }
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
