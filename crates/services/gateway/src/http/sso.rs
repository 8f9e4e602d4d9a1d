//! `/sso/…`: a browser on its way to an identity provider and back.
//!
//! These are addresses that a browser is sent to, not requests of a page: every answer is a redirect (but the metadata),
//! and a login that failed ends at the application's login page with the reason in the address.

mod fields;
mod redirects;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use errors::codes;
use http::{HeaderValue, header, request::Parts};
use proto::identity::v1::{
    BeginSsoRequest, BeginSsoResponse, FinishOidcRequest, FinishSamlRequest, FinishSsoResponse,
    GetSamlMetadataRequest,
};
use sb_http::{ProblemResponse, body, body::Limits};

use self::fields::Fields;
use super::{answers, client::Client, inside};
use crate::{
    app::Gateway,
    browser::{FlowCookie, Guard, Issued},
};

/// A response of 256 KiB in base64, and the form around it.
const MAX_FORM_BYTES: usize = 384 * 1024;
/// As `BeginSsoRequest` and `FinishOidcRequest` take them, in characters.
const MAX_RETURN_TO: usize = 1_000;
const MAX_LOGIN_HINT: usize = 254;
const MAX_ERROR_DESCRIPTION: usize = 2_000;

pub(super) fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/sso/{connection_id}", get(begin))
        .route("/sso/oidc/{connection_id}/callback", get(finish_oidc))
        .route("/sso/saml/{connection_id}/acs", post(finish_saml))
        .route("/sso/saml/{connection_id}/metadata", get(metadata))
}

/// To the provider. Not for a page of another site: it could log a person into an organization that is not theirs, who
/// then works there unaware. Such a page gets them to the login page, where they say themselves that they want to.
async fn begin(
    State(gateway): State<Arc<Gateway>>,
    Path(connection_id): Path<String>,
    request: Request,
) -> Response {
    let browser = &gateway.settings.browser;
    if Guard::is_cross_site(request.headers()) {
        return match connection_id.parse() {
            Ok(id) => redirects::ask_first(browser, id),
            Err(_) => redirects::failed(browser, &ProblemResponse::new(&codes::NOT_FOUND)),
        };
    }
    match ask_identity(&gateway, connection_id, request).await {
        Ok(begun) => {
            let cookie = FlowCookie::of(gateway.browsers.cookies(), &begun.state);
            let mut response = redirects::to(&begun.redirect_url);
            let cookie = cookie.keep(&begun.browser_secret.into());
            response.headers_mut().append(header::SET_COOKIE, cookie);
            response
        }
        Err(problem) => redirects::failed(browser, &problem),
    }
}

async fn ask_identity(
    gateway: &Gateway,
    connection_id: String,
    request: Request,
) -> Result<BeginSsoResponse, ProblemResponse> {
    let client = Client::of(&request, &gateway.settings.api.trusted_proxies);
    let (parts, _) = request.into_parts();
    let query = query(&parts);
    let message = BeginSsoRequest {
        connection_id,
        return_to: query.get_whole("return_to", MAX_RETURN_TO),
        login_hint: query.get_whole("login_hint", MAX_LOGIN_HINT),
    };
    let call = inside::call(gateway, message, &parts.headers, &client).await?;
    inside::answer(gateway, gateway.sso.clone().begin_sso(call).await)
}

/// Back from an OpenID provider.
async fn finish_oidc(
    State(gateway): State<Arc<Gateway>>,
    Path(connection_id): Path<String>,
    request: Request,
) -> Response {
    let client = Client::of(&request, &gateway.settings.api.trusted_proxies);
    let (parts, _) = request.into_parts();
    let query = query(&parts);
    let state = query.get("state");
    let cookie = FlowCookie::of(gateway.browsers.cookies(), &state);
    let message = FinishOidcRequest {
        connection_id,
        code: query.get("code"),
        state,
        iss: query.get("iss"),
        error: query.get("error"),
        error_description: query.get_cut("error_description", MAX_ERROR_DESCRIPTION),
        browser_secret: cookie.find(&parts.headers),
    };
    let finished = match inside::call(&gateway, message, &parts.headers, &client).await {
        Ok(call) => inside::answer(&gateway, gateway.sso.clone().finish_oidc(call).await),
        Err(problem) => Err(problem),
    };
    settle(&gateway, &cookie, finished)
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
        // It is not known which login this was to end.
        Err(error) => return redirects::failed(&gateway.settings.browser, &error.into()),
    };
    let relay_state = form.get("RelayState");
    let cookie = FlowCookie::of(gateway.browsers.cookies(), &relay_state);
    let message = FinishSamlRequest {
        connection_id,
        saml_response: form.get("SAMLResponse"),
        relay_state,
        browser_secret: cookie.find(&parts.headers),
    };
    let finished = match inside::call(&gateway, message, &parts.headers, &client).await {
        Ok(call) => inside::answer(&gateway, gateway.sso.clone().finish_saml(call).await),
        Err(problem) => Err(problem),
    };
    settle(&gateway, &cookie, finished)
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
    let answer = match inside::call(&gateway, message, &parts.headers, &client).await {
        Ok(call) => inside::answer(&gateway, gateway.sso.clone().get_saml_metadata(call).await),
        Err(problem) => Err(problem),
    };
    match answer {
        Ok(answer) => {
            let mut response = Response::new(Body::from(answer.xml));
            let kind = HeaderValue::from_static("application/samlmetadata+xml");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        }
        Err(problem) => answers::challenged(problem).into_response(),
    }
}

/// Ends the login: the browser gets a session or is told why not, and forgets this login and no other.
fn settle(
    gateway: &Gateway,
    cookie: &FlowCookie,
    finished: Result<FinishSsoResponse, ProblemResponse>,
) -> Response {
    let browser = &gateway.settings.browser;
    let mut response = match finished.and_then(issued) {
        // The session that the browser had before can't be ended here: it came from the provider's site, so its
        // `SameSite=Strict` cookies stayed behind. It is replaced in the browser and ends at identity when it is not used.
        Ok((issued, return_to)) => {
            let mut visit = gateway.browsers.begin();
            visit.keep(issued);
            let mut response = redirects::into_application(browser, &return_to);
            visit.tell(response.headers_mut());
            response
        }
        Err(problem) => redirects::failed(browser, &problem),
    };
    let cookie = cookie.forget();
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// The tokens and the way back. There is no second step: the provider answers for a second factor.
fn issued(finished: FinishSsoResponse) -> Result<(Issued, String), ProblemResponse> {
    let tokens = finished.login.and_then(|login| login.tokens);
    let issued = tokens.and_then(Issued::read).ok_or_else(|| {
        tracing::error!("identity's answer to a single sign-on has no tokens");
        ProblemResponse::new(&codes::INTERNAL)
    })?;
    Ok((issued, finished.return_to))
}

fn query(parts: &Parts) -> Fields {
    Fields::of(parts.uri.query().unwrap_or_default().as_bytes())
}
