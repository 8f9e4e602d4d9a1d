//! Invite a person by e-mail.

use auth::RequestContext;
use db::{Db, SystemTx};
use ids::UserId;
use serde_json::json;

use crate::{
    Error, PeopleError,
    domain::{assignment::Assignment, email::EmailKey, invitation::Invitation},
    mail::{self, Letter},
    ops::{Tools, office::Office, seats},
    store::{invitations, people, roster},
};

/// Only people invite: at the end the power of whoever did is looked at again.
#[tracing::instrument(skip_all)]
pub(crate) async fn invite(
    tools: &Tools,
    caller: &RequestContext,
    email: &str,
    assignment: Assignment,
) -> Result<Invitation, Error> {
    let key = EmailKey::new(email);
    let known = find_person(&tools.db, &key).await?;
    let mut office = Office::open(tools, caller).await?;
    let inviter = office.person()?;
    let granted = office.power_of(assignment).await?;
    office.refuse_more_power(&granted)?;
    let (organization_id, now) = (granted.organization_id, office.occasion.at);
    if let Some(person) = known
        && roster::find(&mut office.tx, organization_id, person)
            .await?
            .is_some()
    {
        return Err(PeopleError::AlreadyMember.into());
    }
    let invitation = Invitation::new(email, assignment, inviter, now);
    invitations::close_expired(&mut office.tx, &key, now).await?;
    invitations::insert(&mut office.tx, &invitation).await?;
    // The one just added is counted already.
    seats::refuse_full(&mut office.tx, tools.seats, organization_id, 0, now).await?;
    let letter = Letter::Invitation {
        organization_id,
        invitation_id: invitation.id,
    };
    mail::queue(&mut office.tx, &[letter]).await?;
    let role_id = assignment.role_id().map(|id| id.to_string());
    let after = json!({ "role": assignment.role(), "role_id": role_id });
    office
        .record("invitation.created", invitation.id, None, Some(after))
        .await?;
    office.commit().await?;
    Ok(invitation)
}

async fn find_person(db: &Db, email: &EmailKey) -> Result<Option<UserId>, Error> {
    let mut tx = SystemTx::begin(db, "find an invited person").await?;
    let person = people::find_by_email(&mut tx, email).await?;
    tx.commit().await?;
    Ok(person)
}
