use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use http::Method;
use tokio::time::Instant;
use tracing::{Instrument, Span, field};

use super::{Instruments, body::ObservedBody};
use crate::{
    request::{self, Current, REQUEST_ID, RequestId},
    telemetry::propagation,
};

/// What a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http,
    Grpc,
}

impl Protocol {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Grpc => "grpc",
        }
    }
}

/// Gives each request an id and a span, and measures it. Neither bodies nor paths nor query
/// strings are recorded, only the route: the rest may hold secrets.
#[derive(Clone, Debug)]
pub(crate) struct Observer {
    pub(crate) service: &'static str,
    pub(crate) protocol: Protocol,
    pub(crate) instruments: Instruments,
}

/// A request under way, until its answer has been sent.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) span: Span,
    pub(super) started: Instant,
    pub(super) protocol: Protocol,
    pub(super) instruments: Instruments,
    method: &'static str,
    route: String,
    ended: bool,
}

/// The middleware.
pub(super) async fn observe(
    State(observer): State<Observer>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = RequestId::of(request.headers());
    let call = observer.begin(&request, &id);
    let header = id.header();
    request.headers_mut().insert(REQUEST_ID, header.clone());
    request.extensions_mut().insert(id.clone());
    let current = Current { id, deadline: None };
    let span = call.span.clone();
    let answering = request::serving(current, next.run(request)).instrument(span);
    let mut response = answering.await;
    response.headers_mut().insert(REQUEST_ID, header);
    let (head, body) = response.into_parts();
    let body = ObservedBody::new(body, call, &head);
    Response::from_parts(head, Body::new(body))
}

impl Observer {
    fn begin(&self, request: &Request, id: &RequestId) -> Call {
        let method = method_name(request.method());
        let route = match self.protocol {
            Protocol::Http => request
                .extensions()
                .get::<MatchedPath>()
                .map_or("unmatched", MatchedPath::as_str),
            Protocol::Grpc => request.uri().path().trim_start_matches('/'),
        };
        let span = match self.protocol {
            Protocol::Http => tracing::info_span!(
                "http.request",
                otel.name = format!("{method} {route}"),
                otel.kind = "server",
                otel.status_code = field::Empty,
                service.name = self.service,
                request.id = id.as_str(),
                http.request.method = method,
                http.route = route,
                http.response.status_code = field::Empty,
            ),
            Protocol::Grpc => tracing::info_span!(
                "grpc.call",
                otel.name = route,
                otel.kind = "server",
                otel.status_code = field::Empty,
                service.name = self.service,
                request.id = id.as_str(),
                rpc.system = "grpc",
                rpc.method = route,
                // Who called, and for which organization: filled in once the caller is known.
                actor = field::Empty,
                organization.id = field::Empty,
                rpc.grpc.status_code = field::Empty,
            ),
        };
        propagation::continue_from(request.headers(), &span);
        self.instruments.started(self.protocol.name());
        Call {
            span,
            started: Instant::now(),
            protocol: self.protocol,
            instruments: self.instruments.clone(),
            method,
            route: route.to_owned(),
            ended: false,
        }
    }
}

/// Methods anybody may invent must not become metric labels.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

impl Call {
    /// Records how an HTTP request ended.
    pub(super) fn end_http(&mut self, status: u16, whole: bool) {
        self.ended = true;
        let elapsed = self.started.elapsed();
        self.span.record("http.response.status_code", status);
        if status >= 500 {
            self.span.record("otel.status_code", "ERROR");
        }
        let seconds = elapsed.as_secs_f64();
        self.instruments
            .http(seconds, self.method, self.route.clone(), status);
        let _entered = self.span.enter();
        let ms = elapsed.as_secs_f64() * 1e3;
        if status >= 500 {
            tracing::warn!(duration_ms = ms, status, whole, "request failed");
        } else {
            tracing::debug!(duration_ms = ms, status, whole, "request answered");
        }
    }

    /// Records how a gRPC call ended.
    pub(super) fn end_grpc(&mut self, code: tonic::Code, whole: bool) {
        use tonic::Code;
        self.ended = true;
        let elapsed = self.started.elapsed();
        self.span.record("rpc.grpc.status_code", i32::from(code));
        let failed = matches!(
            code,
            Code::Internal | Code::Unknown | Code::DataLoss | Code::Unavailable
        );
        if failed {
            self.span.record("otel.status_code", "ERROR");
        }
        // Methods that do not exist are the caller's invention, and must not become labels.
        let method = match code {
            Code::Unimplemented => "unknown".to_owned(),
            _ => self.route.clone(),
        };
        self.instruments.grpc(elapsed.as_secs_f64(), method, code);
        let _entered = self.span.enter();
        let ms = elapsed.as_secs_f64() * 1e3;
        if failed {
            tracing::warn!(duration_ms = ms, code = ?code, whole, "call failed");
        } else {
            tracing::debug!(duration_ms = ms, code = ?code, whole, "call answered");
        }
    }
}

/// Set by proxies for a client that went away before there was an answer.
const CLIENT_CLOSED: u16 = 499;

/// However a request ends, it is not active any more. One dropped before its answer began had a
/// client that went away, or a server that ran out of grace.
impl Drop for Call {
    fn drop(&mut self) {
        if !self.ended {
            match self.protocol {
                Protocol::Http => self.end_http(CLIENT_CLOSED, false),
                Protocol::Grpc => self.end_grpc(tonic::Code::Cancelled, false),
            }
        }
        self.instruments.ended(self.protocol.name());
    }
}
