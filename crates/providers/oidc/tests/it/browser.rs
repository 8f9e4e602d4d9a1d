//! A person's browser: follows redirects, keeps cookies, and stops at our address.

use std::collections::BTreeMap;

use clock::Clock;
use http::{Method, header};
use oidc::Callback;
use outbound::{Client, Config};
use url::Url;

use crate::world::{install_tls, parameter};

/// Goes to the provider and comes back with its answer; `Err` is the status of a page that a person
/// would see instead.
pub(crate) async fn visit(start: &Url, redirect_uri: &str) -> Result<Callback, u16> {
    install_tls();
    let client = Client::new("browser", Config::default(), Clock::system()).expect("a client");
    let mut cookies = BTreeMap::new();
    let mut at = start.clone();
    for _ in 0..10 {
        let sent: Vec<String> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = client
            .request("visit", Method::GET, at.clone())
            .header(header::COOKIE, &sent.join("; "));
        let response = request.send().await.expect("an answer");
        for set in response.headers().get_all(header::SET_COOKIE) {
            let text = set.to_str().expect("text");
            let pair = text.split(';').next().expect("a pair");
            let (name, value) = pair.split_once('=').expect("a pair");
            if value.is_empty() {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let Some(location) = response.header("location") else {
            return Err(response.status().as_u16());
        };
        at = at.join(location).expect("an address");
        if at.as_str().starts_with(redirect_uri) {
            return Ok(Callback {
                code: parameter(&at, "code"),
                state: parameter(&at, "state"),
                iss: parameter(&at, "iss"),
                error: parameter(&at, "error"),
                error_description: parameter(&at, "error_description"),
            });
        }
    }
    panic!("too many redirects");
}
