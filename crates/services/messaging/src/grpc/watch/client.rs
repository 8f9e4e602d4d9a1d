//! One open stream: the hub's end of it and the client's.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use db::outbox::{Cursor, FeedPage};
use errors::to_status;
use futures::Stream;
use ids::OrganizationId;
use proto::messaging::v1::Event;
use tokio::sync::mpsc;
use tonic::Status;

use super::{PAGE, Shared, show};
use crate::{
    error::Error,
    ops::sight::{Places, Sight},
};

/// Events waiting for a client; while there is no room for a page, nothing is read for it.
const BUFFER: usize = 256;
/// A client without events gets a newer cursor this often, so that it resumes within the retention.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The stream of one client.
pub(crate) type EventStream = Pin<Box<dyn Stream<Item = Result<Event, Status>> + Send>>;

/// The hub's end.
#[derive(Debug)]
pub(super) struct Client {
    organization_id: OrganizationId,
    cursor: Cursor,
    expires_at: Option<DateTime<Utc>>,
    sight: Sight,
    told_at: DateTime<Utc>,
    sender: mpsc::Sender<Result<Event, Status>>,
    passed_over: Arc<AtomicBool>,
}

/// The client's end.
struct Reader {
    receiver: mpsc::Receiver<Result<Event, Status>>,
    passed_over: Arc<AtomicBool>,
    shared: Arc<Shared>,
}

/// Both ends of a stream after `cursor`.
pub(super) fn open(
    organization_id: OrganizationId,
    cursor: Cursor,
    expires_at: Option<DateTime<Utc>>,
    sight: Sight,
    now: DateTime<Utc>,
    shared: Arc<Shared>,
) -> (Client, EventStream) {
    let (sender, receiver) = mpsc::channel(BUFFER);
    let passed_over = Arc::new(AtomicBool::new(false));
    // The client learns its cursor at once: from here on it misses nothing.
    let hello = sender.try_send(Ok(show::heartbeat(cursor, now)));
    debug_assert!(hello.is_ok(), "an empty channel has room");
    let client = Client {
        organization_id,
        cursor,
        expires_at,
        sight,
        told_at: now,
        sender,
        passed_over: Arc::clone(&passed_over),
    };
    let reader = Reader {
        receiver,
        passed_over,
        shared,
    };
    let stream = futures::stream::unfold(reader, |mut reader| async {
        reader.next().await.map(|event| (event, reader))
    });
    (client, Box::pin(stream))
}

impl Reader {
    async fn next(&mut self) -> Option<Result<Event, Status>> {
        let event = self.receiver.recv().await;
        if self.receiver.capacity() > PAGE as usize
            && self.passed_over.swap(false, Ordering::SeqCst)
        {
            self.shared.wanted.notify_one();
        }
        event
    }
}

impl Client {
    /// False when the client is gone or its token has expired, which it is told.
    pub(super) fn lives(&self, now: DateTime<Utc>) -> bool {
        let expired = self.expires_at.is_some_and(|at| at <= now);
        if expired {
            let _full = self
                .sender
                .try_send(Err(errors::status_of(&errors::codes::AUTH_TOKEN_EXPIRED)));
        }
        !expired && !self.sender.is_closed()
    }

    /// Whether a whole page fits. If not, the client's end says when it does.
    pub(super) fn has_room(&self) -> bool {
        // Before looking: a client that makes room right after the look must find it.
        self.passed_over.store(true, Ordering::SeqCst);
        let room = self.sender.capacity() > PAGE as usize;
        if room {
            self.passed_over.store(false, Ordering::SeqCst);
        }
        room
    }

    /// Whether its caller sees only some conversations.
    pub(super) const fn is_narrowed(&self) -> bool {
        self.sight.reach().is_some()
    }

    pub(super) const fn place(&self) -> (OrganizationId, Cursor) {
        (self.organization_id, self.cursor)
    }

    /// Hands a page over, with what of it the API shows to this caller; false when the stream ends.
    pub(super) fn deliver(
        &mut self,
        page: &FeedPage,
        events: &[Event],
        places: &Places,
        now: DateTime<Utc>,
    ) -> bool {
        if page.expired {
            let _full = self.sender.try_send(Err(to_status(&Error::CursorExpired)));
            return false;
        }
        self.cursor = page.next;
        for event in events
            .iter()
            .filter_map(|event| self.sight.event(event, places))
        {
            self.told_at = now;
            if self.sender.try_send(Ok(event)).is_err() {
                return false;
            }
        }
        let quiet = (now - self.told_at).to_std().unwrap_or_default();
        if quiet >= HEARTBEAT {
            self.told_at = now;
            let heartbeat = show::heartbeat(self.cursor, now);
            return self.sender.try_send(Ok(heartbeat)).is_ok();
        }
        true
    }
}
