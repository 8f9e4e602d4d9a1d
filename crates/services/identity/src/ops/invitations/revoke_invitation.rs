//! Take an invitation back.

use auth::RequestContext;
use ids::InvitationId;

use crate::{
    Error, PeopleError,
    domain::invitation::{Invitation, Stored},
    ops::{Tools, office::Office},
    store::invitations,
};

/// One that was taken back already stays as it is; one that was accepted can't be.
#[tracing::instrument(skip_all, fields(invitation.id = %id))]
pub(crate) async fn revoke_invitation(
    tools: &Tools,
    caller: &RequestContext,
    id: InvitationId,
) -> Result<Invitation, Error> {
    let mut office = Office::open(tools, caller).await?;
    let (organization_id, now) = (office.organization_id(), office.occasion.at);
    let mut invitation = invitations::lock(&mut office.tx, organization_id, id)
        .await?
        .ok_or(PeopleError::Unknown("invitation"))?;
    match invitation.stored {
        Stored::Accepted => return Err(PeopleError::InvitationClosed.into()),
        Stored::Revoked => {}
        Stored::Pending => {
            invitations::close(&mut office.tx, organization_id, id, None, now).await?;
            invitation.stored = Stored::Revoked;
            office.record("invitation.revoked", id, None, None).await?;
        }
    }
    office.commit().await?;
    Ok(invitation)
}
