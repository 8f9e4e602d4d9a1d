use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::FutureExt;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, Sleep, sleep_until},
};
use tonic::{Code, Status, body::Body};

use super::call::{Call, too_late};
use crate::server::grpc_code;

/// The body of an answer: bound by the call's deadline, and noting how the call ended.
#[derive(Debug)]
pub(super) struct AnswerBody {
    inner: Body,
    call: Call,
    code: Option<Code>,
    deadline: Option<Pin<Box<Sleep>>>,
    _place: Option<OwnedSemaphorePermit>,
}

impl AnswerBody {
    pub(super) fn new(
        inner: Body,
        mut call: Call,
        code: Option<Code>,
        deadline: Option<Instant>,
        place: Option<OwnedSemaphorePermit>,
    ) -> Self {
        // An answer that is all headers has no body to wait for.
        if inner.is_end_stream()
            && let Some(code) = code
        {
            call.end(code);
        }
        Self {
            inner,
            call,
            code,
            deadline: deadline.map(|at| Box::pin(sleep_until(at))),
            _place: place,
        }
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        let frame = match Pin::new(&mut this.inner).poll_frame(context) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                let deadline = this.deadline.as_mut();
                if deadline.is_none_or(|deadline| deadline.poll_unpin(context).is_pending()) {
                    return Poll::Pending;
                }
                Some(Err(too_late()))
            }
        };
        match &frame {
            None => this.call.end(this.code.unwrap_or(Code::Unknown)),
            Some(Err(status)) => this.call.end(status.code()),
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.code = grpc_code(trailers).or(this.code);
                    this.call.end(this.code.unwrap_or(Code::Unknown));
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
