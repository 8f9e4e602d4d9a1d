//! Quarantined content goes after a month: it is customers' content that belongs to nobody we know.

use std::time::Duration;

use chrono::TimeDelta;
use db::{Db, SystemTx};
use tokio_util::sync::CancellationToken;

use super::every;
use crate::{error::Error, store::quarantine};

/// How long there is to look at an item.
const KEPT: TimeDelta = TimeDelta::days(30);
const INTERVAL: Duration = Duration::from_hours(1);
/// Items of one transaction.
const BATCH: u32 = 1_000;

/// Looks every hour until `stop`. Every replica may.
pub(crate) async fn run(db: Db, stop: CancellationToken) {
    every(INTERVAL, stop, "sweep-quarantine", || pass(&db)).await;
}

/// One batch; true when there may be more.
async fn pass(db: &Db) -> Result<bool, Error> {
    let before = db.clock().now() - KEPT;
    let mut tx = SystemTx::begin(db, "old quarantined content").await?;
    let gone = quarantine::delete_before(tx.conn(), before, i64::from(BATCH)).await?;
    tx.commit().await?;
    if gone > 0 {
        tracing::info!(items = gone, "deleted old quarantined content");
    }
    Ok(gone == u64::from(BATCH))
}

#[cfg(test)]
mod tests {
    use ids::QuarantineId;

    use super::*;
    use crate::{
        fixture::Fixture,
        store::quarantine::{NewItem, Reason},
    };

    #[tokio::test(flavor = "multi_thread")]
    async fn content_of_nobody_goes_after_a_month() {
        let fixture = Fixture::new().await;
        for number in 0..2 {
            let item = NewItem {
                id: QuarantineId::stamped(fixture.now()),
                reason: Reason::UnknownNumber,
                phone_number_id: None,
                dedupe_key: number.to_string(),
                raw: Vec::new(),
            };
            let mut tx = fixture.system().await;
            quarantine::insert(tx.conn(), &[item], fixture.now())
                .await
                .expect("an item");
            tx.commit().await.expect("commit");
            fixture.hand.advance(Duration::from_hours(24));
        }
        pass(&fixture.db).await.expect("a pass");
        assert_eq!(fixture.count("quarantined_items").await, 2);
        fixture
            .hand
            .advance(Duration::from_hours(24 * 28) + Duration::from_secs(1));
        pass(&fixture.db).await.expect("a pass");
        assert_eq!(fixture.count("quarantined_items").await, 1);
    }
}
