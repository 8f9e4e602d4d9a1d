//! The event stream of the messaging service, opened again when it breaks.

use std::time::Duration;

use chassis::Channel;
use chrono::{DateTime, Utc};
use clock::{Clock, later};
use http::HeaderMap;
use proto::messaging::v1::{
    Event, WatchEventsRequest, messaging_service_client::MessagingServiceClient,
};
use tonic::{Code, Request, Status, Streaming, metadata::MetadataMap};

/// The wait after the first loss; it doubles with each that follows without an event between.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// How to open the stream.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) client: MessagingServiceClient<Channel>,
    /// Of every call that opens it.
    pub(super) metadata: HeaderMap,
    /// From a loss until the client is told to come back by itself.
    pub(super) give_up_after: Duration,
    /// Between 0 and 1, different for each client: after a restart of the service not all of them
    /// come at once.
    pub(super) spread: f64,
    pub(super) clock: Clock,
}

/// The stream as the client's connection sees it.
#[derive(Debug)]
pub(super) struct Upstream {
    source: Source,
    /// The last event that went to the client; where to go on.
    cursor: Option<String>,
    link: Link,
    /// The losses since the last event. Opening ends none of them: a service that opens streams only to end them is
    /// not to be asked again and again at once.
    losses: Option<Losses>,
}

#[derive(Debug)]
enum Link {
    Open(Box<Streaming<Event>>),
    /// To be opened again then.
    Lost(DateTime<Utc>),
}

#[derive(Debug, Clone, Copy)]
struct Losses {
    since: DateTime<Utc>,
    count: u32,
}

/// What came of listening.
#[derive(Debug)]
pub(super) enum Heard {
    /// The next event.
    Event(Box<Event>),
    /// The stream can't go on, and coming back with the same request won't help.
    Refused(Status),
    /// The stream can't go on here; the client resumes it.
    GivenUp,
}

impl Upstream {
    /// Opens the stream behind `cursor`, or at the present.
    ///
    /// # Errors
    ///
    /// What the service answered, or that it could not be reached.
    pub(super) async fn open(source: Source, cursor: Option<String>) -> Result<Self, Status> {
        let stream = source.open(cursor.as_deref()).await?;
        Ok(Self {
            source,
            cursor,
            link: Link::Open(Box::new(stream)),
            losses: None,
        })
    }

    /// The next event, waited for, across reconnections. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Heard {
        loop {
            match &mut self.link {
                Link::Open(stream) => {
                    let message = stream.message().await;
                    if let Some(heard) = self.take(message) {
                        return heard;
                    }
                }
                Link::Lost(until) => {
                    let until = *until;
                    self.source.clock.sleep_until(until).await;
                    if let Some(heard) = self.reconnect().await {
                        return heard;
                    }
                }
            }
        }
    }

    /// The next event if it has arrived already.
    pub(super) fn next_ready(&mut self) -> Option<Heard> {
        use futures::FutureExt;
        let Link::Open(stream) = &mut self.link else {
            return None;
        };
        let message = stream.message().now_or_never()?;
        self.take(message)
    }

    fn take(&mut self, message: Result<Option<Event>, Status>) -> Option<Heard> {
        match message {
            Ok(Some(event)) => {
                self.losses = None;
                if !event.id.is_empty() {
                    self.cursor = Some(event.id.clone());
                }
                Some(Heard::Event(Box::new(event)))
            }
            // A service that stops ends its streams in order; another replica goes on.
            Ok(None) => self.lose(None),
            Err(status) if is_final(status.code()) => Some(Heard::Refused(status)),
            Err(status) => self.lose(Some(&status)),
        }
    }

    fn lose(&mut self, status: Option<&Status>) -> Option<Heard> {
        tracing::info!(
            grpc.code = status.map(|status| tracing::field::debug(status.code())),
            resumable = self.cursor.is_some(),
            "event stream lost"
        );
        // Without a cursor, what happens meanwhile would be missed without anybody noticing.
        if self.cursor.is_none() {
            return Some(Heard::GivenUp);
        }
        self.wait_or_give_up()
    }

    /// Plans the next attempt, later after each loss, unless the stream has been lost for too long.
    fn wait_or_give_up(&mut self) -> Option<Heard> {
        let now = self.source.clock.now();
        let losses = self.losses.get_or_insert(Losses {
            since: now,
            count: 0,
        });
        self.link = Link::Lost(later(now, self.source.wait(losses.count)));
        losses.count += 1;
        let given_up = now >= later(losses.since, self.source.give_up_after);
        given_up.then_some(Heard::GivenUp)
    }

    async fn reconnect(&mut self) -> Option<Heard> {
        match self.source.open(self.cursor.as_deref()).await {
            Ok(stream) => {
                tracing::info!("event stream resumed");
                self.link = Link::Open(Box::new(stream));
                None
            }
            Err(status) if is_final(status.code()) => Some(Heard::Refused(status)),
            Err(_) => self.wait_or_give_up(),
        }
    }
}

impl Source {
    /// The channel bounds how long this may take.
    async fn open(&self, cursor: Option<&str>) -> Result<Streaming<Event>, Status> {
        let mut request = Request::new(WatchEventsRequest {
            cursor: cursor.unwrap_or_default().to_owned(),
        });
        *request.metadata_mut() = MetadataMap::from_headers(self.metadata.clone());
        let opened = self.client.clone().watch_events(request).await?;
        Ok(opened.into_inner())
    }

    /// Half of it fixed, half of it spread.
    fn wait(&self, losses: u32) -> Duration {
        let doubled = FIRST_WAIT.saturating_mul(1 << losses.min(10));
        doubled
            .min(LONGEST_WAIT)
            .mul_f64(0.5 + self.spread.clamp(0.0, 1.0) / 2.0)
    }
}

/// The service means it: asking again with the same token and cursor gives the same answer.
fn is_final(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidArgument
            | Code::Unauthenticated
            | Code::PermissionDenied
            | Code::NotFound
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::Unimplemented
    )
}
