//! Erases organizations whose deletion is due, and people who belong to none.

use std::time::Duration;

use chrono::TimeDelta;
use db::{Db, SystemTx};
use ids::UserId;
use tokio_util::sync::CancellationToken;
use vault::Vault;

use crate::{
    Error,
    ops::organization::erase_organization::erase_organization,
    store::{people, settings},
};

const PERIOD: Duration = Duration::from_hours(1);
/// Of one pass: one that hangs must not be the last.
const TIMEOUT: Duration = Duration::from_mins(10);
const BATCH: u8 = 100;
/// An account this young may be about to get its membership.
const YOUNG: TimeDelta = TimeDelta::days(1);

pub(crate) async fn run(db: Db, vault: Vault, stop: CancellationToken) {
    loop {
        match tokio::time::timeout(TIMEOUT, pass(&db, &vault, &stop)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(
                error = errors::chain(&error),
                "can't erase all that is due; the next try is in an hour"
            ),
            Err(_) => {
                tracing::warn!("too much to erase for one pass; the next one goes on");
            }
        }
        tokio::select! {
            () = db.clock().sleep(PERIOD) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn pass(db: &Db, vault: &Vault, stop: &CancellationToken) -> Result<(), Error> {
    let mut tx = SystemTx::begin(db, "find organizations to erase").await?;
    let due = settings::list_due(&mut tx, db.clock().now(), BATCH.into()).await?;
    tx.commit().await?;
    let mut failed = None;
    for id in due {
        if stop.is_cancelled() {
            return Ok(());
        }
        // One that can't be erased does not keep the others.
        if let Err(error) = erase_organization(db, vault, id).await {
            tracing::warn!(organization.id = %id, error = errors::chain(&error), "organization not erased");
            failed = Some(error);
        }
    }
    sweep_people(db, stop).await?;
    failed.map_or(Ok(()), Err)
}

/// Whoever was removed while the erasure of his account failed.
async fn sweep_people(db: &Db, stop: &CancellationToken) -> Result<(), Error> {
    let mut after = UserId::min_at(0);
    let created_before = db.clock().now() - YOUNG;
    while !stop.is_cancelled() {
        let mut tx = SystemTx::begin(db, "erase people without an organization").await?;
        let homeless = people::list_homeless(&mut tx, created_before, after, BATCH.into()).await?;
        people::erase_homeless(&mut tx, &homeless).await?;
        tx.commit().await?;
        match homeless.last() {
            Some(&last) if homeless.len() == usize::from(BATCH) => after = last,
            _ => break,
        }
    }
    Ok(())
}
