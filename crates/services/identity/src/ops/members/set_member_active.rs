//! Shut a member out for the time being, or let it in again.

use auth::RequestContext;
use db::AsTx;
use ids::UserId;
use serde_json::json;

use super::{Profile, with_name};
use crate::{
    Error,
    domain::session::EndReason,
    events,
    ops::{Tools, end_sessions::end_every_session, office::Office, seats},
    store::roster::{self, Entry},
};

#[tracing::instrument(skip_all, fields(user.id = %id, active))]
pub(crate) async fn set_member_active(
    tools: &Tools,
    caller: &RequestContext,
    id: UserId,
    active: bool,
) -> Result<Profile, Error> {
    let mut office = Office::open(tools, caller).await?;
    let (mut entry, _) = office.member(id).await?;
    set_active(&mut office, tools.seats, &mut entry, active).await?;
    office.commit().await?;
    with_name(tools, entry).await
}

/// The rule itself, for whoever may change the member. One that is so already stays as it is.
pub(crate) async fn set_active<T: AsTx>(
    office: &mut Office<'_, T>,
    max_seats: Option<u32>,
    entry: &mut Entry,
    active: bool,
) -> Result<(), Error> {
    if entry.active == active {
        return Ok(());
    }
    let id = entry.user_id;
    let (organization_id, now) = (office.organization_id(), office.occasion.at);
    let action = if active {
        seats::refuse_full(&mut office.tx, max_seats, organization_id, 1, now).await?;
        "member.reactivated"
    } else {
        office.keep_an_owner(id).await?;
        "member.deactivated"
    };
    entry.active = active;
    roster::update(&mut office.tx, organization_id, entry).await?;
    if !active {
        let reason = EndReason::MemberDeactivated;
        end_every_session(&mut office.tx, Some(id), reason, &office.occasion).await?;
    }
    office.void(&[id]).await?;
    let role = entry.assignment.role();
    events::member_changed(&mut office.tx, &office.occasion, id, role, active).await?;
    let (before, after) = (json!({ "active": !active }), json!({ "active": active }));
    office.record(action, id, Some(before), Some(after)).await
}
