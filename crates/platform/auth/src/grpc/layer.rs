//! The tower layer.

use std::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use errors::to_status;
use http::{Request, Response};
use proto::access;
use tonic::Status;
use tower::{Layer, Service};

use super::Authorizer;

/// Lets a call through to the server only if its method's rule allows the caller, and puts the
/// [`RequestContext`](crate::RequestContext) into the request's extensions. A method without a rule is denied.
///
/// The chassis serves health and reflection outside of the layer, to anybody.
#[derive(Debug, Clone)]
pub struct GrpcLayer(Authorizer);

/// [`GrpcLayer`] around a server.
#[derive(Debug, Clone)]
pub struct GrpcService<S> {
    inner: S,
    authorizer: Authorizer,
}

impl GrpcLayer {
    /// A layer that decides with `authorizer`.
    pub const fn new(authorizer: Authorizer) -> Self {
        Self(authorizer)
    }
}

impl<S> Layer<S> for GrpcLayer {
    type Service = GrpcService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        GrpcService {
            inner,
            authorizer: self.0.clone(),
        }
    }
}

impl<S, B, R> Service<Request<B>> for GrpcService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The clone is not ready; the one that is must serve this request.
        let fresh = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, fresh);
        let authorizer = self.authorizer.clone();
        Box::pin(async move {
            let Some(access) = access::find(request.uri().path()) else {
                return Ok(Status::unimplemented("there is no such method").into_http());
            };
            match authorizer.admit(access, request.headers()).await {
                Ok(context) => {
                    let span = tracing::Span::current();
                    if let Some(principal) = &context.principal {
                        span.record("actor", tracing::field::display(principal.actor()));
                    }
                    if let Some(id) = &context.organization_id {
                        span.record("organization.id", tracing::field::display(id));
                    }
                    request.extensions_mut().insert(context);
                    inner.call(request).await
                }
                Err(error) => Ok(to_status(&error).into_http()),
            }
        })
    }
}
