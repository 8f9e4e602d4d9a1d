//! The public HTTP surface.

mod answers;
mod blame;
mod events;
mod headers;
mod openapi;
mod rest;
pub(crate) mod routes;

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    routing::{MethodFilter, MethodRouter, get},
};
use http::{HeaderMap, Method};
use sb_http::Border;

use self::{
    openapi::Document,
    routes::{Route, RoutesError},
};
use crate::app::Gateway;

/// The router of the whole API.
///
/// # Errors
///
/// [`RoutesError`]: the generated description of the API is inconsistent.
pub(crate) fn router(gateway: &Arc<Gateway>) -> Result<Router, RoutesError> {
    let document = Document::new();
    let mut router = Router::new().route(
        openapi::PATH,
        get(move |headers: HeaderMap| {
            let answer = document.answer(&headers);
            std::future::ready(answer)
        }),
    );
    for route in routes::all()? {
        router = router.route(&route.path, methods(gateway, &route)?);
    }
    Ok(router.layer(Border))
}

fn methods(gateway: &Arc<Gateway>, route: &Route) -> Result<MethodRouter, RoutesError> {
    let mut methods = MethodRouter::new();
    for operation in route.operations.iter().copied() {
        let gateway = Arc::clone(gateway);
        let filter = Method::from_bytes(operation.method.as_bytes())
            .ok()
            .and_then(|method| MethodFilter::try_from(method).ok())
            .ok_or_else(|| RoutesError::NotAnRpc(route.path.clone()))?;
        methods = methods.on(filter, move |request: Request| {
            rest::serve(Arc::clone(&gateway), operation, request)
        });
    }
    Ok(methods)
}
