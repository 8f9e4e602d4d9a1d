//! One request to the REST API: credentials, body, transcoder, answer.

use std::sync::Arc;

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, Uri, header};
use proto::access::Rule;
use rest_over_grpc::transcoding::{Transcode, TranscodeResponse};
use sb_http::{ProblemResponse, body, refusal};

use super::{
    answers::{self, Answer},
    blame::{self, Unreadable},
    events, headers,
    routes::Operation,
};
use crate::{app::Gateway, credentials::Caller};

/// Serves the operation that the route belongs to.
pub(super) async fn serve(
    gateway: Arc<Gateway>,
    operation: Operation,
    request: Request,
) -> Response {
    match Box::pin(answer(&gateway, operation, request)).await {
        Ok(response) => response,
        Err(problem) => answers::challenged(problem).into_response(),
    }
}

async fn answer(
    gateway: &Arc<Gateway>,
    operation: Operation,
    request: Request,
) -> Result<Response, ProblemResponse> {
    let caller = admit(gateway, operation, request.headers()).await?;
    if operation.access.path == events::RPC
        && let Some(caller) = &caller
    {
        return events::serve(gateway, caller, request).await;
    }
    let (parts, stream) = request.into_parts();
    let body = body::read(&parts.headers, stream, gateway.settings.api.body()).await?;
    check_format(&parts.headers, &body)?;
    let metadata = headers::to_metadata(&parts.headers, caller.as_deref())?;
    let answer = transcode(gateway, operation, &parts.uri, metadata, &body).await?;
    match answer {
        TranscodeResponse::Streaming(stream) => Ok(answers::stream(stream)),
        TranscodeResponse::Unary(answer) => match answers::unary(answer) {
            Answer::Done(response) => Ok(response),
            Answer::Refused { status, headers } => Err(answers::problem(&status, &headers)),
            Answer::Unreadable(words) => {
                let unreadable = Unreadable {
                    method: operation.method,
                    path: parts.uri.path(),
                    query: parts.uri.query(),
                    body: &body,
                    words,
                };
                Err(blame::find(&gateway.reader, unreadable).await.into())
            }
        },
    }
}

/// Public operations take no credentials, not even wrong ones: an expired token must not keep
/// anybody from logging in. The service enforces the permission of all others from the token.
async fn admit(
    gateway: &Gateway,
    operation: Operation,
    headers: &HeaderMap,
) -> Result<Option<Arc<Caller>>, ProblemResponse> {
    match operation.access.rule {
        Rule::Public => Ok(None),
        Rule::Authenticated | Rule::Permission(_) => {
            Ok(Some(gateway.credentials.check(headers).await?))
        }
        // The build keeps both out of the REST API.
        Rule::Service | Rule::Missing => Err(refusal::route_unknown()),
    }
}

async fn transcode(
    gateway: &Gateway,
    operation: Operation,
    uri: &Uri,
    metadata: HeaderMap,
    body: &Bytes,
) -> Result<TranscodeResponse, ProblemResponse> {
    let target = uri
        .path_and_query()
        .map_or_else(|| uri.path(), http::uri::PathAndQuery::as_str);
    // Spelled by the route: a HEAD request is its GET without the body.
    gateway
        .api
        .try_transcode(operation.method, target, metadata, body)
        .await
        .ok_or_else(refusal::route_unknown)
}

/// Only JSON is read, and only as it is: nothing is decompressed before it is known whose it is.
fn check_format(headers: &HeaderMap, body: &Bytes) -> Result<(), ProblemResponse> {
    if body.is_empty() {
        return Ok(());
    }
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(refusal::media_type_unsupported(
            "Send the body without Content-Encoding.",
        ));
    }
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map_or("", str::trim);
    if media_type.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(refusal::media_type_unsupported(
            "Send the body as `Content-Type: application/json`.",
        ))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn format(name: &'static str, value: &'static str) -> Result<(), ProblemResponse> {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        check_format(&headers, &Bytes::from_static(b"{}"))
    }

    #[test]
    fn json_is_the_only_format() {
        assert!(format("content-type", "application/json").is_ok());
        assert!(format("content-type", "Application/JSON; charset=utf-8").is_ok());
        for other in ["text/plain", "application/x-www-form-urlencoded", ""] {
            let refused = format("content-type", other).expect_err(other);
            assert_eq!(refused.status(), 415);
        }
        assert!(check_format(&HeaderMap::new(), &Bytes::new()).is_ok());
    }
}
