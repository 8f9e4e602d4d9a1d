//! Accept an invitation, as a new person or as one who is logged in.

use auth::{Origin, RequestContext, Role};
use chrono::{DateTime, TimeDelta, Utc};
use db::SystemTx;
use ids::{Actor, OrganizationId, UserId};
use secrecy::SecretString;
use serde_json::json;

use super::good::{self, Good};
use crate::{
    Error, PeopleError,
    domain::email::EmailKey,
    events::{self, Occasion},
    mail,
    ops::{
        Tools,
        audit::{self, Change},
        seats,
    },
    store::{
        invitations, people,
        roster::{self, Entry},
        users::{self, User},
    },
};

/// Whoever joins an organization that wants a second factor has this long to set one up.
pub(crate) const MFA_GRACE: TimeDelta = TimeDelta::days(1);

#[derive(Debug)]
pub(crate) struct Joined {
    pub(crate) organization_id: OrganizationId,
    pub(crate) organization_name: String,
    pub(crate) role: Role,
    pub(crate) user_id: UserId,
}

/// A new person. Whoever has an account must log in for it, or a forwarded mail would give it away.
#[tracing::instrument(skip_all)]
pub(crate) async fn join_organization(
    tools: &Tools,
    secret: &SecretString,
    name: String,
    password: SecretString,
    origin: &Origin,
) -> Result<Joined, Error> {
    let named = good::read(tools, secret).await?;
    let mut tx = SystemTx::begin(&tools.db, "join an organization").await?;
    // Before anything is hashed, and for what others know of the person.
    let good = good::lock(tools, &mut tx, named, tools.db.clock().now()).await?;
    tx.commit().await?;
    let context = vec![good.organization.name, name.clone(), good.invitation.email];
    let password_hash = tools.passwords.hash_chosen(password, context).await?;
    let now = tools.db.clock().now();
    let mut tx = SystemTx::begin(&tools.db, "join an organization").await?;
    let good = good::lock(tools, &mut tx, named, now).await?;
    let key = EmailKey::new(&good.invitation.email);
    if let Some(person) = people::find_by_email(&mut tx, &key).await? {
        // An account that belongs nowhere is only waiting for the sweep.
        people::erase_homeless(&mut tx, &[person]).await?;
    }
    let user = User {
        id: UserId::stamped(now),
        email: good.invitation.email.clone(),
        name,
    };
    users::insert(&mut tx, &user, &key, &password_hash, now).await?;
    users::verify_email(&mut tx, user.id, now).await?;
    mail::proved(tools, &mut tx, &key, now).await?;
    let joined = join(tools, &mut tx, good, user.id, now, origin).await?;
    tx.commit().await?;
    Ok(joined)
}

/// The person who is logged in, wherever that is.
#[tracing::instrument(skip_all)]
pub(crate) async fn accept_invitation(
    tools: &Tools,
    caller: &RequestContext,
    secret: &SecretString,
) -> Result<Joined, Error> {
    let Actor::User(user_id) = caller.principal()?.actor() else {
        return Err(PeopleError::NotAPerson.into());
    };
    let named = good::read(tools, secret).await?;
    let now = tools.db.clock().now();
    let mut tx = SystemTx::begin(&tools.db, "accept an invitation").await?;
    let good = good::lock(tools, &mut tx, named, now).await?;
    let key = EmailKey::new(&good.invitation.email);
    if people::find_by_email(&mut tx, &key).await? != Some(user_id) {
        return Err(PeopleError::InvitationOfAnother.into());
    }
    users::verify_email(&mut tx, user_id, now).await?;
    mail::proved(tools, &mut tx, &key, now).await?;
    let joined = join(tools, &mut tx, good, user_id, now, &caller.origin).await?;
    tx.commit().await?;
    Ok(joined)
}

async fn join(
    tools: &Tools,
    tx: &mut SystemTx,
    good: Good,
    user_id: UserId,
    now: DateTime<Utc>,
    origin: &Origin,
) -> Result<Joined, Error> {
    let Good {
        organization,
        invitation,
    } = good;
    let (id, assignment) = (organization.id, invitation.assignment);
    let entry = Entry {
        user_id,
        assignment,
        active: true,
        teams: Vec::new(),
        joined_by: "invitation".to_owned(),
        joined_at: now,
    };
    let mfa_grace_until = organization.mfa_required_from.map(|_| now + MFA_GRACE);
    if !roster::insert(tx, id, &entry, mfa_grace_until).await? {
        return Err(PeopleError::AlreadyMember.into());
    }
    invitations::close(tx, id, invitation.id, Some(user_id), now).await?;
    // With the new member, without its invitation.
    seats::refuse_full(tx, tools.seats, id, 0, now).await?;
    let occasion = Occasion {
        organization_id: id,
        actor: Actor::User(user_id),
        at: now,
    };
    events::member_joined(tx, &occasion, user_id, assignment.role()).await?;
    let role_id = assignment.role_id().map(|id| id.to_string());
    let change = Change {
        before: None,
        after: Some(json!({
            "role": assignment.role(),
            "role_id": role_id,
            "invitation": invitation.id.to_string(),
        })),
    };
    audit::record(tx, &occasion, origin, "member.joined", user_id, change).await?;
    tracing::info!(organization.id = %id, user.id = %user_id, "an invitation was accepted");
    Ok(Joined {
        organization_id: id,
        organization_name: organization.name,
        role: assignment.role(),
        user_id,
    })
}
