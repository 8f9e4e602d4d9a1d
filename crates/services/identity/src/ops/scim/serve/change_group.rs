//! `PUT` and `PATCH` of a group.

use db::SystemTx;
use ids::{ScimGroupId, UserId};
use scim::{Error, Group, GroupChange, Patch, Version, answer::ErrorResponse};

use super::{
    answer::{Refusal, ScimAnswer},
    exchange::Exchange,
    read, resource,
};
use crate::{
    ops::{office::Office, scim::settle_roles::settle},
    store::scim::{Source, group_members, groups},
};

pub(super) async fn put_group(exchange: &Exchange<'_>, id: &str) -> Result<ScimAnswer, Refusal> {
    let put = Group::parse(exchange.body)?;
    let id: ScimGroupId = id.parse().map_err(|_| ErrorResponse::not_found())?;
    let mut office = exchange.write().await?;
    change(exchange, &mut office, id, |group| {
        Ok(group.replace_with(put))
    })
    .await?;
    let answer = read::group(&mut office.tx, exchange, id, 200).await?;
    office.tx.commit().await?;
    Ok(answer)
}

/// Answers without the group: Entra wants it so, and large groups are patched often.
pub(super) async fn patch_group(exchange: &Exchange<'_>, id: &str) -> Result<ScimAnswer, Refusal> {
    let patch = Patch::parse(exchange.body)?;
    let id: ScimGroupId = id.parse().map_err(|_| ErrorResponse::not_found())?;
    let mut office = exchange.write().await?;
    let version = change(exchange, &mut office, id, |group| patch.apply_group(group)).await?;
    office.tx.commit().await?;
    Ok(ScimAnswer::no_content(Some(version)))
}

/// The version that the group has then.
async fn change(
    exchange: &Exchange<'_>,
    office: &mut Office<'_, SystemTx>,
    id: ScimGroupId,
    apply: impl FnOnce(&mut Group) -> Result<GroupChange, Error>,
) -> Result<Version, Refusal> {
    let source = exchange.source;
    let stored = groups::load(&mut office.tx, source, &[id]).await?.pop();
    let stored = stored.ok_or_else(ErrorResponse::not_found)?;
    exchange.refuse_other_version(stored.version)?;
    let mut members = group_members::of_groups(&mut office.tx, source, &[id]).await?;
    let members = members.remove(&id).unwrap_or_default();
    let mut group = resource::group(&stored, Some(members), exchange.base);
    let change = apply(&mut group)?;
    if !change.changed {
        return Ok(Version::of_revision(stored.version));
    }
    let now = office.occasion.at;
    groups::update(&mut office.tx, source, id, &group, now).await?;
    move_members(office, source, id, &change).await?;
    Ok(Version::of_revision(stored.version + 1))
}

async fn move_members(
    office: &mut Office<'_, SystemTx>,
    source: Source,
    id: ScimGroupId,
    change: &GroupChange,
) -> Result<(), Refusal> {
    let added = people(change.added.iter().map(String::as_str));
    let removed = people(change.removed.iter().map(String::as_str));
    let affected = [added.as_slice(), removed.as_slice()].concat();
    let organization_id = source.organization_id;
    let before = group_members::given_roles(&mut office.tx, organization_id, &affected).await?;
    group_members::remove(&mut office.tx, source, id, &removed).await?;
    let came = group_members::add(&mut office.tx, source, id, &added).await?;
    if came < added.len() as u64 {
        tracing::warn!(group.id = %id, "a directory put people into a group whom it does not have");
    }
    settle(office, &affected, &before).await?;
    Ok(())
}

/// Ids of users. What is none is passed over, as users are who are gone: a directory that still names one would
/// otherwise never get any change of the group through, the removal of others included.
pub(super) fn people<'text>(values: impl Iterator<Item = &'text str>) -> Vec<UserId> {
    values.filter_map(|value| value.parse().ok()).collect()
}
