//! `DELETE` of users and groups.

use ids::{ScimGroupId, UserId};
use scim::answer::ErrorResponse;

use super::{
    answer::{Refusal, ScimAnswer},
    exchange::Exchange,
};
use crate::{
    ops::{members::remove_member::remove, scim::settle_roles::settle},
    store::{
        people, roster,
        scim::{group_members, groups, users},
    },
};

/// Ends the membership. What the member wrote and the audit log stay.
pub(super) async fn delete_user(exchange: &Exchange<'_>, id: &str) -> Result<ScimAnswer, Refusal> {
    let id: UserId = id.parse().map_err(|_| ErrorResponse::not_found())?;
    let mut office = exchange.write().await?;
    let stored = users::load(&mut office.tx, exchange.source, &[id]).await?;
    let stored = stored.first().ok_or_else(ErrorResponse::not_found)?;
    exchange.refuse_other_version(stored.version)?;
    let organization_id = office.organization_id();
    let entry = roster::find(&mut office.tx, organization_id, id).await?;
    let entry = entry.ok_or_else(ErrorResponse::not_found)?;
    remove(&mut office, &entry).await?;
    people::erase_homeless(&mut office.tx, &[id]).await?;
    office.tx.commit().await?;
    Ok(ScimAnswer::no_content(None))
}

/// Its members stay members and lose what the group gave.
pub(super) async fn delete_group(exchange: &Exchange<'_>, id: &str) -> Result<ScimAnswer, Refusal> {
    let id: ScimGroupId = id.parse().map_err(|_| ErrorResponse::not_found())?;
    let source = exchange.source;
    let mut office = exchange.write().await?;
    let stored = groups::load(&mut office.tx, source, &[id]).await?;
    let stored = stored.first().ok_or_else(ErrorResponse::not_found)?;
    exchange.refuse_other_version(stored.version)?;
    let members = group_members::ids(&mut office.tx, source, id).await?;
    let before =
        group_members::given_roles(&mut office.tx, source.organization_id, &members).await?;
    groups::delete(&mut office.tx, source, id).await?;
    settle(&mut office, &members, &before).await?;
    office.tx.commit().await?;
    Ok(ScimAnswer::no_content(None))
}
