//! The layer around a public router.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use errors::codes;
use futures::{FutureExt, future::BoxFuture};
use http::{StatusCode, header};
use tower::{Layer, Service};

use crate::{PROBLEM_JSON, ProblemResponse, REQUEST_ID, RequestId, refusal, security};

/// Extension of an error answer that is a document of another protocol: its status and body are that protocol's, and the
/// [`Border`] leaves them as they are.
#[derive(Debug, Clone, Copy)]
pub struct ForeignError;

/// Gives every answer its request's id and its headers, catches panics, and makes a problem
/// document of every error, also of those that the framework answers by itself; not of a [`ForeignError`].
///
/// It must be the outermost layer of the router that sees fallbacks: `router.layer(Border)`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Border;

impl<S> Layer<S> for Border {
    type Service = BorderService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        BorderService(inner)
    }
}

/// What [`Border`] makes of a service.
#[derive(Debug, Clone)]
pub struct BorderService<S>(S);

impl<S> Service<Request> for BorderService<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        // The server has given it one, unless the router is asked without a server, as by a test.
        // What is passed on upstream is the checked id, whatever the caller sent.
        let known = request.extensions().get::<RequestId>().cloned();
        let id = known.unwrap_or_else(|| RequestId::of(request.headers()));
        request.headers_mut().insert(REQUEST_ID, id.header());
        request.extensions_mut().insert(id.clone());
        let answer = AssertUnwindSafe(self.0.call(request)).catch_unwind();
        Box::pin(async move {
            let response = match answer.await {
                Ok(Ok(response)) => response,
                Ok(Err(never)) => match never {},
                Err(_) => after_panic(&id),
            };
            Ok(finish(response, &id))
        })
    }
}

/// The panic's own words are the panic hook's business: they may quote what a caller sent.
fn after_panic(id: &RequestId) -> Response {
    tracing::error!(request.id = %id, "request handler panicked");
    ProblemResponse::new(&codes::INTERNAL).into_response()
}

fn finish(mut response: Response, id: &RequestId) -> Response {
    if let Some(problem) = response.extensions_mut().remove::<ProblemResponse>() {
        response = replace(response, problem.with_request_id(id));
    } else if is_bare_error(&response) {
        let problem = of_status(&response).with_request_id(id);
        response = replace(response, problem);
    }
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id.header());
    security::add(headers);
    response
}

/// An error that nobody made a problem of: the router's 404 and 405, an extractor's refusal.
fn is_bare_error(response: &Response) -> bool {
    let status = response.status();
    (status.is_client_error() || status.is_server_error())
        && response.extensions().get::<ForeignError>().is_none()
        && response.headers().get(header::CONTENT_TYPE) != Some(&PROBLEM_JSON)
}

/// Puts the document in the place of the body; headers that layers added stay.
fn replace(response: Response, problem: ProblemResponse) -> Response {
    let (mut parts, _) = response.into_parts();
    let (fresh, body) = problem.into_response().into_parts();
    parts.status = fresh.status;
    parts.headers.remove(header::CONTENT_LENGTH);
    for (name, value) in &fresh.headers {
        parts.headers.insert(name.clone(), value.clone());
    }
    Response::from_parts(parts, body)
}

fn of_status(response: &Response<Body>) -> ProblemResponse {
    let status = response.status();
    match status {
        StatusCode::NOT_FOUND => refusal::route_unknown(),
        // `Allow` is there already, or is added by the router, which may do so outside of us.
        StatusCode::METHOD_NOT_ALLOWED => refusal::method_not_allowed(),
        StatusCode::PAYLOAD_TOO_LARGE => ProblemResponse::new(&codes::REQUEST_TOO_LARGE),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ProblemResponse::new(&codes::MEDIA_TYPE_UNSUPPORTED),
        StatusCode::UNAUTHORIZED => ProblemResponse::new(&codes::AUTH_UNAUTHENTICATED),
        StatusCode::FORBIDDEN => ProblemResponse::new(&codes::AUTH_FORBIDDEN),
        StatusCode::TOO_MANY_REQUESTS => ProblemResponse::new(&codes::RATE_LIMITED),
        StatusCode::SERVICE_UNAVAILABLE => ProblemResponse::new(&codes::UNAVAILABLE),
        StatusCode::GATEWAY_TIMEOUT => ProblemResponse::new(&codes::TIMEOUT),
        other if other.is_client_error() => ProblemResponse::new(&codes::REQUEST_MALFORMED),
        _ => ProblemResponse::new(&codes::INTERNAL),
    }
    .with_status(status)
}
