//! `GET` of users and groups.

use db::{AsTx, DbError};
use ids::{ScimGroupId, UserId};
use scim::{
    Group, Query, ResourceKind, User,
    answer::{ErrorResponse, ListResponse},
};
use serde_json::Value;

use super::{
    answer::{Refusal, ScimAnswer},
    exchange::Exchange,
    resource,
};
use crate::store::scim::{group_members, groups, lookups, users};

pub(super) async fn list_users(exchange: &Exchange<'_>) -> Result<ScimAnswer, Refusal> {
    let (query, source) = (&exchange.query, exchange.source);
    let mut tx = exchange.read().await?;
    let (ids, total) = match &query.filter {
        None => {
            let (offset, limit) = bounds(query);
            let (ids, total) = lookups::all_users(&mut tx, source, offset, limit).await?;
            (ids, u64::try_from(total).unwrap_or_default())
        }
        Some(filter) => {
            let mut hits = Hits::default();
            for lookup in filter.lookups(ResourceKind::User)? {
                hits.narrow(lookups::users(&mut tx, source, &lookup).await?);
            }
            hits.page(query)
        }
    };
    let users = load_users(&mut tx, exchange, &ids).await?;
    tx.commit().await?;
    let users = users.iter().map(User::to_json).collect();
    Ok(list(query, total, users))
}

pub(super) async fn get_user(exchange: &Exchange<'_>, id: &str) -> Result<ScimAnswer, Refusal> {
    let id: UserId = id.parse().map_err(|_| ErrorResponse::not_found())?;
    let mut tx = exchange.read().await?;
    let answer = user(&mut tx, exchange, id, 200).await?;
    tx.commit().await?;
    Ok(answer)
}

/// The user as it is in this transaction.
pub(super) async fn user(
    tx: &mut impl AsTx,
    exchange: &Exchange<'_>,
    id: UserId,
    status: u16,
) -> Result<ScimAnswer, Refusal> {
    let found = load_users(tx, exchange, &[id]).await?.pop();
    let user = found.ok_or_else(ErrorResponse::not_found)?;
    let body = exchange.query.projection.apply(user.to_json());
    Ok(ScimAnswer::resource(status, user.meta, body))
}

async fn load_users(
    tx: &mut impl AsTx,
    exchange: &Exchange<'_>,
    ids: &[UserId],
) -> Result<Vec<User>, DbError> {
    let stored = users::load(tx, exchange.source, ids).await?;
    let mut groups = if exchange.query.projection.includes("groups") {
        group_members::of_users(tx, exchange.source, ids).await?
    } else {
        std::collections::HashMap::new()
    };
    stored
        .iter()
        .map(|one| {
            let groups = groups.remove(&one.id).unwrap_or_default();
            resource::user(one, groups, exchange.base)
        })
        .collect()
}

pub(super) async fn list_groups(exchange: &Exchange<'_>) -> Result<ScimAnswer, Refusal> {
    let (query, source) = (&exchange.query, exchange.source);
    let mut tx = exchange.read().await?;
    let (ids, total) = match &query.filter {
        None => {
            let (offset, limit) = bounds(query);
            let (ids, total) = lookups::all_groups(&mut tx, source, offset, limit).await?;
            (ids, u64::try_from(total).unwrap_or_default())
        }
        Some(filter) => {
            let mut hits = Hits::default();
            for lookup in filter.lookups(ResourceKind::Group)? {
                hits.narrow(lookups::groups(&mut tx, source, &lookup).await?);
            }
            hits.page(query)
        }
    };
    let groups = load_groups(&mut tx, exchange, &ids).await?;
    tx.commit().await?;
    let groups = groups.iter().map(Group::to_json).collect();
    Ok(list(query, total, groups))
}

pub(super) async fn get_group(exchange: &Exchange<'_>, id: &str) -> Result<ScimAnswer, Refusal> {
    let id: ScimGroupId = id.parse().map_err(|_| ErrorResponse::not_found())?;
    let mut tx = exchange.read().await?;
    let answer = group(&mut tx, exchange, id, 200).await?;
    tx.commit().await?;
    Ok(answer)
}

/// The group as it is in this transaction.
pub(super) async fn group(
    tx: &mut impl AsTx,
    exchange: &Exchange<'_>,
    id: ScimGroupId,
    status: u16,
) -> Result<ScimAnswer, Refusal> {
    let found = load_groups(tx, exchange, &[id]).await?.pop();
    let group = found.ok_or_else(ErrorResponse::not_found)?;
    let body = exchange.query.projection.apply(group.to_json());
    Ok(ScimAnswer::resource(status, group.meta, body))
}

/// A group has more members than an answer needs that was asked to leave them out: then they are not read.
async fn load_groups(
    tx: &mut impl AsTx,
    exchange: &Exchange<'_>,
    ids: &[ScimGroupId],
) -> Result<Vec<Group>, DbError> {
    let stored = groups::load(tx, exchange.source, ids).await?;
    if !exchange.query.projection.includes("members") {
        let bare = |one| resource::group(one, None, exchange.base);
        return Ok(stored.iter().map(bare).collect());
    }
    let mut members = group_members::of_groups(tx, exchange.source, ids).await?;
    let whole = |one: &groups::StoredGroup| {
        let members = members.remove(&one.id).unwrap_or_default();
        resource::group(one, Some(members), exchange.base)
    };
    Ok(stored.iter().map(whole).collect())
}

fn list(query: &Query, total: u64, resources: Vec<Value>) -> ScimAnswer {
    let answer = ListResponse {
        total_results: total,
        start_index: query.start_index,
        resources: resources
            .into_iter()
            .map(|resource| query.projection.apply(resource))
            .collect(),
    };
    ScimAnswer::ok(answer.to_json())
}

/// Offset and limit of the page.
fn bounds(query: &Query) -> (i64, i64) {
    let offset = i64::try_from(query.offset()).unwrap_or(i64::MAX);
    (offset, query.count.into())
}

/// What several lookups have found, all of them together.
struct Hits<Id>(Option<Vec<Id>>);

impl<Id> Default for Hits<Id> {
    fn default() -> Self {
        Self(None)
    }
}

impl<Id: Ord> Hits<Id> {
    /// `found` is sorted.
    fn narrow(&mut self, found: Vec<Id>) {
        match &mut self.0 {
            Some(hits) => hits.retain(|id| found.binary_search(id).is_ok()),
            None => self.0 = Some(found),
        }
    }

    /// The page, and how many hits there are.
    fn page(self, query: &Query) -> (Vec<Id>, u64) {
        let hits = self.0.unwrap_or_default();
        let total = hits.len() as u64;
        let offset = usize::try_from(query.offset()).unwrap_or(usize::MAX);
        let count = usize::try_from(query.count).unwrap_or(usize::MAX);
        (hits.into_iter().skip(offset).take(count).collect(), total)
    }
}
