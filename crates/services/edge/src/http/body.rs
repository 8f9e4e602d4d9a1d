//! Reading a body from somebody unknown: within a size, a time, a speed and a share of the memory.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{BoxError, body::Body};
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use sb_http::body::{BodyError, Limits};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep},
};

use crate::error::Error;

/// A connection needs some time to reach its speed.
const START: Duration = Duration::from_secs(2);

/// What a body may cost.
#[derive(Debug)]
pub(crate) struct BodyTerms {
    pub(crate) timeout: Duration,
    pub(crate) min_bytes_per_second: u32,
    /// Bytes left for bodies in memory.
    pub(crate) room: Arc<Semaphore>,
}

/// Reads a body of at most `max_bytes`, and takes its share of the memory as it arrives: announcing a large one costs nobody anything.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    max_bytes: usize,
    terms: &BodyTerms,
) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Error> {
    let limits = Limits {
        max_bytes,
        timeout: terms.timeout,
    };
    let mut metered = Metered::new(body, terms);
    let read = sb_http::body::read(headers, &mut metered, limits).await;
    match read {
        Ok(bytes) => Ok((bytes, metered.share)),
        Err(BodyError::Broken(cause)) => Err(match cause.downcast_ref::<Interrupted>() {
            Some(Interrupted::TooSlow) => Error::Body(BodyError::TooSlow),
            Some(Interrupted::NoRoom) => Error::Crowded,
            None => Error::Body(BodyError::Broken(cause)),
        }),
        Err(error) => Err(Error::Body(error)),
    }
}

/// Why reading stopped on our side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Interrupted {
    #[error("slower than allowed")]
    TooSlow,
    #[error("no memory left for bodies")]
    NoRoom,
}

/// A body whose bytes are counted as they come. Each byte buys time at the lowest speed that is allowed.
struct Metered<'a> {
    inner: Body,
    terms: &'a BodyTerms,
    started: Instant,
    received: u64,
    share: Option<OwnedSemaphorePermit>,
    /// Made at the first wait: nearly every body arrives with its headers.
    patience: Option<Pin<Box<Sleep>>>,
}

impl<'a> Metered<'a> {
    fn new(inner: Body, terms: &'a BodyTerms) -> Self {
        Self {
            inner,
            terms,
            started: Instant::now(),
            received: 0,
            share: None,
            patience: None,
        }
    }

    fn deadline(&self) -> Instant {
        let speed = f64::from(self.terms.min_bytes_per_second.max(1));
        #[expect(
            clippy::cast_precision_loss,
            reason = "a body has at most a few million bytes"
        )]
        let bought = Duration::from_secs_f64(self.received as f64 / speed);
        self.started + START + bought
    }

    fn take(&mut self, bytes: usize) -> Result<(), Interrupted> {
        self.received += bytes as u64;
        let bytes = u32::try_from(bytes).map_err(|_| Interrupted::NoRoom)?;
        let room = Arc::clone(&self.terms.room);
        let more = room
            .try_acquire_many_owned(bytes)
            .map_err(|_| Interrupted::NoRoom)?;
        match &mut self.share {
            Some(share) => share.merge(more),
            None => self.share = Some(more),
        }
        Ok(())
    }

    fn poll_patience(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline();
        let patience = self
            .patience
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if patience.deadline() != deadline {
            patience.as_mut().reset(deadline);
        }
        patience.as_mut().poll(context)
    }
}

impl http_body::Body for Metered<'_> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(context) else {
            ready!(this.poll_patience(context));
            return Poll::Ready(Some(Err(Interrupted::TooSlow.into())));
        };
        Poll::Ready(frame.map(|frame| {
            let frame = frame?;
            this.take(frame.data_ref().map_or(0, Bytes::len))?;
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures::{StreamExt, stream};

    use super::*;

    const ANY_SIZE: usize = usize::MAX;

    fn terms(min_bytes_per_second: u32, room: usize) -> BodyTerms {
        BodyTerms {
            timeout: Duration::from_secs(10),
            min_bytes_per_second,
            room: Arc::new(Semaphore::new(room)),
        }
    }

    /// So many bytes each second, for ever.
    fn drip(bytes: usize) -> Body {
        let ticks = stream::iter(1u64..).then(move |_| async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; bytes]))
        });
        Body::from_stream(ticks)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_below_the_lowest_speed_is_given_up_early() {
        let terms = terms(100, 1_000_000);
        let started = Instant::now();
        let refused = read(&HeaderMap::new(), drip(10), ANY_SIZE, &terms).await;
        assert!(matches!(refused, Err(Error::Body(BodyError::TooSlow))));
        assert!(
            started.elapsed() < Duration::from_secs(3),
            "{:?}",
            started.elapsed()
        );
        assert_eq!(terms.room.available_permits(), 1_000_000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_at_speed_has_its_time_and_no_more() {
        let started = Instant::now();
        let refused = read(
            &HeaderMap::new(),
            drip(200),
            ANY_SIZE,
            &terms(100, 1_000_000),
        )
        .await;
        assert!(matches!(refused, Err(Error::Body(BodyError::TooSlow))));
        assert_eq!(started.elapsed(), Duration::from_secs(10));
    }

    #[tokio::test]
    async fn memory_is_taken_as_bytes_arrive_and_given_back() {
        let terms = terms(100, 10);
        let headers = HeaderMap::new();
        let read_six = || read(&headers, Body::from("sixsix"), ANY_SIZE, &terms);
        let (body, share) = read_six().await.expect("there is room");
        assert_eq!(body, "sixsix");
        assert_eq!(terms.room.available_permits(), 4);
        assert!(matches!(read_six().await, Err(Error::Crowded)));
        drop(share);
        assert!(read_six().await.is_ok());
    }
}
