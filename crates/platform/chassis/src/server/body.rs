use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, response::Parts};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::{Code, Status};

use super::observe::{Call, Protocol};

/// The body of an answer, which notes when the answer has been sent and how it ended: gRPC says
/// so only behind the body.
#[derive(Debug)]
pub(super) struct ObservedBody {
    inner: Body,
    call: Call,
    status: u16,
    code: Option<Code>,
    ended: bool,
}

impl ObservedBody {
    pub(super) fn new(inner: Body, call: Call, head: &Parts) -> Self {
        Self {
            inner,
            call,
            status: head.status.as_u16(),
            code: grpc_code(&head.headers),
            ended: false,
        }
    }

    fn end(&mut self, whole: bool) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        match self.call.protocol {
            Protocol::Http => self.call.end_http(self.status, whole),
            Protocol::Grpc => {
                let unsaid = if whole {
                    Code::Unknown
                } else {
                    Code::Cancelled
                };
                self.call.end_grpc(self.code.unwrap_or(unsaid), whole);
            }
        }
    }
}

/// The status in headers or trailers.
pub(crate) fn grpc_code(headers: &HeaderMap) -> Option<Code> {
    headers
        .get(Status::GRPC_STATUS)
        .map(|value| Code::from_bytes(value.as_bytes()))
}

impl HttpBody for ObservedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let frame = {
            let _entered = this.call.span.enter();
            ready!(Pin::new(&mut this.inner).poll_frame(context))
        };
        match &frame {
            None => this.end(true),
            Some(Err(_)) => this.end(false),
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.code = grpc_code(trailers).or(this.code);
                    this.end(true);
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

/// A body with a known length is not polled again behind its last byte; one that is dropped
/// before its end had a client that went away.
impl Drop for ObservedBody {
    fn drop(&mut self) {
        let whole = self.inner.is_end_stream();
        self.end(whole);
    }
}
