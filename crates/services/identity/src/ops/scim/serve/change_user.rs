//! `PUT` and `PATCH` of a user.

use ids::UserId;
use scim::{Error, Patch, User, UserChange, answer::ErrorResponse};

use super::{
    answer::{Refusal, ScimAnswer},
    exchange::Exchange,
    person, read, resource,
};
use crate::{
    ops::members::set_member_active::set_active,
    store::{roster, scim::users},
};

pub(super) async fn put_user(exchange: &Exchange<'_>, id: &str) -> Result<ScimAnswer, Refusal> {
    let put = User::parse(exchange.body)?;
    change(exchange, id, |user| Ok(user.replace_with(put))).await
}

pub(super) async fn patch_user(exchange: &Exchange<'_>, id: &str) -> Result<ScimAnswer, Refusal> {
    let patch = Patch::parse(exchange.body)?;
    change(exchange, id, |user| patch.apply_user(user)).await
}

async fn change(
    exchange: &Exchange<'_>,
    id: &str,
    apply: impl FnOnce(&mut User) -> Result<UserChange, Error>,
) -> Result<ScimAnswer, Refusal> {
    let id: UserId = id.parse().map_err(|_| ErrorResponse::not_found())?;
    let source = exchange.source;
    let mut office = exchange.write().await?;
    let stored = users::load(&mut office.tx, source, &[id]).await?.pop();
    let stored = stored.ok_or_else(ErrorResponse::not_found)?;
    exchange.refuse_other_version(stored.version)?;
    let before = resource::user(&stored, Vec::new(), exchange.base)?;
    let mut user = before.clone();
    let change = apply(&mut user)?;
    // The person before its membership: everybody who needs both takes them in this order.
    if change.changed {
        person::follow(&mut office, id, &before, &user).await?;
        let now = office.occasion.at;
        users::update(&mut office.tx, source, id, &user, now).await?;
    }
    if let Some(active) = change.active
        && let Some(mut entry) = roster::find(&mut office.tx, source.organization_id, id).await?
    {
        let max_seats = exchange.tools.seats;
        set_active(&mut office, max_seats, &mut entry, active).await?;
    }
    let answer = read::user(&mut office.tx, exchange, id, 200).await?;
    office.tx.commit().await?;
    Ok(answer)
}
