//! A browser came back from an OpenID provider.

use auth::Origin;
use ids::SsoConnectionId;
use oidc::{Callback, Pending};

use super::{Arrival, LoggedIn, Stop, braked, check_open, end, find, flow, log_in};
use crate::{
    Error,
    domain::{
        session::Method,
        sso::{Oidc, Provider, ReturnPath},
    },
    ops::{
        Tools,
        sso::{budget::within, secrets},
    },
    store::sso::connections::Stored,
};

/// What the browser brings, and its cookie.
pub(crate) struct Back {
    pub(crate) callback: Callback,
    pub(crate) browser_secret: String,
}

#[tracing::instrument(skip_all, fields(sso_connection.id = %id))]
pub(crate) async fn finish_oidc(
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
    let Provider::Oidc(provider) = &stored.connection.provider else {
        return Err(flow::unknown());
    };
    let (arrival, return_to) = recognise(tools, stored, provider, back).await?;
    log_in(tools, stored, arrival, Method::Oidc, return_to, origin).await
}

/// Who the provider says it is.
async fn recognise(
    tools: &Tools,
    stored: &Stored,
    provider: &Oidc,
    back: Back,
) -> Result<(Arrival, ReturnPath), Stop> {
    let connection = &stored.connection;
    let state = back.callback.state.as_deref().unwrap_or_default();
    // Before anything else: each login is ended once, well or not.
    let taken = flow::take(tools, connection, state, &back.browser_secret).await?;
    let taken = taken.ok_or_else(flow::unknown)?;
    let pending: Pending = serde_json::from_slice(&taken.pending).map_err(|_| flow::unknown())?;
    let now = tools.db.clock().now();
    let settings = provider.settings(secrets::open(tools, stored).await?);
    let client = &tools.sso.oidc;
    let calls = async {
        let provider = client.provider(connection.id, &settings, now).await?;
        let finishing = client.finish(&provider, pending, back.callback, now);
        Ok::<_, Stop>(finishing.await?)
    };
    let identity = within(calls).await??;
    Ok((Arrival::of_oidc(identity), taken.return_to))
}
