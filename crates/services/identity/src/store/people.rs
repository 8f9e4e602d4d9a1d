//! People apart from their logins. Without a tenant: only the system door leads here.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use db::{DbError, SystemTx};
use ids::{OrganizationId, UserId};
use uuid::Uuid;

use super::users::User;
use crate::domain::email::EmailKey;

/// Names and addresses, by id; those who are gone are missing.
#[tracing::instrument(name = "db.users.list", skip_all)]
pub(crate) async fn list(
    tx: &mut SystemTx,
    ids: &[UserId],
) -> Result<HashMap<UserId, User>, DbError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
    let rows = sqlx::query!(
        r#"select id as "id: UserId", email, name from identity.users where id = any($1)"#,
        &ids,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let user = User {
                id: row.id,
                email: row.email,
                name: row.name,
            };
            (row.id, user)
        })
        .collect())
}

/// Whose address it is, proven or not.
#[tracing::instrument(name = "db.users.find", skip_all)]
pub(crate) async fn find_by_email(
    tx: &mut SystemTx,
    email: &EmailKey,
) -> Result<Option<UserId>, DbError> {
    let id = sqlx::query_scalar!(
        r#"select id as "id: UserId" from identity.users where email_key = $1"#,
        email.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(id)
}

/// Erases those of the people who belong to no organization; how many.
#[tracing::instrument(name = "db.users.delete", skip_all)]
pub(crate) async fn erase_homeless(tx: &mut SystemTx, ids: &[UserId]) -> Result<u64, DbError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
    // Locked first: a membership that is being added holds the row, so it is seen afterwards.
    sqlx::query!(
        "select from identity.users where id = any($1) order by id for update",
        &ids
    )
    .execute(tx.conn())
    .await?;
    let erased = sqlx::query!(
        "delete from identity.users u where u.id = any($1)
             and not exists (select from identity.memberships m where m.user_id = u.id)",
        &ids,
    )
    .execute(tx.conn())
    .await?;
    Ok(erased.rows_affected())
}

/// Up to `limit` people who belong to no organization. Those who came after `created_before` may be about to join.
#[tracing::instrument(name = "db.users.list", skip_all)]
pub(crate) async fn list_homeless(
    tx: &mut SystemTx,
    created_before: DateTime<Utc>,
    after: UserId,
    limit: i64,
) -> Result<Vec<UserId>, DbError> {
    let ids = sqlx::query_scalar!(
        r#"select u.id as "id: UserId" from identity.users u
           where u.id > $1 and u.created_at < $2
             and not exists (select from identity.memberships m where m.user_id = u.id)
           order by u.id limit $3"#,
        after.as_uuid(),
        created_before,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(ids)
}

/// Everybody who belongs to the organization.
#[tracing::instrument(name = "db.memberships.list", skip_all)]
pub(crate) async fn list_of_organization(
    tx: &mut SystemTx,
    organization_id: OrganizationId,
) -> Result<Vec<UserId>, DbError> {
    let ids = sqlx::query_scalar!(
        r#"select user_id as "user_id: UserId" from identity.memberships where organization_id = $1"#,
        organization_id.as_uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(ids)
}
