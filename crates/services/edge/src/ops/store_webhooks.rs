//! Many accepted webhooks in one transaction.

use std::collections::HashSet;

use db::{Db, DbError, SystemTx, outbox};
use ids::EventId;

use crate::store::webhooks::{self, Receipt};

/// Commits the receipts and events of a batch, leaving out what was received before. Answers the events that are new;
/// when it answers, everything in the batch is durable.
///
/// # Errors
/// When the database fails. After [`DbError::CommitUnknown`] the batch may be stored; the senders repeat it, and are
/// then recognised.
pub(crate) async fn store_webhooks(
    db: &Db,
    receipts: &[Receipt],
    events: Vec<outbox::Event>,
) -> Result<HashSet<EventId>, DbError> {
    let mut tx = SystemTx::begin(db, "webhook intake").await?;
    let new = webhooks::insert_new(&mut tx, receipts).await?;
    if new.is_empty() {
        // What stood in the way is committed, or it would not be visible. Nothing to write: rolled back.
        return Ok(new);
    }
    let mut events = events;
    events.retain(|event| new.contains(&event.event_id));
    outbox::push(&mut tx, &events).await?;
    kill::point!("edge.before-commit");
    tx.commit().await?;
    kill::point!("edge.committed");
    Ok(new)
}
