//! Whether the secret of an invitation still opens it.

use auth::{Membership, Policy};
use chrono::{DateTime, Utc};
use db::SystemTx;
use ids::{InvitationId, OrganizationId};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    Error, PeopleError,
    domain::{
        invitation::{Invitation, State},
        link, power,
    },
    ops::{Tools, office::of_assignment},
    store::{
        invitations, members,
        settings::{self, Settings},
    },
};

/// What an inviter must still be allowed.
const INVITES: &str = "members.manage";

/// An invitation that may be accepted now, with everything locked that makes it so.
pub(super) struct Good {
    pub(super) organization: Settings,
    pub(super) invitation: Invitation,
}

/// The invitation that the secret names. The secret alone says of which organization; whatever is wrong with it has one
/// answer.
pub(super) async fn read(
    tools: &Tools,
    secret: &SecretString,
) -> Result<(OrganizationId, InvitationId), Error> {
    let ring = tools.keys.current().await;
    link::invitation(&ring, secret.expose_secret())
        .ok_or_else(|| PeopleError::InvitationInvalid.into())
}

pub(super) async fn lock(
    tools: &Tools,
    tx: &mut SystemTx,
    (organization_id, id): (OrganizationId, InvitationId),
    now: DateTime<Utc>,
) -> Result<Good, Error> {
    let invalid = || Error::from(PeopleError::InvitationInvalid);
    let organization = settings::lock(tx, organization_id)
        .await?
        .filter(Settings::is_active)
        .ok_or_else(invalid)?;
    let invitation = invitations::lock(tx, organization_id, id)
        .await?
        .filter(|invitation| invitation.state(now) == State::Pending)
        .ok_or_else(invalid)?;
    let granted = of_assignment(tx, organization_id, invitation.assignment)
        .await?
        .ok_or_else(invalid)?;
    let inviter = members::find(tx, organization_id, invitation.invited_by)
        .await?
        .filter(|member| member.active)
        .ok_or_else(invalid)?;
    if !may_invite(&tools.policy, &inviter.membership, &granted) {
        return Err(invalid());
    }
    Ok(Good {
        organization,
        invitation,
    })
}

/// Whether who invited could do so today.
fn may_invite(policy: &Policy, inviter: &Membership, granted: &Membership) -> bool {
    policy.role_has(inviter.role, INVITES)
        && inviter.scopes.include(INVITES)
        && power::covers(policy, inviter, granted)
}
