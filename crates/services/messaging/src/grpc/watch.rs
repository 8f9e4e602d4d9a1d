//! WatchEvents: the outbox as a live stream.
//!
//! One reader per process reads the feed for all open streams in one statement, and once for streams of
//! one organization that are at the same place. A stream keeps its own cursor and asks for what comes
//! after it, so a slow client delays only itself and a stream that resumes misses nothing.

mod client;
mod show;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use db::{
    Db, SystemTx,
    outbox::{Cursor, Feed, FeedPage, Wake},
};
use ids::OrganizationId;
use proto::messaging::v1::Event;
use tokio_util::sync::CancellationToken;

use self::client::Client;
pub(crate) use self::client::EventStream;
use crate::{
    error::Error,
    ops::sight::{Places, Sight, conversations_of},
    store::conversations,
    within::within,
};

/// Events of one read per stream.
const PAGE: u32 = 200;
/// While committed events are not settled yet.
const SOON: Duration = Duration::from_millis(3);

/// All open streams of this process.
#[derive(Debug, Clone)]
pub(crate) struct Hub {
    db: Db,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    streams: Mutex<Streams>,
    /// A stream waits to be read for: it is new, or has room again.
    wanted: tokio::sync::Notify,
}

#[derive(Debug, Default)]
struct Streams {
    next: u64,
    /// The process stops: clients must go elsewhere.
    closed: bool,
    open: HashMap<u64, Client>,
}

/// Where streams are, and which of them are there.
type Asked = HashMap<(OrganizationId, Cursor), Vec<u64>>;

impl Hub {
    pub(crate) fn new(db: Db) -> Self {
        Self {
            db,
            shared: Arc::default(),
        }
    }

    /// Opens a stream after `cursor`, or at the present when it is empty.
    pub(crate) async fn watch(
        &self,
        organization_id: OrganizationId,
        cursor: String,
        expires_at: Option<DateTime<Utc>>,
        sight: Sight,
    ) -> Result<EventStream, Error> {
        let cursor = if cursor.is_empty() {
            let mut tx = SystemTx::begin(&self.db, "the present of the feed").await?;
            Feed::now(&mut tx).await?
        } else {
            cursor.parse::<Cursor>()?
        };
        let now = self.db.clock().now();
        let (client, stream) = client::open(
            organization_id,
            cursor,
            expires_at,
            sight,
            now,
            Arc::clone(&self.shared),
        );
        let mut streams = self.lock();
        if streams.closed {
            return Err(Error::Stopping);
        }
        let id = streams.next;
        streams.next += 1;
        streams.open.insert(id, client);
        drop(streams);
        self.shared.wanted.notify_one();
        Ok(stream)
    }

    /// Reads the feed for the open streams until `stop`, then ends them: clients reconnect elsewhere.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut wake = Wake::feed(&self.db);
        while !stop.is_cancelled() {
            let soon = match within(self.pass()).await {
                Ok(soon) => soon,
                Err(error) => {
                    tracing::warn!(error = errors::chain(&error), "can't read the feed");
                    false
                }
            };
            if soon {
                tokio::time::sleep(SOON).await;
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = wake.wait() => {}
                () = self.shared.wanted.notified() => {}
            }
        }
        let mut streams = self.lock();
        streams.closed = true;
        streams.open.clear();
    }

    /// One read for all streams; true when there is more to read at once.
    async fn pass(&self) -> Result<bool, Error> {
        let now = self.db.clock().now();
        let asked = self.asked(now);
        if asked.is_empty() {
            return Ok(false);
        }
        let (places, streams): (Vec<_>, Vec<_>) = asked.into_iter().unzip();
        let mut tx = SystemTx::begin(&self.db, "events for open streams").await?;
        let pages = Feed::list_many(&mut tx, &places, PAGE).await?;
        let mut shown = Vec::with_capacity(pages.len());
        for ((ids, page), (organization_id, _)) in streams.iter().zip(&pages).zip(&places) {
            let events = show::events(page);
            // Who has a conversation matters only to those who don't see all.
            let told: Vec<_> = if self.is_one_narrowed(ids) {
                conversations_of(&events).into_iter().collect()
            } else {
                Vec::new()
            };
            let places = if told.is_empty() {
                Places::new()
            } else {
                conversations::places(tx.conn(), *organization_id, &told).await?
            };
            shown.push((ids, page, events, places));
        }
        tx.commit().await?;
        let soon = pages.iter().any(|page| page.full || page.behind);
        for (ids, page, events, places) in shown {
            self.deliver(ids, page, &events, &places, now);
        }
        Ok(soon)
    }

    /// Whether one of these streams shows only some conversations.
    fn is_one_narrowed(&self, ids: &[u64]) -> bool {
        let streams = self.lock();
        ids.iter()
            .filter_map(|id| streams.open.get(id))
            .any(Client::is_narrowed)
    }

    fn deliver(
        &self,
        ids: &[u64],
        page: &FeedPage,
        events: &[Event],
        places: &Places,
        now: DateTime<Utc>,
    ) {
        let mut streams = self.lock();
        for id in ids {
            if let Some(client) = streams.open.get_mut(id)
                && !client.deliver(page, events, places, now)
            {
                streams.open.remove(id);
            }
        }
    }

    /// Where the streams with room for a page are. Those that are gone or whose token has expired are
    /// closed.
    fn asked(&self, now: DateTime<Utc>) -> Asked {
        let mut streams = self.lock();
        streams.open.retain(|_, client| client.lives(now));
        let mut asked = Asked::new();
        for (id, client) in &streams.open {
            if client.has_room() {
                asked.entry(client.place()).or_default().push(*id);
            }
        }
        asked
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Streams> {
        self.shared
            .streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
