//! WatchEvents: the outbox as a live stream.
//!
//! One reader per process reads the feed for all open streams in one statement. A stream keeps its
//! own cursor and asks for what comes after it, so a slow client delays only itself and a stream
//! that resumes misses nothing.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use db::{
    Db, SystemTx,
    outbox::{Cursor, Feed, FeedEvent, FeedPage, Wake},
};
use errors::to_status;
use futures::Stream;
use ids::OrganizationId;
use prost::Message as _;
use proto::{
    events::DomainEvent,
    messaging::{
        events::v1::{
            ChannelChanged, ConversationOpened, MessageQueued, MessageReceived,
            MessageStatusChanged,
        },
        v1::{Event, event::Payload},
    },
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::error::Error;

/// Events of one read per stream.
const PAGE: u32 = 200;
/// Events waiting for a client; a full channel stops the reading for it.
const BUFFER: usize = 256;
/// A client without events gets a newer cursor this often, so that it resumes within the retention.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// While committed events are not settled yet.
const SOON: Duration = Duration::from_millis(3);

/// The stream of one client.
pub(crate) type EventStream = Pin<Box<dyn Stream<Item = Result<Event, Status>> + Send>>;

/// All open streams of this process.
#[derive(Debug, Clone)]
pub(crate) struct Hub {
    db: Db,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    streams: Mutex<Streams>,
    joined: tokio::sync::Notify,
}

#[derive(Debug, Default)]
struct Streams {
    next: u64,
    /// The process stops: clients must go elsewhere.
    closed: bool,
    open: HashMap<u64, Client>,
}

#[derive(Debug)]
struct Client {
    organization_id: OrganizationId,
    cursor: Cursor,
    expires_at: Option<DateTime<Utc>>,
    told_at: DateTime<Utc>,
    sender: mpsc::Sender<Result<Event, Status>>,
}

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
    ) -> Result<EventStream, Error> {
        let cursor = if cursor.is_empty() {
            let mut tx = SystemTx::begin(&self.db, "the present of the feed").await?;
            Feed::now(&mut tx).await?
        } else {
            cursor.parse::<Cursor>()?
        };
        let (sender, receiver) = mpsc::channel(BUFFER);
        // The client learns its cursor at once: from here on it misses nothing.
        let hello = sender.try_send(Ok(heartbeat(cursor, self.db.clock().now())));
        debug_assert!(hello.is_ok(), "an empty channel has room");
        let mut streams = self.lock();
        if streams.closed {
            return Err(Error::Stopping);
        }
        let id = streams.next;
        streams.next += 1;
        streams.open.insert(
            id,
            Client {
                organization_id,
                cursor,
                expires_at,
                told_at: self.db.clock().now(),
                sender,
            },
        );
        drop(streams);
        self.shared.joined.notify_one();
        Ok(Box::pin(futures::stream::unfold(
            receiver,
            |mut receiver| async { receiver.recv().await.map(|event| (event, receiver)) },
        )))
    }

    /// Reads the feed for the open streams until `stop`, then ends them: clients reconnect elsewhere.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut wake = Wake::feed(&self.db);
        while !stop.is_cancelled() {
            let soon = match self.pass().await {
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
                () = self.shared.joined.notified() => {}
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
        let cursors: Vec<(OrganizationId, Cursor)> = asked
            .iter()
            .map(|(_, organization, cursor)| (*organization, *cursor))
            .collect();
        let mut tx = SystemTx::begin(&self.db, "events for open streams").await?;
        let pages = Feed::list_many(&mut tx, &cursors, PAGE).await?;
        tx.commit().await?;
        let mut soon = false;
        let mut streams = self.lock();
        for ((id, ..), page) in asked.iter().zip(pages) {
            soon |= page.full || page.behind;
            if let Some(client) = streams.open.get_mut(id)
                && !client.deliver(page, now)
            {
                streams.open.remove(id);
            }
        }
        Ok(soon)
    }

    /// Streams with room for a page. Those that are gone or whose token has expired are closed.
    fn asked(&self, now: DateTime<Utc>) -> Vec<(u64, OrganizationId, Cursor)> {
        let mut streams = self.lock();
        streams.open.retain(|_, client| {
            let expired = client.expires_at.is_some_and(|at| at <= now);
            if expired {
                let _full = client
                    .sender
                    .try_send(Err(errors::status_of(&errors::codes::AUTH_TOKEN_EXPIRED)));
            }
            !expired && !client.sender.is_closed()
        });
        streams
            .open
            .iter()
            .filter(|(_, client)| client.sender.capacity() > PAGE as usize)
            .map(|(id, client)| (*id, client.organization_id, client.cursor))
            .collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Streams> {
        self.shared
            .streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    /// Hands a page over; false when the stream ends.
    fn deliver(&mut self, page: FeedPage, now: DateTime<Utc>) -> bool {
        if page.expired {
            let _full = self.sender.try_send(Err(to_status(&Error::CursorExpired)));
            return false;
        }
        self.cursor = page.next;
        for event in page.events {
            self.told_at = now;
            if let Some(event) = decode(&event)
                && self.sender.try_send(Ok(event)).is_err()
            {
                return false;
            }
        }
        let quiet = (now - self.told_at).to_std().unwrap_or_default();
        if quiet >= HEARTBEAT {
            self.told_at = now;
            return self
                .sender
                .try_send(Ok(heartbeat(self.cursor, now)))
                .is_ok();
        }
        true
    }
}

fn heartbeat(cursor: Cursor, now: DateTime<Utc>) -> Event {
    Event {
        id: cursor.to_string(),
        r#type: "heartbeat".to_owned(),
        occurred_at: Some(now.into()),
        payload: None,
    }
}

/// An event of the feed as the API shows it; `None` for types the API does not show.
fn decode(event: &FeedEvent) -> Option<Event> {
    let bytes = event.payload.as_slice();
    let (name, payload) = match event.event_type.as_str() {
        kind if kind == MessageReceived::SPEC.event_type => (
            "message.received",
            Payload::MessageReceived(MessageReceived::decode(bytes).ok()?),
        ),
        kind if kind == MessageQueued::SPEC.event_type => (
            "message.queued",
            Payload::MessageQueued(MessageQueued::decode(bytes).ok()?),
        ),
        kind if kind == MessageStatusChanged::SPEC.event_type => (
            "message.status_changed",
            Payload::MessageStatusChanged(MessageStatusChanged::decode(bytes).ok()?),
        ),
        kind if kind == ConversationOpened::SPEC.event_type => (
            "conversation.opened",
            Payload::ConversationOpened(ConversationOpened::decode(bytes).ok()?),
        ),
        kind if kind == ChannelChanged::SPEC.event_type => (
            "channel.changed",
            Payload::ChannelChanged(ChannelChanged::decode(bytes).ok()?),
        ),
        _ => return None,
    };
    Some(Event {
        id: event.cursor.to_string(),
        r#type: name.to_owned(),
        occurred_at: Some(event.occurred_at.into()),
        payload: Some(payload),
    })
}
