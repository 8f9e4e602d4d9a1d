//! Begin to set up an authenticator app.

use auth::RequestContext;
use db::{DataKeys, SystemTx};
use secrecy::SecretString;

use super::place;
use crate::{
    Error,
    domain::totp::TotpSecret,
    ops::{Tools, person},
    store::{
        factors,
        users::{self, User},
    },
};

/// What an app needs.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) secret: SecretString,
    pub(crate) url: SecretString,
}

#[tracing::instrument(skip_all)]
pub(crate) async fn start_totp(tools: &Tools, caller: &RequestContext) -> Result<Setup, Error> {
    let me = person::caller(caller)?;
    let mut tx = SystemTx::begin(&tools.db, "start a factor").await?;
    let user = users::lock(&mut tx, me.user_id).await?;
    tx.commit().await?;
    start(tools, &user.ok_or(Error::NotMember)?).await
}

/// A new secret, which protects nothing yet.
///
/// # Errors
/// [`Error::MfaActive`].
pub(crate) async fn start(tools: &Tools, user: &User) -> Result<Setup, Error> {
    let secret = TotpSecret::generate();
    let url = secret.url(&user.email).ok_or(Error::Field {
        field: "email",
        problem: "can't be named in a link for an app",
    })?;
    // Before the transaction: sealing may ask a key service.
    let store = DataKeys::of_platform(&tools.db);
    let sealed = tools
        .vault
        .seal(&store, &place(user.id), secret.as_bytes())
        .await?;
    let mut tx = SystemTx::begin(&tools.db, "start a factor").await?;
    if !factors::begin(&mut tx, user.id, &sealed, tools.db.clock().now()).await? {
        return Err(Error::MfaActive);
    }
    tx.commit().await?;
    Ok(Setup {
        secret: secret.base32(),
        url,
    })
}
