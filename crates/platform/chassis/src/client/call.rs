//! One call to another service, from its deadline to the last byte of its answer.

use std::{error::Error, future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header::AUTHORIZATION, request::Parts as Head};
use http_body_util::{BodyExt, Full};
use secrecy::ExposeSecret;
use tokio::time::Instant;
use tonic::{Code, Status, body::Body};
use tower::{Service, ServiceExt};
use tracing::{Instrument, Span, field};

use super::{body::AnswerBody, channel::Parts, methods::Method, retry};
use crate::{
    request::{self, REQUEST_ID},
    server::{deadline, grpc_code},
    telemetry::propagation,
};

/// A call's identity, kept until its answer has been read.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) parts: Arc<Parts>,
    pub(super) span: Span,
    pub(super) started: Instant,
    pub(super) path: String,
    ended: bool,
}

impl Call {
    /// Records how the call ended; only the first end counts.
    pub(super) fn end(&mut self, code: Code) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.span.record("rpc.grpc.status_code", i32::from(code));
        if code != Code::Ok {
            self.span.record("otel.status_code", "ERROR");
        }
        let method = self.path.trim_start_matches('/');
        let elapsed = self.started.elapsed();
        self.parts.instruments.ended(method, elapsed, code);
    }
}

/// A call that is dropped was given up by us.
impl Drop for Call {
    fn drop(&mut self) {
        self.end(Code::Cancelled);
    }
}

pub(super) async fn run(
    parts: Arc<Parts>,
    request: Request<Body>,
) -> Result<Response<Body>, Status> {
    let path = request.uri().path().to_owned();
    let method = parts.methods.of(&path);
    let name = path.trim_start_matches('/');
    let span = tracing::info_span!(
        "grpc.request",
        otel.name = name,
        otel.kind = "client",
        otel.status_code = field::Empty,
        rpc.system = "grpc",
        rpc.method = name,
        rpc.grpc.status_code = field::Empty,
    );
    let mut call = Call {
        parts,
        span: span.clone(),
        started: Instant::now(),
        path,
        ended: false,
    };
    match send(&call, method, request).instrument(span).await {
        Ok(answer) => Ok(answer.into_response(call)),
        Err(status) => {
            call.end(status.code());
            Err(status)
        }
    }
}

struct Answer {
    response: Response<Body>,
    deadline: Option<Instant>,
    place: Option<tokio::sync::OwnedSemaphorePermit>,
}

impl Answer {
    fn into_response(self, call: Call) -> Response<Body> {
        let (head, body) = self.response.into_parts();
        let code = grpc_code(&head.headers);
        let body = AnswerBody::new(body, call, code, self.deadline, self.place);
        Response::from_parts(head, Body::new(body))
    }
}

async fn send(call: &Call, method: Method, request: Request<Body>) -> Result<Answer, Status> {
    let (mut head, body) = request.into_parts();
    let limit = limit(call.parts.timeout, deadline::parse(&head.headers));
    if limit.is_zero() {
        return Err(too_late());
    }
    let deadline = call.started + limit;
    let place = within(deadline, Arc::clone(&call.parts.places).acquire_owned())
        .await?
        .map_err(|_| Status::unavailable("channel is closed"))?;
    authorize(&mut head, call, deadline).await?;
    propagation::inject(&call.span, &mut head.headers);
    if let Some(id) = request::current().map(|current| current.id.header()) {
        head.headers.insert(REQUEST_ID, id);
    }
    let response = if method.repeatable {
        let body = within(deadline, body.collect()).await??.to_bytes();
        repeat(call, &head, &body, deadline).await?
    } else {
        once(call, method, head, body, deadline).await?
    };
    // A stream may last: it keeps neither its place nor its deadline.
    let (deadline, place) = if method.streams {
        (None, None)
    } else {
        (Some(deadline), Some(place))
    };
    Ok(Answer {
        response,
        deadline,
        place,
    })
}

/// The shortest of what is configured, what this call asks for, and nine tenths of what our own
/// caller still waits: the last tenth is for us to answer it.
fn limit(configured: Duration, asked: Option<Duration>) -> Duration {
    let inherited = request::time_left().map(|left| left.mul_f64(0.9));
    [asked, inherited]
        .into_iter()
        .flatten()
        .fold(configured, Duration::min)
}

async fn within<F: Future>(deadline: Instant, future: F) -> Result<F::Output, Status> {
    tokio::time::timeout_at(deadline, future)
        .await
        .map_err(|_| too_late())
}

pub(super) fn too_late() -> Status {
    errors::status_of(&errors::codes::TIMEOUT)
}

/// The caller's own token stays: it says for whom the call is made.
async fn authorize(head: &mut Head, call: &Call, deadline: Instant) -> Result<(), Status> {
    let Some(tokens) = call.parts.tokens.as_ref() else {
        return Ok(());
    };
    if head.headers.contains_key(AUTHORIZATION) {
        return Ok(());
    }
    let token = within(deadline, tokens.token()).await??;
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
        .map_err(|_| Status::internal("the service token cannot be a header"))?;
    value.set_sensitive(true);
    head.headers.insert(AUTHORIZATION, value);
    Ok(())
}

async fn repeat(
    call: &Call,
    head: &Head,
    body: &Bytes,
    deadline: Instant,
) -> Result<Response<Body>, Status> {
    let mut tries = 1;
    loop {
        let body = Body::new(Full::new(body.clone()));
        let method = Method {
            repeatable: true,
            streams: false,
        };
        let result = once(call, method, head.clone(), body, deadline).await;
        let code = match &result {
            Ok(response) => grpc_code(response.headers()).unwrap_or(Code::Ok),
            Err(status) => status.code(),
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let Some(pause) = retry::pause(tries, code, &call.parts.jitter, left) else {
            return result;
        };
        tries += 1;
        tracing::debug!(tries, "callee unavailable, trying again");
        call.parts
            .instruments
            .retried(call.path.trim_start_matches('/'));
        tokio::time::sleep(pause).await;
    }
}

async fn once(
    call: &Call,
    method: Method,
    mut head: Head,
    body: Body,
    deadline: Instant,
) -> Result<Response<Body>, Status> {
    let left = deadline.saturating_duration_since(Instant::now());
    // The callee would end a stream that is doing well.
    if method.streams {
        head.headers.remove(deadline::GRPC_TIMEOUT);
    } else if let Ok(value) = HeaderValue::try_from(deadline::format(left)) {
        head.headers.insert(deadline::GRPC_TIMEOUT, value);
    }
    let mut channel = call.parts.inner.clone();
    let answering = async move {
        let channel = channel.ready().await?;
        channel.call(Request::from_parts(head, body)).await
    };
    match within(deadline, answering).await? {
        Ok(response) => Ok(response),
        Err(error) => Err(unreachable(error)),
    }
}

/// A connection that could not be made or broke: the callee is unavailable, whatever the library
/// calls it.
fn unreachable(error: tonic::transport::Error) -> Status {
    // The library reads the deadline we sent, and may be the first to see it pass.
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<tonic::TimeoutExpired>() {
            return too_late();
        }
        cause = error.source();
    }
    let mut status = Status::from_error(Box::new(error));
    if matches!(
        status.code(),
        Code::Unknown | Code::Internal | Code::Cancelled
    ) {
        let source: Box<dyn Error + Send + Sync> = Box::new(status);
        status = Status::unavailable("connection to the service failed");
        status.set_source(Arc::from(source));
    }
    status
}
