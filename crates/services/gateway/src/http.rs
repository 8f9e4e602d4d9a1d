//! The public HTTP surface.

mod answers;
mod blame;
mod browser;
mod client;
mod cors;
mod events;
mod headers;
mod inside;
mod openapi;
mod rest;
pub(crate) mod routes;
mod scim;
mod sso;

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    routing::{MethodFilter, MethodRouter, get},
};
use http::{HeaderMap, Method};
use sb_http::Border;

use self::{
    browser::Door,
    cors::Cors,
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
        router = router.route(&route.path, methods(gateway, &route, Door::Api)?);
        if let Some(route) = for_browsers(&route) {
            router = router.route(&route.path, methods(gateway, &route, Door::Browser)?);
        }
    }
    let carried = sso::routes().merge(scim::routes());
    router = router.merge(carried.with_state(Arc::clone(gateway)));
    if let Some(cors) = Cors::of(&gateway.settings.cors.origins) {
        router = router.layer(axum::middleware::from_fn_with_state(cors, cors::handle));
    }
    Ok(router.layer(Border))
}

/// The part of a route that is served for browsers under another path.
fn for_browsers(route: &Route) -> Option<Route> {
    let mut operations = route.operations.clone();
    operations.retain(|operation| browser::path(&route.path, *operation).is_some());
    let path = browser::path(&route.path, *operations.first()?)?;
    Some(Route { path, operations })
}

fn methods(gateway: &Arc<Gateway>, route: &Route, door: Door) -> Result<MethodRouter, RoutesError> {
    let mut methods = MethodRouter::new();
    for operation in route.operations.iter().copied() {
        let gateway = Arc::clone(gateway);
        let filter = Method::from_bytes(operation.method.as_bytes())
            .ok()
            .and_then(|method| MethodFilter::try_from(method).ok())
            .ok_or_else(|| RoutesError::NotAnRpc(route.path.clone()))?;
        methods = methods.on(filter, move |request: Request| {
            rest::serve(Arc::clone(&gateway), operation, door, request)
        });
    }
    Ok(methods)
}
