//! Send an invitation once more.

use auth::RequestContext;
use ids::InvitationId;

use crate::{
    Error, PeopleError,
    domain::invitation::{Invitation, ResendRefused, State},
    mail::{self, Letter},
    ops::{Tools, office::Office, seats},
    store::invitations,
};

#[tracing::instrument(skip_all, fields(invitation.id = %id))]
pub(crate) async fn resend_invitation(
    tools: &Tools,
    caller: &RequestContext,
    id: InvitationId,
) -> Result<Invitation, Error> {
    let mut office = Office::open(tools, caller).await?;
    let (organization_id, now) = (office.organization_id(), office.occasion.at);
    let mut invitation = invitations::lock(&mut office.tx, organization_id, id)
        .await?
        .ok_or(PeopleError::Unknown("invitation"))?;
    // It gives its role for another week.
    let granted = office.power_of(invitation.assignment).await?;
    office.refuse_more_power(&granted)?;
    // Who sends it answers for it: whoever invited first may have left.
    invitation.invited_by = office.person()?;
    let needs_a_seat = invitation.state(now) == State::Expired;
    invitation.resend(now).map_err(|refused| match refused {
        ResendRefused::Closed => PeopleError::InvitationClosed,
        ResendRefused::TooSoon(left) => PeopleError::SentJustNow(left),
    })?;
    let more = u32::from(needs_a_seat);
    seats::refuse_full(&mut office.tx, tools.seats, organization_id, more, now).await?;
    invitations::update(&mut office.tx, &invitation).await?;
    let letter = Letter::Invitation {
        organization_id,
        invitation_id: id,
    };
    mail::queue(&mut office.tx, &[letter]).await?;
    office.record("invitation.resent", id, None, None).await?;
    office.commit().await?;
    Ok(invitation)
}
