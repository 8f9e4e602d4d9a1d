//! One request to the REST API: credentials, body, transcoder, answer.

use std::sync::Arc;

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, Method, header, request::Parts, uri::PathAndQuery};
use proto::access::Rule;
use rest_over_grpc::transcoding::{Transcode, TranscodeResponse};
use sb_http::{ProblemResponse, body, refusal};

use super::{
    answers::{self, Answer},
    blame::{self, Unreadable},
    browser::{self, Door},
    client::Client,
    events, headers,
    routes::Operation,
};
use crate::{
    app::Gateway,
    browser::{Ask, Purpose, Visit},
    credentials::{Caller, Refused},
};

/// How something is asked: method and headers.
type Asked<'r> = (&'r Method, &'r HeaderMap);

/// Serves the operation that the route belongs to.
pub(super) async fn serve(
    gateway: Arc<Gateway>,
    operation: Operation,
    door: Door,
    request: Request,
) -> Response {
    let mut visit = None;
    let answering = answer(&gateway, operation, door, request, &mut visit);
    let mut response = match Box::pin(answering).await {
        Ok(response) => response,
        Err(problem) => answers::challenged(problem).into_response(),
    };
    if let Some(visit) = visit {
        visit.tell(response.headers_mut());
    }
    response
}

/// The answer. What a browser has to be told in any case, also beside a refusal, is left in `visit`.
async fn answer(
    gateway: &Arc<Gateway>,
    operation: Operation,
    door: Door,
    request: Request,
    visit: &mut Option<Visit>,
) -> Result<Response, ProblemResponse> {
    let client = Client::of(&request, &gateway.settings.api.trusted_proxies);
    // Parts of it: the body can't be shared between threads, as a request that waits may be.
    let asked = (request.method(), request.headers());
    let caller = admit(gateway, operation, door, asked, &client, visit).await?;
    if operation.access.path == events::RPC
        && let Some(caller) = caller
    {
        return events::serve(gateway, caller, &client, request).await;
    }
    let (parts, stream) = request.into_parts();
    let body = body::read(&parts.headers, stream, gateway.settings.api.body()).await?;
    check_format(&parts.headers, &body)?;
    let metadata = headers::to_metadata(&parts.headers, &client, caller.as_deref())?;
    let response = call(gateway, operation, door, &parts, metadata, &body).await?;
    let Some(visit) = visit else {
        return Ok(response);
    };
    let response = browser::settle(operation, response, visit).await?;
    // A login, or a switch to another organization: what the cookies named before is nobody's now.
    if operation.answers_tokens {
        let metadata = headers::of_client(&parts.headers, &client);
        let ask = Ask {
            headers: &parts.headers,
            purpose: Purpose::LogIn,
            metadata: &metadata,
        };
        gateway.browsers.end_former(ask, visit).await;
    }
    Ok(response)
}

/// The call behind the operation, and its answer in HTTP.
async fn call(
    gateway: &Gateway,
    operation: Operation,
    door: Door,
    parts: &Parts,
    metadata: HeaderMap,
    body: &Bytes,
) -> Result<Response, ProblemResponse> {
    let target = parts.uri.path_and_query();
    let target = target.map_or_else(|| parts.uri.path(), PathAndQuery::as_str);
    let target = browser::target(door, target);
    // Spelled by the route: a HEAD request is its GET without the body.
    let answer = gateway
        .api
        .try_transcode(operation.method, &target, metadata, body)
        .await
        .ok_or_else(refusal::route_unknown)?;
    match answer {
        TranscodeResponse::Streaming(stream) => Ok(answers::stream(stream)),
        TranscodeResponse::Unary(answer) => match answers::unary(answer) {
            Answer::Done(response) => Ok(response),
            Answer::Refused { status, headers } => Err(answers::problem(&status, &headers)),
            Answer::Unreadable(words) => {
                let (path, query) = target
                    .split_once('?')
                    .map_or((&*target, None), |(path, query)| (path, Some(query)));
                let unreadable = Unreadable {
                    method: operation.method,
                    path,
                    query,
                    body,
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
    door: Door,
    asked: Asked<'_>,
    client: &Client,
    visit: &mut Option<Visit>,
) -> Result<Option<Arc<Caller>>, ProblemResponse> {
    match (operation.access.rule, door) {
        (Rule::Public, Door::Api) => Ok(None),
        (Rule::Public, Door::Browser) => {
            *visit = Some(gateway.browsers.admit_login(asked.1)?);
            Ok(None)
        }
        (Rule::Authenticated | Rule::Permission(_), _) => {
            let caller = check(gateway, operation, asked, client, visit).await?;
            Ok(Some(caller))
        }
        // The build keeps both out of the REST API.
        (Rule::Service | Rule::Missing, _) => Err(refusal::route_unknown()),
    }
}

/// By `Authorization`, which is never mixed with cookies, or by the cookies of a session.
async fn check(
    gateway: &Gateway,
    operation: Operation,
    (method, headers): Asked<'_>,
    client: &Client,
    visit: &mut Option<Visit>,
) -> Result<Arc<Caller>, Refused> {
    if !gateway.browsers.has_login(headers) {
        return gateway.credentials.check(headers, client.address()).await;
    }
    if headers.contains_key(header::AUTHORIZATION) {
        return Err(Refused::Ambiguous);
    }
    let ask = Ask {
        headers,
        purpose: browser::purpose(operation, method),
        metadata: &headers::of_client(headers, client),
    };
    let admission = gateway.browsers.admit(ask).await;
    *visit = Some(admission.visit);
    admission.caller
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
