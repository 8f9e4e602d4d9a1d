//! Calls that the gateway makes as itself, for a request whose caller has no credential of ours yet.

use errors::{Problem, codes};
use http::HeaderMap;
use sb_http::ProblemResponse;
use tonic::{Code, Request, Response, Status, metadata::MetadataMap};

use super::{client::Client, headers};
use crate::app::Gateway;

/// A call with the gateway's own token that tells where the request comes from.
///
/// # Errors
///
/// 503 when identity can't be asked for a token, 504 when it does not answer, 500 when it gives none.
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

/// What identity answered to a [`call`].
///
/// # Errors
///
/// What identity refused; 503 where it refused the gateway itself, about which the caller can do nothing.
pub(super) fn answer<T>(
    gateway: &Gateway,
    answer: Result<Response<T>, Status>,
) -> Result<T, ProblemResponse> {
    let status = match answer {
        Ok(answer) => return Ok(answer.into_inner()),
        Err(status) => status,
    };
    if !is_refusal_of_ourselves(&status) {
        return Err(ProblemResponse::from(&status));
    }
    tracing::error!(grpc.code = ?status.code(), "identity does not accept the gateway's own token");
    gateway.own_token.forget();
    Err(ProblemResponse::new(&codes::UNAVAILABLE))
}

/// No credential but ours was in the call; a provider that vouches for nobody is the other reason to refuse one.
fn is_refusal_of_ourselves(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unauthenticated | Code::PermissionDenied
    ) && Problem::from_status(status).code != codes::AUTH_SSO_FAILED.id
}
