//! Calls that the gateway makes as itself, for a request whose caller has no credential of ours yet.

use http::HeaderMap;
use sb_http::ProblemResponse;
use tonic::{Request, metadata::MetadataMap};

use super::{client::Client, headers};
use crate::app::Gateway;

/// A call with the gateway's own token that tells where the request comes from.
///
/// # Errors
///
/// 503 when identity gives the gateway no token.
pub(super) async fn call<T>(
    gateway: &Gateway,
    message: T,
    request: &HeaderMap,
    client: &Client,
) -> Result<Request<T>, ProblemResponse> {
    let mut call = Request::new(message);
    *call.metadata_mut() = MetadataMap::from_headers(headers::of_client(request, client));
    gateway
        .own_token
        .authorize(&mut call, None)
        .await
        .map_err(|error| ProblemResponse::of(&error))?;
    Ok(call)
}
