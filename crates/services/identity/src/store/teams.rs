//! Groups of members.

use auth::View;
use chrono::{DateTime, Utc};
use db::{DbError, TenantTx};
use ids::{TeamId, UserId};
use uuid::Uuid;

use crate::{Error, PeopleError};

#[derive(Debug, Clone)]
pub(crate) struct Team {
    pub(crate) id: TeamId,
    pub(crate) name: String,
    pub(crate) member_count: i64,
    pub(crate) created_at: DateTime<Utc>,
}

#[tracing::instrument(name = "db.teams.find", skip_all)]
pub(crate) async fn find(tx: &mut TenantTx, id: TeamId) -> Result<Option<Team>, DbError> {
    let team = sqlx::query_as!(
        Team,
        r#"select id as "id: TeamId", name, created_at,
                  (select count(*) from identity.team_members m
                   where m.organization_id = t.organization_id and m.team_id = t.id) as "member_count!"
           from identity.teams t where organization_id = $1 and id = $2"#,
        tx.organization_id().as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(team)
}

/// Newest first.
#[tracing::instrument(name = "db.teams.list", skip_all)]
pub(crate) async fn list(
    tx: &mut TenantTx,
    after: Option<TeamId>,
    limit: i64,
) -> Result<Vec<Team>, DbError> {
    let teams = sqlx::query_as!(
        Team,
        r#"select id as "id: TeamId", name, created_at,
                  (select count(*) from identity.team_members m
                   where m.organization_id = t.organization_id and m.team_id = t.id) as "member_count!"
           from identity.teams t
           where organization_id = $1 and ($2::uuid is null or id < $2)
           order by id desc limit $3"#,
        tx.organization_id().as_uuid(),
        after.map(TeamId::as_uuid),
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(teams)
}

#[tracing::instrument(name = "db.teams.insert", skip_all)]
pub(crate) async fn insert(tx: &mut TenantTx, team: &Team) -> Result<(), Error> {
    let inserted = sqlx::query!(
        "insert into identity.teams (organization_id, id, name, created_at) values ($1, $2, $3, $4)",
        tx.organization_id().as_uuid(),
        team.id.as_uuid(),
        team.name,
        team.created_at,
    )
    .execute(tx.conn())
    .await;
    inserted.map(drop).map_err(name_taken)
}

#[tracing::instrument(name = "db.teams.update", skip_all)]
pub(crate) async fn rename(tx: &mut TenantTx, id: TeamId, name: &str) -> Result<(), Error> {
    let updated = sqlx::query!(
        "update identity.teams set name = $3 where organization_id = $1 and id = $2",
        tx.organization_id().as_uuid(),
        id.as_uuid(),
        name,
    )
    .execute(tx.conn())
    .await;
    updated.map(drop).map_err(name_taken)
}

fn name_taken(error: sqlx::Error) -> Error {
    let error = DbError::from(error);
    match error.constraint() {
        Some("teams_name_key") => PeopleError::NameTaken("team").into(),
        _ => error.into(),
    }
}

/// With the places of its members; who they were.
#[tracing::instrument(name = "db.teams.delete", skip_all)]
pub(crate) async fn delete(tx: &mut TenantTx, id: TeamId) -> Result<Vec<UserId>, DbError> {
    let members = sqlx::query_scalar!(
        r#"delete from identity.team_members where organization_id = $1 and team_id = $2
           returning user_id as "user_id: UserId""#,
        tx.organization_id().as_uuid(),
        id.as_uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    sqlx::query!(
        "delete from identity.teams where organization_id = $1 and id = $2",
        tx.organization_id().as_uuid(),
        id.as_uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(members)
}

/// Who is in it.
#[tracing::instrument(name = "db.team_members.list", skip_all)]
pub(crate) async fn members(tx: &mut TenantTx, id: TeamId) -> Result<Vec<UserId>, DbError> {
    let members = sqlx::query_scalar!(
        r#"select user_id as "user_id: UserId" from identity.team_members
           where organization_id = $1 and team_id = $2 order by user_id"#,
        tx.organization_id().as_uuid(),
        id.as_uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(members)
}

/// Those who were not in it.
#[tracing::instrument(name = "db.team_members.insert", skip_all)]
pub(crate) async fn add(
    tx: &mut TenantTx,
    id: TeamId,
    users: &[UserId],
) -> Result<Vec<UserId>, DbError> {
    let added = sqlx::query_scalar!(
        r#"insert into identity.team_members (organization_id, team_id, user_id)
           select $1, $2, u from unnest($3::uuid[]) u order by u
           on conflict do nothing
           returning user_id as "user_id: UserId""#,
        tx.organization_id().as_uuid(),
        id.as_uuid(),
        &uuids(users),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(added)
}

/// Whether one of them is in more teams than a token can name. Exact while the organization is locked.
#[tracing::instrument(name = "db.team_members.count", skip_all)]
pub(crate) async fn is_one_in_too_many(
    tx: &mut TenantTx,
    users: &[UserId],
) -> Result<bool, DbError> {
    let most = i64::try_from(View::MAX_TEAMS).unwrap_or(i64::MAX);
    let too_many = sqlx::query_scalar!(
        r#"select exists (
               select from identity.team_members where organization_id = $1 and user_id = any($2)
               group by user_id having count(*) > $3) as "too_many!""#,
        tx.organization_id().as_uuid(),
        &uuids(users),
        most,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(too_many)
}

/// `false` when the person was not in it.
#[tracing::instrument(name = "db.team_members.delete", skip_all)]
pub(crate) async fn take_out(tx: &mut TenantTx, id: TeamId, user: UserId) -> Result<bool, DbError> {
    let removed = sqlx::query!(
        "delete from identity.team_members where organization_id = $1 and team_id = $2 and user_id = $3",
        tx.organization_id().as_uuid(),
        id.as_uuid(),
        user.as_uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(removed.rows_affected() == 1)
}

fn uuids(users: &[UserId]) -> Vec<Uuid> {
    users.iter().map(|user| user.as_uuid()).collect()
}
