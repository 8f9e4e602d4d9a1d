//! `POST /Groups`.

use ids::ScimGroupId;
use scim::Group;

use super::{
    answer::{Refusal, ScimAnswer},
    change_group::people,
    exchange::Exchange,
    read,
};
use crate::store::scim::{group_members, groups};

/// A new group gives no role, so it changes nothing for its members.
pub(super) async fn create_group(exchange: &Exchange<'_>) -> Result<ScimAnswer, Refusal> {
    let group = Group::parse(exchange.body)?;
    let source = exchange.source;
    let mut office = exchange.write().await?;
    let now = office.occasion.at;
    let id = ScimGroupId::stamped(now);
    groups::insert(&mut office.tx, source, id, &group, now).await?;
    let members = people(group.members().iter().map(|member| member.value.as_str()));
    group_members::add(&mut office.tx, source, id, &members).await?;
    let answer = read::group(&mut office.tx, exchange, id, 201).await?;
    office.tx.commit().await?;
    Ok(answer)
}
