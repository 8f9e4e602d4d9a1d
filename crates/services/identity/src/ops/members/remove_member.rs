//! Remove a member from the organization.

use auth::RequestContext;
use db::{AsTx, SystemTx};
use ids::UserId;
use serde_json::json;

use crate::{
    Error,
    domain::session::EndReason,
    events,
    ops::{Tools, end_sessions::end_every_session, office::Office},
    store::{
        people,
        roster::{self, Entry},
    },
};

#[tracing::instrument(skip_all, fields(user.id = %id))]
pub(crate) async fn remove_member(
    tools: &Tools,
    caller: &RequestContext,
    id: UserId,
) -> Result<(), Error> {
    let mut office = Office::open(tools, caller).await?;
    let (entry, _) = office.member(id).await?;
    remove(&mut office, &entry).await?;
    office.commit().await?;
    // The account of whoever belongs nowhere now. The removal stands if this fails: the sweep does it later.
    if let Err(error) = erase_homeless(tools, id).await {
        tracing::warn!(
            error = errors::chain(&error),
            "a person without an organization is not erased yet"
        );
    }
    Ok(())
}

async fn erase_homeless(tools: &Tools, id: UserId) -> Result<(), Error> {
    let mut tx = SystemTx::begin(&tools.db, "erase people without an organization").await?;
    people::erase_homeless(&mut tx, &[id]).await?;
    tx.commit().await?;
    Ok(())
}

/// The rule itself, for whoever may remove the member.
pub(crate) async fn remove<T: AsTx>(
    office: &mut Office<'_, T>,
    entry: &Entry,
) -> Result<(), Error> {
    let id = entry.user_id;
    office.keep_an_owner(id).await?;
    let reason = EndReason::MemberRemoved;
    end_every_session(&mut office.tx, Some(id), reason, &office.occasion).await?;
    let organization_id = office.organization_id();
    roster::delete(&mut office.tx, organization_id, id).await?;
    office.void(&[id]).await?;
    events::member_removed(&mut office.tx, &office.occasion, id).await?;
    let before = json!({ "role": entry.assignment.role(), "active": entry.active });
    office
        .record("member.removed", id, Some(before), None)
        .await
}
