//! What one client of the event stream is sent, until one side ends it.

use std::{pin::pin, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use clock::later;
use errors::{Classify, Problem};
use futures::{Stream, stream};

use super::{
    frame,
    upstream::{Heard, Upstream},
};
use crate::{
    app::Gateway,
    credentials::{Caller, Refused},
};

/// Events that arrived together are sent together, up to this size.
const BATCH_BYTES: usize = 32 * 1024;
/// A stream ends within a second after its token was revoked. What identity says of it may be half a second old.
const RECHECKED_AFTER: Duration = Duration::from_millis(250);

/// One client's stream.
pub(super) struct Feed {
    pub(super) upstream: Upstream,
    pub(super) gateway: Arc<Gateway>,
    /// Whose stream it is: it ends with the token, or as soon as that is revoked.
    pub(super) caller: Arc<Caller>,
    /// When it was last asked whether it is.
    pub(super) rechecked_at: DateTime<Utc>,
    /// When the client was last sent anything.
    pub(super) told_at: DateTime<Utc>,
    /// Time between signs of life.
    pub(super) heartbeat: Duration,
    /// How long the client is asked to wait before it comes back.
    pub(super) retry: Duration,
}

enum Step {
    Stopping,
    Refused(Refused),
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
        let step = self.step().await;
        self.told_at = self.gateway.clock.now();
        let go_on = match step {
            Step::Heard(heard) => self.write(heard, &mut out),
            Step::Quiet => {
                frame::comment(&mut out, "alive");
                true
            }
            Step::Refused(refused) => {
                frame::problem(&mut out, &Problem::new(refused.code()));
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
        let gateway = Arc::clone(&self.gateway);
        let clock = &gateway.clock;
        // One wait through all the checks: whoever comes back to a service that went away must get to the end of its pause.
        let mut heard = pin!(self.upstream.next());
        loop {
            let recheck_at = later(self.rechecked_at, RECHECKED_AFTER);
            let quiet_until = later(self.told_at, self.heartbeat);
            tokio::select! {
                biased;
                () = gateway.stop.cancelled() => return Step::Stopping,
                () = clock.sleep_until(self.caller.expires_at()) => {
                    return Step::Refused(Refused::Expired);
                }
                () = clock.sleep_until(recheck_at) => {}
                heard = &mut heard => return Step::Heard(heard),
                () = clock.sleep_until(quiet_until) => return Step::Quiet,
            }
            self.rechecked_at = clock.now();
            if let Err(refused) = gateway.credentials.recheck(&self.caller).await {
                return Step::Refused(refused);
            }
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
