//! What a consumer has already taken in. The claim is the first statement of the consumer's transaction, so the effect
//! and the memory of it are committed together, and a redelivery finds the row.

use std::collections::HashSet;

use uuid::Uuid;

use crate::{AsTx, DbError, Schema, SystemTx, statement::Statement};

#[derive(Debug)]
pub(crate) struct Sql {
    claim: Statement,
}

impl Sql {
    pub(crate) fn new(schema: Schema) -> Self {
        Self {
            // Sorted, so that two transactions with overlapping batches wait for each other instead of deadlocking.
            claim: Statement::new(
                schema,
                "insert into {schema}.inbox (consumer, event_id, received_at)
                 select $1, event_id, $3
                 from (select distinct unnest($2::uuid[]) as event_id order by 1) batch
                 on conflict do nothing
                 returning event_id",
            ),
        }
    }
}

/// Records the events for `consumer` and answers those that are new to it. An event that another transaction is taking
/// in at the same time is waited for.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(name = "db.inbox.insert", skip_all, fields(consumer))]
pub async fn claim(
    tx: &mut SystemTx,
    consumer: &str,
    event_ids: &[Uuid],
) -> Result<HashSet<Uuid>, DbError> {
    if event_ids.is_empty() {
        return Ok(HashSet::new());
    }
    let now = tx.db().clock().now();
    let claim = tx.db().sql().inbox.claim.clone();
    let new: Vec<Uuid> = claim
        .scalar()
        .bind(consumer)
        .bind(event_ids)
        .bind(now)
        .fetch_all(tx.conn())
        .await?;
    Ok(new.into_iter().collect())
}
