//! Where the browser is sent.

use axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header};
use ids::SsoConnectionId;
use percent_encoding::{CONTROLS, utf8_percent_encode};
use sb_http::ProblemResponse;
use url::form_urlencoded;

use crate::{browser::WebOrigin, config::Browser};

/// 303: the browser asks with GET, whatever it came with.
pub(super) fn to(address: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let address = utf8_percent_encode(address, CONTROLS).to_string();
    let address = HeaderValue::try_from(address).expect("it is ASCII without control characters");
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, address);
    // The address may carry a code.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// To the page that the person wanted, which is a path.
pub(super) fn into_application(browser: &Browser, return_to: &str) -> Response {
    let origin = browser.app_url.as_ref().map_or("", WebOrigin::as_str);
    to(&format!("{origin}{return_to}"))
}

/// To the login page, which says it in words. The code is ours and stable.
pub(super) fn failed(browser: &Browser, problem: &ProblemResponse) -> Response {
    let problem = problem.problem();
    let why = [("error", &*problem.code), ("detail", &*problem.detail)];
    to(&login_page(browser, &why))
}

/// To the login page, where a click begins the login.
pub(super) fn ask_first(browser: &Browser, connection: SsoConnectionId) -> Response {
    to(&login_page(browser, &[("sso", &connection.to_string())]))
}

fn login_page(browser: &Browser, parameters: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish();
    let page = &browser.login_page;
    let mark = if page.contains('?') { '&' } else { '?' };
    format!("{page}{mark}{query}")
}
