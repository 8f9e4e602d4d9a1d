//! `/sso/…`: a browser on its way to an identity provider and back.
//!
//! These are addresses that a browser is sent to, not requests of a page: every answer is a redirect (but the metadata),
//! and a login that failed ends at the application's login page with the reason in the address.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use errors::Problem;
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use proto::identity::v1::{
    BeginSsoRequest, FinishOidcRequest, FinishSamlRequest, FinishSsoResponse,
    GetSamlMetadataRequest,
};
use sb_http::{ProblemResponse, body, body::Limits};
use tonic::Status;
use url::form_urlencoded;

use super::{answers, client::Client, headers, inside};
use crate::{
    app::Gateway,
    browser::{Ask, Issued, Purpose},
};

/// A response of 256 KiB in base64, and the form around it.
const MAX_FORM_BYTES: usize = 384 * 1024;

pub(super) fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/sso/{connection_id}", get(begin))
        .route("/sso/oidc/{connection_id}/callback", get(finish_oidc))
        .route("/sso/saml/{connection_id}/acs", post(finish_saml))
        .route("/sso/saml/{connection_id}/metadata", get(metadata))
}

/// To the provider.
async fn begin(
    State(gateway): State<Arc<Gateway>>,
    Path(connection_id): Path<String>,
    request: Request,
) -> Response {
    let client = Client::of(&request, &gateway.settings.api.trusted_proxies);
    let (parts, _) = request.into_parts();
    let query = Fields::of(parts.uri.query().unwrap_or_default().as_bytes());
    let message = BeginSsoRequest {
        connection_id,
        return_to: query.get("return_to"),
        login_hint: query.get("login_hint"),
    };
    let call = match inside::call(&gateway, message, &parts.headers, &client).await {
        Ok(call) => call,
        Err(problem) => return problem.into_response(),
    };
    let begun = match gateway.sso.clone().begin_sso(call).await {
        Ok(begun) => begun.into_inner(),
        Err(status) => return failed(&gateway, &status),
    };
    let mut response = redirect(&begun.redirect_url);
    let cookie = gateway
        .browsers
        .cookies()
        .flow(&begun.browser_secret.into());
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// Back from an OpenID provider.
async fn finish_oidc(
    State(gateway): State<Arc<Gateway>>,
    Path(connection_id): Path<String>,
    request: Request,
) -> Response {
    let client = Client::of(&request, &gateway.settings.api.trusted_proxies);
    let (parts, _) = request.into_parts();
    let query = Fields::of(parts.uri.query().unwrap_or_default().as_bytes());
    let message = FinishOidcRequest {
        connection_id,
        code: query.get("code"),
        state: query.get("state"),
        iss: query.get("iss"),
        error: query.get("error"),
        error_description: query.get("error_description"),
        browser_secret: gateway.browsers.cookies().find_flow(&parts.headers),
    };
    let call = match inside::call(&gateway, message, &parts.headers, &client).await {
        Ok(call) => call,
        Err(problem) => return problem.into_response(),
    };
    let finished = gateway.sso.clone().finish_oidc(call).await;
    let finished = finished.map(tonic::Response::into_inner);
    Box::pin(settle(&gateway, &parts, &client, finished)).await
}

/// Back from a SAML provider, with a form that the provider's page sent.
async fn finish_saml(
    State(gateway): State<Arc<Gateway>>,
    Path(connection_id): Path<String>,
    request: Request,
) -> Response {
    let client = Client::of(&request, &gateway.settings.api.trusted_proxies);
    let (parts, stream) = request.into_parts();
    let limits = Limits {
        max_bytes: MAX_FORM_BYTES,
        ..gateway.settings.api.body()
    };
    let form = match body::read(&parts.headers, stream, limits).await {
        Ok(form) => Fields::of(&form),
        Err(error) => return ProblemResponse::from(error).into_response(),
    };
    let message = FinishSamlRequest {
        connection_id,
        saml_response: form.get("SAMLResponse"),
        relay_state: form.get("RelayState"),
        browser_secret: gateway.browsers.cookies().find_flow(&parts.headers),
    };
    let call = match inside::call(&gateway, message, &parts.headers, &client).await {
        Ok(call) => call,
        Err(problem) => return problem.into_response(),
    };
    let finished = gateway.sso.clone().finish_saml(call).await;
    let finished = finished.map(tonic::Response::into_inner);
    Box::pin(settle(&gateway, &parts, &client, finished)).await
}

/// What a SAML provider is configured with.
async fn metadata(
    State(gateway): State<Arc<Gateway>>,
    Path(connection_id): Path<String>,
    request: Request,
) -> Response {
    let client = Client::of(&request, &gateway.settings.api.trusted_proxies);
    let (parts, _) = request.into_parts();
    let message = GetSamlMetadataRequest { connection_id };
    let call = match inside::call(&gateway, message, &parts.headers, &client).await {
        Ok(call) => call,
        Err(problem) => return problem.into_response(),
    };
    match gateway.sso.clone().get_saml_metadata(call).await {
        Ok(answer) => {
            let mut response = Response::new(Body::from(answer.into_inner().xml));
            let kind = HeaderValue::from_static("application/samlmetadata+xml");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        }
        Err(status) => answers::problem(&status, &HeaderMap::new()).into_response(),
    }
}

/// Keeps the tokens in cookies and sends the browser on.
async fn settle(
    gateway: &Gateway,
    parts: &Parts,
    client: &Client,
    finished: Result<FinishSsoResponse, Status>,
) -> Response {
    let finished = match finished {
        Ok(finished) => finished,
        Err(status) => return failed(gateway, &status),
    };
    let tokens = finished.login.and_then(|login| login.tokens);
    let Some(issued) = tokens.and_then(Issued::read) else {
        return failed(
            gateway,
            &Status::internal("identity's answer has no tokens"),
        );
    };
    let mut visit = gateway.browsers.begin();
    visit.keep(issued);
    let metadata = headers::of_client(&parts.headers, client);
    let ask = Ask {
        headers: &parts.headers,
        purpose: Purpose::LogIn,
        metadata: &metadata,
    };
    gateway.browsers.end_former(ask, &visit).await;
    let mut response = redirect(&finished.return_to);
    visit.tell(response.headers_mut());
    let cookie = gateway.browsers.cookies().forget_flow();
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// To the login page, which says it in words. The code is ours and stable.
fn failed(gateway: &Gateway, status: &Status) -> Response {
    let problem = Problem::from_status(status);
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("error", &problem.code)
        .append_pair("detail", &problem.detail)
        .finish();
    let page = &gateway.settings.browser.login_page;
    let mark = if page.contains('?') { '&' } else { '?' };
    let mut response = redirect(&format!("{page}{mark}{query}"));
    let cookie = gateway.browsers.cookies().forget_flow();
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// 303: the browser asks with GET, whatever it came with.
fn redirect(to: &str) -> Response {
    let mut response = Response::new(Body::empty());
    match HeaderValue::try_from(to) {
        Ok(to) => {
            *response.status_mut() = StatusCode::SEE_OTHER;
            response.headers_mut().insert(header::LOCATION, to);
            // The address may carry a code.
            let none = HeaderValue::from_static("no-store");
            response.headers_mut().insert(header::CACHE_CONTROL, none);
            response
        }
        Err(_) => ProblemResponse::new(&errors::codes::INTERNAL).into_response(),
    }
}

/// Fields of a query or a form; of several with one name, none: a provider sends each once.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn of(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    fn get(&self, name: &str) -> String {
        let mut values = self.0.iter().filter(|(field, _)| field == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => value.clone(),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_comes_twice_is_none() {
        let fields = Fields::of(b"state=a&code=1&code=2&x=%2F+b");
        assert_eq!(fields.get("state"), "a");
        assert_eq!(fields.get("code"), "");
        assert_eq!(fields.get("x"), "/ b");
        assert_eq!(fields.get("missing"), "");
    }
}
