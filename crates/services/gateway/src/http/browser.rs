//! What is different where a browser asks: cookies instead of `Authorization`, and no token in an answer.
//!
//! Each public operation that answers the tokens of a session (logging in, signing up) is served a second time under
//! `/v1/browser`, where they go into cookies. All other operations are the same for browsers.

use axum::{body::Body, response::Response};
use http::{HeaderMap, Method, header};
use http_body_util::BodyExt;
use proto::{access::Rule, identity::v1::SessionTokens};
use sb_http::ProblemResponse;
use serde_json::{Map, Value};

use super::{events, routes::Operation};
use crate::browser::{Issued, Purpose, Visit};

/// Renews a session; the gateway does it by itself where the session is a browser's.
const REFRESH_SESSION: &str = "/switchboard.identity.v1.IdentityService/RefreshSession";
const LOG_OUT: &str = "/switchboard.identity.v1.IdentityService/LogOut";

/// Which way a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// The address of the API.
    Api,
    /// The same below `/v1/browser`.
    Browser,
}

/// The address below `/v1/browser` of an operation that has one.
pub(super) fn path(path: &str, operation: Operation) -> Option<String> {
    let logs_in = operation.answers_tokens
        && operation.access.rule == Rule::Public
        && operation.access.path != REFRESH_SESSION;
    let rest = path.strip_prefix("/v1/").filter(|_| logs_in)?;
    Some(format!("/v1/browser/{rest}"))
}

/// The address that the transcoder knows.
pub(super) fn target(door: Door, target: &str) -> String {
    match (door, target.strip_prefix("/v1/browser/")) {
        (Door::Browser, Some(rest)) => format!("/v1/{rest}"),
        _ => target.to_owned(),
    }
}

pub(super) fn purpose(operation: Operation, method: &Method) -> Purpose {
    if operation.access.path == events::RPC {
        Purpose::Listen
    } else if method.is_safe() {
        Purpose::Read
    } else {
        Purpose::Change
    }
}

/// Keeps an answer's tokens in cookies, and ends the visit of whoever logged out.
///
/// # Errors
///
/// 500 for an answer that is not what its service promises: nothing of it goes out.
pub(super) async fn settle(
    operation: Operation,
    response: Response,
    visit: &mut Visit,
) -> Result<Response, ProblemResponse> {
    if operation.access.path == LOG_OUT {
        visit.end();
    }
    if !operation.answers_tokens {
        return Ok(response);
    }
    let (mut head, body) = response.into_parts();
    let (body, issued) = without_tokens(body).await.ok_or_else(|| {
        tracing::error!(
            rpc = operation.access.path,
            "an answer with tokens has another form"
        );
        ProblemResponse::new(&errors::codes::INTERNAL)
    })?;
    if let Some(issued) = issued {
        visit.keep(issued);
    }
    forget_length(&mut head.headers);
    Ok(Response::from_parts(head, body))
}

/// `None` for what is not a JSON object, or has tokens that can't be read. An answer may have none: the login is not
/// complete before its second factor.
async fn without_tokens(body: Body) -> Option<(Body, Option<Issued>)> {
    let body = body.collect().await.ok()?.to_bytes();
    let mut answer: Value = serde_json::from_slice(&body).ok()?;
    let issued = match take_tokens(answer.as_object_mut()?) {
        None | Some(Value::Null) => None,
        Some(tokens) => {
            let tokens: SessionTokens = serde_json::from_value(tokens).ok()?;
            Some(Issued::read(tokens)?)
        }
    };
    let body = serde_json::to_vec(&answer).ok()?;
    Some((Body::from(body), issued))
}

/// The tokens of an answer, or of the login inside it.
fn take_tokens(answer: &mut Map<String, Value>) -> Option<Value> {
    answer.remove("tokens").or_else(|| {
        let mut parts = answer.values_mut().filter_map(Value::as_object_mut);
        parts.find_map(|part| part.remove("tokens"))
    })
}

fn forget_length(headers: &mut HeaderMap) {
    headers.remove(header::CONTENT_LENGTH);
    // It named the answer with the tokens.
    headers.remove(header::ETAG);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::routes;

    #[test]
    fn whatever_logs_in_has_an_address_for_browsers_and_nothing_else() {
        let paths: Vec<String> = routes::all()
            .expect("the generated document")
            .iter()
            .flat_map(|route| {
                let operations = route.operations.iter();
                operations.filter_map(|operation| path(&route.path, *operation))
            })
            .collect();
        for wanted in ["/v1/browser/sessions", "/v1/browser/organizations"] {
            assert!(paths.iter().any(|path| path == wanted), "{paths:?}");
        }
        assert!(
            !paths.iter().any(|path| path.contains("refresh")),
            "{paths:?}"
        );
        assert_eq!(
            target(Door::Browser, "/v1/browser/sessions?a=b"),
            "/v1/sessions?a=b"
        );
        assert_eq!(target(Door::Api, "/v1/sessions"), "/v1/sessions");
    }

    #[tokio::test]
    async fn only_the_tokens_are_taken_out_of_an_answer() {
        let with = r#"{"tokens":{"accessToken":"a","expiresIn":300,"refreshToken":"sbr_r","sessionId":"SES"},"role":"ROLE_OWNER"}"#
            .replace("SES", &ids::SessionId::generate().to_string());
        let (body, issued) = without_tokens(Body::from(with.clone()))
            .await
            .expect("an answer");
        let body = body.collect().await.expect("a body").to_bytes();
        assert_eq!(body, r#"{"role":"ROLE_OWNER"}"#);
        assert!(issued.is_some());
        let nested = with.replacen('{', r#"{"codes":["1"],"login":{"#, 1) + "}";
        let (body, issued) = without_tokens(Body::from(nested)).await.expect("an answer");
        let body = body.collect().await.expect("a body").to_bytes();
        assert_eq!(body, r#"{"codes":["1"],"login":{"role":"ROLE_OWNER"}}"#);
        assert!(issued.is_some());
        let (_, none) = without_tokens(Body::from(r#"{"challenge":"c"}"#))
            .await
            .expect("an answer");
        assert!(none.is_none());
        for wrong in [
            "",
            "[]",
            r#"{"tokens":{"sessionId":"x"}}"#,
            r#"{"tokens":1}"#,
        ] {
            assert!(without_tokens(Body::from(wrong)).await.is_none(), "{wrong}");
        }
    }
}
