//! Send a browser to the provider.

use auth::Origin;
use ids::SsoConnectionId;
use saml::IdpMetadata;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Stop, check_open, end, find, finish_saml::Request, flow};
use crate::{
    Error, SsoError,
    domain::sso::{Connection, Oidc, Provider, ReturnPath, Saml, random_text},
    ops::{
        Tools,
        sso::{budget::within, secrets},
        throttle::{self, Attempt},
    },
    store::sso::connections::Stored,
};

#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) redirect_url: Url,
    pub(crate) browser_secret: SecretString,
    /// `state` of OpenID Connect, `RelayState` of SAML.
    pub(crate) state: SecretString,
}

#[tracing::instrument(skip_all, fields(sso_connection.id = %id))]
pub(crate) async fn begin_sso(
    tools: &Tools,
    id: SsoConnectionId,
    return_to: &str,
    login_hint: &str,
    origin: &Origin,
) -> Result<Begun, Error> {
    // Each leaves a row behind, and anybody can begin one.
    Attempt::begin(tools, &throttle::beginning(origin)).await?;
    let stored = find(tools, id).await?;
    let return_to = ReturnPath::of(return_to);
    let begun = begin(tools, &stored, return_to, login_hint).await;
    end(tools, &stored.connection, |_| None, begun).await
}

async fn begin(
    tools: &Tools,
    stored: &Stored,
    return_to: ReturnPath,
    login_hint: &str,
) -> Result<Begun, Stop> {
    check_open(stored)?;
    let connection = &stored.connection;
    let (redirect_url, state, pending) = match &connection.provider {
        Provider::Oidc(provider) => to_oidc(tools, stored, provider, login_hint).await?,
        Provider::Saml(provider) => to_saml(tools, connection, provider)?,
    };
    let browser_secret = flow::keep(tools, connection, &state, &pending, return_to).await?;
    Ok(Begun {
        redirect_url,
        browser_secret,
        state,
    })
}

type Start = (Url, SecretString, Vec<u8>);

async fn to_oidc(
    tools: &Tools,
    stored: &Stored,
    provider: &Oidc,
    login_hint: &str,
) -> Result<Start, Stop> {
    let now = tools.db.clock().now();
    let id = stored.connection.id;
    let settings = provider.settings(secrets::open(tools, stored).await?);
    let client = &tools.sso.oidc;
    let provider = within(client.provider(id, &settings, now)).await??;
    let redirect_uri = tools.sso.addresses()?.redirect_uri(id);
    let hint = (!login_hint.is_empty()).then_some(login_hint);
    let begun = client.begin(&provider, redirect_uri, hint, now);
    let state = begun.pending.state().clone();
    Ok((begun.url, state, stored_form(&begun.pending)?))
}

fn to_saml(tools: &Tools, connection: &Connection, provider: &Saml) -> Result<Start, Stop> {
    let us = tools.sso.addresses()?.service_provider(connection.id);
    let metadata = IdpMetadata::parse(provider.metadata.as_bytes(), tools.sso.transport)?;
    let state = random_text();
    let request = Request::new();
    let now = tools.db.clock().now();
    let url = us
        .authn_request(&metadata, &request.id, state.expose_secret(), now)
        .map_err(|error| Stop::refused("request_unusable", error.to_string()))?;
    Ok((url, state, stored_form(&request)?))
}

fn stored_form(pending: &impl serde::Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(pending).map_err(|_| SsoError::Unknown("login").into())
}
