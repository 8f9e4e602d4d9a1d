//! Erases what is kept of an organization that is gone.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use db::{
    DataKeys, SystemTx,
    jobs::{self, Job, Leased},
};
use ids::{OrganizationId, TenantScope};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use vault::Owner;

use super::every;
use crate::{
    error::Error,
    outbound::Engine,
    store::erasure::{self, TABLES},
};

const KIND: &str = "messaging.erase_organization";
const POLL: Duration = Duration::from_secs(5);
const LEASE: Duration = Duration::from_mins(1);
/// Rows of one table that go in one transaction.
const ROWS: i64 = 1_000;
/// Files that go in one lease; the pass has a deadline.
const FILES: usize = 200;
/// Transactions of one lease: what is left waits for the next one, which comes at once.
const STEPS: usize = 50;

/// The job for an organization.
pub(crate) fn job(id: OrganizationId, now: DateTime<Utc>) -> Job {
    // It belongs to the platform: jobs of the organization are among what goes.
    Job::new(KIND, None, json!({ "organization_id": id }), now).unique(id.to_string())
}

/// Works through due jobs until `stop`.
pub(crate) async fn run(engine: Arc<Engine>, stop: CancellationToken) {
    every(POLL, stop, "erase-organizations", || pass(&engine)).await;
}

/// One organization; true when there may be more to do.
pub(crate) async fn pass(engine: &Engine) -> Result<bool, Error> {
    let mut tx = SystemTx::begin(&engine.db, "organizations to erase").await?;
    let leased = jobs::claim(&mut tx, KIND, 1, LEASE, &engine.replica).await?;
    tx.commit().await?;
    for job in &leased {
        erase(engine, job).await?;
    }
    Ok(!leased.is_empty())
}

async fn erase(engine: &Engine, job: &Leased) -> Result<(), Error> {
    let id: Option<OrganizationId> = job
        .payload
        .get("organization_id")
        .and_then(|id| serde_json::from_value(id.clone()).ok());
    let mut tx = SystemTx::begin(&engine.db, "erase an organization").await?;
    let Some(id) = id else {
        jobs::fail(&mut tx, job, "the job names no organization").await?;
        tx.commit().await?;
        return Ok(());
    };
    tx.commit().await?;
    // The keys first: from here on nobody reads a secret of it, nor sends with one.
    let scope = TenantScope::system(id, "erase_organization");
    DataKeys::of_tenant(&engine.db, &scope).destroy().await?;
    engine.vault.forget(Owner::Organization(id));
    let done = erase_rows(engine, id).await? && erase_files(engine, id).await?;
    let mut tx = SystemTx::begin(&engine.db, "erase an organization").await?;
    jobs::finish(&mut tx, job).await?;
    if done {
        tracing::info!(organization.id = %id, "organization erased");
    } else {
        jobs::push(&mut tx, &[self::job(id, engine.db.clock().now())]).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// True when nothing is left.
async fn erase_rows(engine: &Engine, id: OrganizationId) -> Result<bool, Error> {
    let mut tables = TABLES.iter().copied().peekable();
    for _ in 0..STEPS {
        let Some(&table) = tables.peek() else {
            return Ok(true);
        };
        let mut tx = SystemTx::begin(&engine.db, "erase an organization").await?;
        let gone = erasure::delete_some(tx.conn(), table, id, ROWS).await?;
        tx.commit().await?;
        if gone < ROWS.unsigned_abs() {
            tables.next();
        }
    }
    Ok(tables.peek().is_none())
}

/// True when nothing is left. What a transfer under way keeps after this is swept later, as nobody's.
async fn erase_files(engine: &Engine, id: OrganizationId) -> Result<bool, Error> {
    let gone = engine.files.store.delete_some(id, FILES).await?;
    Ok(gone < FILES)
}

#[cfg(test)]
mod tests;
