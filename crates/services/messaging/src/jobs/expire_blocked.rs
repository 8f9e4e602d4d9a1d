//! Ends what waits past its time in a blocked channel. No lane works for it, and people must learn that
//! their message did not go.

use std::time::Duration;

use db::{Db, SystemTx, outbox};
use tokio_util::sync::CancellationToken;

use super::every;
use crate::{error::Error, events::publish, store::queue};

const INTERVAL: Duration = Duration::from_secs(30);
/// Messages of one transaction.
const BATCH: u32 = 500;

/// Looks every half minute until `stop`. Every replica may: one skips what the other has taken.
pub(crate) async fn run(db: Db, stop: CancellationToken) {
    every(INTERVAL, stop, "expire-blocked", || pass(&db)).await;
}

/// One batch; true when there may be more.
async fn pass(db: &Db) -> Result<bool, Error> {
    let now = db.clock().now();
    let mut tx = SystemTx::begin(db, "expired messages of blocked channels").await?;
    let expired = queue::expire_blocked(tx.conn(), now, i64::from(BATCH)).await?;
    let events: Vec<_> = expired
        .iter()
        .map(|moved| publish::moved(moved, now, publish::LANE))
        .collect();
    outbox::push(&mut tx, &events).await?;
    tx.commit().await?;
    Ok(expired.len() == BATCH as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::status::Status, fixture::Fixture, store::channels};

    #[tokio::test(flavor = "multi_thread")]
    async fn what_waits_in_a_blocked_channel_ends_at_its_time() {
        let fixture = Fixture::new().await;
        let thread = fixture.conversation("491701").await;
        let short = fixture.queue(thread, Duration::from_mins(1)).await;
        let long = fixture.queue(thread, Duration::from_hours(2)).await;
        let mut tx = fixture.tenant().await;
        let version = Some(fixture.now());
        let now = fixture.now();
        channels::block(tx.conn(), fixture.route, version, "token", now)
            .await
            .expect("block");
        tx.commit().await.expect("commit");

        pass(&fixture.db).await.expect("a pass");
        assert_eq!(fixture.message(short).await.status, Status::Queued);
        fixture.hand.advance(Duration::from_secs(61));
        assert!(!pass(&fixture.db).await.expect("a pass"));
        assert_eq!(fixture.message(short).await.status, Status::Expired);
        assert_eq!(fixture.message(long).await.status, Status::Queued);
        assert_eq!(fixture.count("send_queue").await, 1);
        assert_eq!(fixture.count("outbox").await, 1, "people are told");
    }
}
