//! Takes lanes and runs them.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use db::{SystemTx, outbox::Wake};
use ids::ChannelId;
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{claim::LEASE, engine::Engine, lane::Lane};
use crate::{error::Error, store::lanes, within::within};

/// Lanes taken at a time, so that replicas share them.
const TAKE: i64 = 16;
/// Under load every commit wakes the scheduler; it looks at most this often.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);
/// After a failure of the database.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs this replica's lanes until `stop`, and then until their calls have results.
pub(crate) async fn run(engine: Arc<Engine>, stop: CancellationToken) {
    let mut scheduler = Scheduler {
        engine,
        lanes: JoinSet::new(),
        wakes: HashMap::new(),
        stop,
    };
    // The event of each queued message wakes whoever reads the feed.
    let mut wake = Wake::feed(&scheduler.engine.db);
    let mut looked = Instant::now();
    while !scheduler.stop.is_cancelled() {
        if let Err(error) = within(scheduler.look()).await {
            tracing::warn!(error = errors::chain(&error), "can't look for lanes");
            tokio::time::sleep(PAUSE).await;
        }
        let stop = scheduler.stop.clone();
        tokio::select! {
            () = stop.cancelled() => break,
            () = wake.wait() => {}
            Some(ended) = scheduler.lanes.join_next() => scheduler.forget(ended.ok()),
        }
        tokio::time::sleep(LOOK_INTERVAL.saturating_sub(looked.elapsed())).await;
        looked = Instant::now();
    }
    while scheduler.lanes.join_next().await.is_some() {}
}

struct Scheduler {
    engine: Arc<Engine>,
    lanes: JoinSet<(ChannelId, i64)>,
    /// With the epoch: a lane may begin again before its former run is forgotten.
    wakes: HashMap<ChannelId, (i64, Arc<Notify>)>,
    stop: CancellationToken,
}

impl Scheduler {
    /// Wakes own lanes that have something due, and takes lanes that nobody owns.
    async fn look(&mut self) -> Result<(), Error> {
        let engine = Arc::clone(&self.engine);
        let now = engine.clock().now();
        let mut tx = SystemTx::begin(&engine.db, "lanes with messages that are due").await?;
        if !self.wakes.is_empty() {
            for channel_id in lanes::list_due(tx.conn(), &engine.replica, now).await? {
                if let Some((_, wake)) = self.wakes.get(&channel_id) {
                    wake.notify_one();
                }
            }
        }
        let taken = lanes::acquire(tx.conn(), &engine.replica, now, now + LEASE, TAKE).await?;
        tx.commit().await?;
        for lease in taken {
            let (channel_id, epoch) = (lease.route.channel_id, lease.epoch);
            let wake = Arc::new(Notify::new());
            self.wakes.insert(channel_id, (epoch, Arc::clone(&wake)));
            let lane = Lane::new(Arc::clone(&engine), lease, wake);
            let stop = self.stop.clone();
            self.lanes.spawn(async move {
                lane.run(stop).await;
                (channel_id, epoch)
            });
        }
        Ok(())
    }

    fn forget(&mut self, ended: Option<(ChannelId, i64)>) {
        match ended {
            Some((channel_id, epoch)) => {
                if self
                    .wakes
                    .get(&channel_id)
                    .is_some_and(|(current, _)| *current == epoch)
                {
                    self.wakes.remove(&channel_id);
                }
            }
            // A lane that panicked: its lease runs out, and whoever takes the lane looks after its
            // attempts. Which one it was is unknown, so all are asked to look.
            None => self.wakes.values().for_each(|(_, wake)| wake.notify_one()),
        }
    }
}
