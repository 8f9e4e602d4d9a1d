//! What one client of the event stream is sent, until one side ends it.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, TimeDelta, Utc};
use clock::Clock;
use errors::{Problem, codes};
use futures::{Stream, stream};
use tokio_util::sync::CancellationToken;

use super::{
    frame,
    upstream::{Heard, Upstream},
};

/// Events that arrived together are sent together, up to this size.
const BATCH_BYTES: usize = 32 * 1024;

/// One client's stream.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) upstream: Upstream,
    pub(super) clock: Clock,
    /// Time between signs of life.
    pub(super) heartbeat: Duration,
    /// How long the client is asked to wait before it comes back.
    pub(super) retry: Duration,
    /// When the client's token ends, and with it the stream.
    pub(super) expires_at: DateTime<Utc>,
    /// The gateway is stopping.
    pub(super) stop: CancellationToken,
}

enum Step {
    Stopping,
    Expired,
    Heard(Heard),
    Quiet,
}

/// A feed that may have more to say.
enum State {
    Opening(Feed),
    Running(Feed),
    Ended,
}

impl Feed {
    /// The body of the answer. It never fails: it ends, and the client comes back with the last id
    /// it saw.
    pub(super) fn into_stream(self) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> {
        stream::unfold(State::Opening(self), |state| async move {
            match state {
                State::Opening(feed) => {
                    let mut out = BytesMut::new();
                    frame::retry(&mut out, feed.retry);
                    Some((Ok(out.freeze()), State::Running(feed)))
                }
                State::Running(feed) => {
                    let (bytes, state) = feed.advance().await;
                    Some((Ok(bytes), state))
                }
                State::Ended => None,
            }
        })
    }

    async fn advance(mut self) -> (Bytes, State) {
        let mut out = BytesMut::new();
        let go_on = match self.step().await {
            Step::Heard(heard) => self.write(heard, &mut out),
            Step::Quiet => {
                frame::comment(&mut out, "alive");
                true
            }
            Step::Expired => {
                frame::problem(&mut out, &Problem::new(&codes::AUTH_TOKEN_EXPIRED));
                false
            }
            Step::Stopping => {
                frame::retry(&mut out, self.retry);
                false
            }
        };
        let state = if go_on {
            State::Running(self)
        } else {
            State::Ended
        };
        (out.freeze(), state)
    }

    async fn step(&mut self) -> Step {
        let quiet_until = TimeDelta::from_std(self.heartbeat)
            .ok()
            .and_then(|heartbeat| self.clock.now().checked_add_signed(heartbeat))
            .unwrap_or(self.expires_at);
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Step::Stopping,
            () = self.clock.sleep_until(self.expires_at) => Step::Expired,
            heard = self.upstream.next() => Step::Heard(heard),
            () = self.clock.sleep_until(quiet_until) => Step::Quiet,
        }
    }

    /// Writes what was heard and what else is there already; false at the end of the stream.
    fn write(&mut self, heard: Heard, out: &mut BytesMut) -> bool {
        let mut next = Some(heard);
        while let Some(heard) = next {
            match heard {
                Heard::Event(event) => frame::event(out, &event),
                Heard::Refused(status) => {
                    frame::problem(out, &Problem::from_status(&status));
                    return false;
                }
                Heard::GivenUp => {
                    frame::retry(out, self.retry);
                    return false;
                }
            }
            next = if out.len() < BATCH_BYTES {
                self.upstream.next_ready()
            } else {
                None
            };
        }
        true
    }
}
