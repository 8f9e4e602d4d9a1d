//! Where a password is not accepted.

use auth::{RequestContext, Role};
use db::SystemTx;
use ids::{Actor, OrganizationId, SessionId};
use serde_json::json;

use super::connections::update_connection::keep_a_way_in;
use crate::{
    Error, SsoError,
    domain::{session::Login, sso::EmailDomain},
    ops::{Tools, office::Office},
    store::{factors, roster, sessions, sso::domains},
};

/// Requires single sign-on of everybody in the verified and routed domains, or gives that up.
#[tracing::instrument(skip_all, fields(required))]
pub(crate) async fn set_required(
    tools: &Tools,
    caller: &RequestContext,
    required: bool,
) -> Result<(), Error> {
    if required {
        refuse_without_break_glass(tools, caller).await?;
    }
    let mut office = Office::open(tools, caller).await?;
    let organization_id = office.organization_id();
    let before = domains::is_required(&mut office.tx, organization_id).await?;
    if before != required {
        domains::require(&mut office.tx, organization_id, required).await?;
        keep_a_way_in(&mut office).await?;
        let (before, after) = (
            json!({ "required": before }),
            json!({ "required": required }),
        );
        let action = "organization.sso_required_changed";
        office
            .record(action, organization_id, Some(before), Some(after))
            .await?;
    }
    office.commit().await
}

/// When the provider is broken an owner comes in with a password and a second factor: whoever requires single sign-on
/// as an owner has one, and of somebody else's owners at least one has.
async fn refuse_without_break_glass(tools: &Tools, caller: &RequestContext) -> Result<(), Error> {
    let scope = caller.require_scope()?;
    let mut tx = SystemTx::begin(&tools.db, "require single sign-on").await?;
    let owners = roster::list_active_owners(&mut tx, scope.organization_id).await?;
    let asked = match scope.actor {
        Actor::User(id) if owners.contains(&id) => vec![id],
        _ => owners,
    };
    let protected = factors::protects_any(&mut tx, &asked).await?;
    tx.commit().await?;
    protected
        .then_some(())
        .ok_or_else(|| SsoError::OwnerWithoutFactor.into())
}

/// What a right password is worth in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Password {
    /// What it always is.
    Accepted,
    /// An owner comes in by it, so that a broken provider locks nobody out for ever, and only with a second factor.
    WithSecondFactor,
}

/// Decides about somebody whose password was right.
///
/// # Errors
/// [`SsoError::Required`] for whoever must come through the organization's provider.
pub(crate) async fn judge_password(
    tools: &Tools,
    organization_id: OrganizationId,
    email: &str,
    role: Role,
) -> Result<Password, Error> {
    let mut tx = SystemTx::begin(&tools.db, "log in").await?;
    let required = is_required(&mut tx, organization_id, email).await?;
    tx.commit().await?;
    match role {
        _ if !required => Ok(Password::Accepted),
        Role::Owner => Ok(Password::WithSecondFactor),
        _ => Err(SsoError::Required.into()),
    }
}

/// Refuses a session that goes on in another organization. One that began at an identity provider is good where the
/// provider was connected: its administrators decide who somebody is there, and nowhere else.
pub(crate) async fn refuse_carried(
    tx: &mut SystemTx,
    login: &Login,
    organization_id: OrganizationId,
    email: &str,
    role: Role,
) -> Result<(), Error> {
    if login.connection_id.is_some() {
        return Err(SsoError::OtherOrganization.into());
    }
    let may_stay = role == Role::Owner && login.is_strong();
    if !may_stay && is_required(tx, organization_id, email).await? {
        return Err(SsoError::Required.into());
    }
    Ok(())
}

/// Refuses a session that began with a password where single sign-on is required by now, unless an owner's is strong.
///
/// # Errors
/// [`SsoError::Required`].
pub(crate) async fn refuse_password_session(
    tools: &Tools,
    organization_id: OrganizationId,
    session_id: SessionId,
) -> Result<(), Error> {
    let mut tx = SystemTx::begin(&tools.db, "go on with a session").await?;
    let found = sessions::find_by_password(&mut tx, organization_id, session_id).await?;
    if let Some(found) = found {
        let may_stay = found.role == Role::Owner && found.strong;
        if !may_stay && is_required(&mut tx, organization_id, &found.email).await? {
            return Err(SsoError::Required.into());
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Whether people of the address's domain must log in through a connection of this organization that is in use.
async fn is_required(
    tx: &mut SystemTx,
    organization_id: OrganizationId,
    email: &str,
) -> Result<bool, Error> {
    let Some(domain) = EmailDomain::of_address(email) else {
        return Ok(false);
    };
    let route = domains::find_route(tx, &domain).await?;
    Ok(route.is_some_and(|route| route.required && route.organization_id == organization_id))
}
