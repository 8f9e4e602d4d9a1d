//! Log in with e-mail and password.

use auth::{Membership, Role, Scopes};
use db::{SystemTx, TenantTx};
use ids::{Actor, TenantScope};
use secrecy::SecretString;

use super::{SessionTokens, Tools, issue_tokens};
use crate::{
    Error,
    domain::{email::EmailKey, session::Session},
    store::{organizations::Organization, sessions, users, users::User},
};

#[derive(Debug)]
pub(crate) struct LoggedIn {
    pub(crate) tokens: SessionTokens,
    pub(crate) user: User,
    pub(crate) organization: Organization,
    pub(crate) role: Role,
}

#[tracing::instrument(skip_all)]
pub(crate) async fn log_in(
    tools: &Tools,
    email: &str,
    password: SecretString,
) -> Result<LoggedIn, Error> {
    let mut tx = SystemTx::begin(&tools.db, "log in").await?;
    let mut account = users::find_account(&mut tx, &EmailKey::new(email)).await?;
    tx.commit().await?;
    // No transaction is open while the password is hashed. An unknown person's is hashed too.
    let stored = account
        .as_mut()
        .and_then(|account| account.password_hash.take());
    if !tools.passwords.verify(password, stored).await? {
        return Err(Error::Credentials);
    }
    let account = account.ok_or(Error::Credentials)?;
    let scope = TenantScope {
        organization_id: account.organization.id,
        actor: Actor::User(account.user.id),
    };
    let session = Session::begin(
        account.user.id,
        tools.db.clock().now(),
        tools.sessions.lasts,
    );
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    match sessions::insert(&mut tx, scope.organization_id, &session).await {
        // Removed from the organization while the password was hashed.
        Err(error) if error.constraint() == Some("sessions_membership_fkey") => {
            return Err(Error::Credentials);
        }
        other => other?,
    }
    tx.commit().await?;
    let member = Membership {
        organization_id: account.organization.id,
        role: account.role,
        scopes: Scopes::All,
    };
    Ok(LoggedIn {
        tokens: issue_tokens::of_session(tools, &session, member, session.generation).await?,
        user: account.user,
        organization: account.organization,
        role: account.role,
    })
}
