//! A browser brings the response of a SAML provider.

use auth::Origin;
use db::TenantTx;
use ids::{SsoConnectionId, TenantScope};
use saml::{Assertion, Expectation, IdpMetadata};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use super::{Arrival, LoggedIn, Stop, braked, check_open, end, find, flow, log_in};
use crate::{
    Error,
    domain::{
        session::Method,
        sso::{Connection, Provider, ReturnPath, Saml, random_text},
    },
    ops::Tools,
    store::sso::{connections::Stored, flows},
};

/// What the browser posts, and its cookie.
pub(crate) struct Back {
    pub(crate) response: String,
    pub(crate) relay_state: String,
    pub(crate) browser_secret: String,
}

/// What we asked the provider.
#[derive(Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) id: String,
}

impl Request {
    pub(super) fn new() -> Self {
        // An XML name does not begin with a digit.
        Self {
            id: format!("_{}", random_text().expose_secret()),
        }
    }
}

#[tracing::instrument(skip_all, fields(sso_connection.id = %id))]
pub(crate) async fn finish_saml(
    tools: &Tools,
    id: SsoConnectionId,
    back: Back,
    origin: &Origin,
) -> Result<LoggedIn, Error> {
    let stored = find(tools, id).await?;
    let finishing = finish(tools, &stored, back, origin);
    let outcome = Box::pin(braked(tools, origin, finishing)).await;
    let success = |logged_in: &LoggedIn| Some(logged_in.detail);
    end(tools, &stored.connection, success, outcome).await
}

async fn finish(
    tools: &Tools,
    stored: &Stored,
    back: Back,
    origin: &Origin,
) -> Result<LoggedIn, Stop> {
    check_open(stored)?;
    let connection = &stored.connection;
    let Provider::Saml(provider) = &connection.provider else {
        return Err(flow::unknown());
    };
    let taken = flow::take(tools, connection, &back.relay_state, &back.browser_secret).await?;
    let (request, return_to) = match taken {
        Some(taken) => {
            let request = serde_json::from_slice(&taken.pending).map_err(|_| flow::unknown())?;
            (Some(request), taken.return_to)
        }
        // The relay state is the provider's own then, and leads nowhere.
        None if provider.idp_initiated => (None, ReturnPath::default()),
        None => return Err(flow::unknown()),
    };
    let assertion = verify(tools, connection, provider, request, back.response).await?;
    accept(tools, connection, &assertion).await?;
    let arrival = Arrival::of_saml(&assertion);
    log_in(tools, stored, arrival, Method::Saml, return_to, origin).await
}

/// Parsing and verifying take a while, so not on a thread that serves others.
async fn verify(
    tools: &Tools,
    connection: &Connection,
    provider: &Saml,
    request: Option<Request>,
    response: String,
) -> Result<Assertion, Stop> {
    let us = tools.sso.addresses()?.service_provider(connection.id);
    let metadata = IdpMetadata::parse(provider.metadata.as_bytes(), tools.sso.transport)?;
    let now = tools.db.clock().now();
    let verified = tokio::task::spawn_blocking(move || {
        let flow = match &request {
            Some(request) => saml::Flow::Requested(&request.id),
            None => saml::Flow::Unsolicited,
        };
        let expected = Expectation {
            flow,
            now,
            skew: saml::MAX_SKEW,
        };
        saml::verify(&us, &metadata, &expected, &response)
    });
    match verified.await {
        Ok(verdict) => Ok(verdict?),
        Err(_) => Err(Stop::refused("not_read", "The response could not be read.")),
    }
}

/// An assertion counts once, at whichever replica it arrives.
async fn accept(tools: &Tools, connection: &Connection, assertion: &Assertion) -> Result<(), Stop> {
    let organization_id = connection.organization_id;
    let scope = TenantScope::system(organization_id, "sso");
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    let (id, end) = (&assertion.id, assertion.not_on_or_after);
    let first = flows::accept_assertion(&mut tx, organization_id, connection.id, id, end).await?;
    tx.commit().await?;
    if first {
        Ok(())
    } else {
        Err(Stop::refused(
            "replayed",
            "The assertion was used before. If a person only pressed the back button, logging in anew helps.",
        ))
    }
}
