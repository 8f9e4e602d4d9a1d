//! Asks WhatsApp, outside any transaction.

use std::time::Duration;

use db::TenantTx;
use ids::{ChannelId, TenantScope};
use secrecy::SecretString;
use whatsapp::{
    client::{AccountHealth, CallError, NumberHealth, Rejection, SubscribedApp, TokenInfo},
    codes::{Class, Scope},
};

use crate::{
    error::Error,
    outbound::Engine,
    store::channels::{self, Channel},
};

/// For all questions together: somebody may be waiting for the answers.
const LONGEST: Duration = Duration::from_secs(20);
/// Meta's code for a permission that was refused; those for missing ones follow 200.
const PERMISSION: i64 = 10;
/// Meta's code for a parameter that is not valid, and its subcode for an object that the token may not see.
const NO_OBJECT: (i64, i64) = (100, 33);

/// What came of asking.
#[derive(Debug)]
pub(crate) enum Looked {
    Seen(Box<Seen>),
    /// The token has ended or was revoked.
    TokenRefused,
    /// The token may not use this number.
    NoAccess,
    /// Nothing is known that was not known before.
    Failed {
        failure: &'static str,
        hint: &'static str,
        at_least: Duration,
    },
}

/// What WhatsApp says. What could not be asked besides the number stays as it was.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) number: NumberHealth,
    pub(crate) account: Option<AccountHealth>,
    pub(crate) token: Option<TokenInfo>,
    pub(crate) apps: Option<Vec<SubscribedApp>>,
}

pub(super) async fn look(
    engine: &Engine,
    scope: &TenantScope,
    id: ChannelId,
) -> Result<Looked, Error> {
    let organization_id = scope.organization_id;
    let mut tx = TenantTx::begin(&engine.db, scope).await?;
    let missing = || Error::NotFound("channel");
    let channel = channels::find(tx.conn(), organization_id, id).await?;
    let channel = channel.ok_or_else(missing)?;
    let sender = channels::find_sender(tx.conn(), organization_id, id).await?;
    let sender = sender.ok_or_else(missing)?;
    tx.commit().await?;
    let token = engine.open_token(scope, id, &sender.access_token).await?;
    let asking = Box::pin(ask(engine, &channel, &token));
    Ok(match tokio::time::timeout(LONGEST, asking).await {
        Ok(looked) => looked,
        Err(_elapsed) => failed("unreachable", "", None),
    })
}

async fn ask(engine: &Engine, channel: &Channel, token: &SecretString) -> Looked {
    let graph = &engine.management;
    let number = graph.get_number_health(&channel.phone_number_id, token);
    let number = match number.await {
        Ok(number) => number,
        Err(error) => return of_error(&error),
    };
    let (account, info, apps) = tokio::join!(
        graph.get_account_health(&channel.waba_id, token),
        graph.inspect_token(token),
        graph.list_subscribed_apps(&channel.waba_id, token),
    );
    Looked::Seen(Box::new(Seen {
        number,
        account: known(account, "the account"),
        token: known(info, "the token"),
        apps: known(apps, "the subscribed apps"),
    }))
}

/// The number works, so what else is not answered is a gap and no failure.
fn known<T>(answer: Result<T, CallError>, what: &'static str) -> Option<T> {
    answer
        .inspect_err(|error| {
            tracing::debug!(what, error = errors::chain(error), "WhatsApp does not tell");
        })
        .ok()
}

fn failed(failure: &'static str, hint: &'static str, at_least: Option<Duration>) -> Looked {
    Looked::Failed {
        failure,
        hint,
        at_least: at_least.unwrap_or_default(),
    }
}

fn of_error(error: &CallError) -> Looked {
    match error {
        CallError::Unreachable(unreachable) => failed("unreachable", "", unreachable.retry_after()),
        CallError::Unreadable => failed("unreachable", "", None),
        CallError::Rejected(rejection) => of_rejection(rejection),
    }
}

fn of_rejection(rejection: &Rejection) -> Looked {
    let code = rejection.code.unwrap_or(0);
    match rejection.class {
        Class::RetryNow | Class::Backoff { .. } | Class::PairBackoff => {
            failed("rate_limited", rejection.hint, rejection.retry_after)
        }
        Class::Unknown => failed("unreachable", "", rejection.retry_after),
        Class::Wait | Class::Never => {
            let hidden = (code, rejection.subcode) == (NO_OBJECT.0, Some(NO_OBJECT.1));
            if hidden || code == PERMISSION || (200..300).contains(&code) {
                Looked::NoAccess
            } else if rejection.scope == Scope::Credential {
                Looked::TokenRefused
            } else {
                failed("refused", rejection.hint, rejection.retry_after)
            }
        }
    }
}
