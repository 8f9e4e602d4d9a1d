//! Memberships as the organization manages them. What a membership allows is in [`members`](super::members).

use chrono::{DateTime, Utc};
use db::{AsTx, DbError};
use ids::{OrganizationId, RoleId, TeamId, UserId};

use super::organizations::role;
use crate::domain::assignment::Assignment;

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) user_id: UserId,
    pub(crate) assignment: Assignment,
    pub(crate) active: bool,
    pub(crate) teams: Vec<TeamId>,
    pub(crate) joined_by: String,
    pub(crate) joined_at: DateTime<Utc>,
}

struct Row {
    user_id: UserId,
    role: String,
    role_id: Option<RoleId>,
    state: String,
    teams: Vec<TeamId>,
    joined_by: String,
    joined_at: DateTime<Utc>,
}

impl TryFrom<Row> for Entry {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        Ok(Self {
            assignment: Assignment::new(role(&row.role, row.user_id)?, row.role_id)
                .ok_or_else(|| DbError::inconsistent("memberships", "role_id", row.user_id))?,
            user_id: row.user_id,
            active: row.state == "active",
            teams: row.teams,
            joined_by: row.joined_by,
            joined_at: row.joined_at,
        })
    }
}

#[tracing::instrument(name = "db.memberships.find", skip_all)]
pub(crate) async fn find(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    user_id: UserId,
) -> Result<Option<Entry>, DbError> {
    let row = sqlx::query_as!(
        Row,
        r#"select m.user_id as "user_id: UserId", m.role, m.role_id as "role_id: RoleId", m.state, m.joined_by,
                  m.created_at as joined_at,
                  array(select t.team_id from identity.team_members t
                        where t.organization_id = m.organization_id and t.user_id = m.user_id
                        order by t.team_id) as "teams!: Vec<TeamId>"
           from identity.memberships m
           where m.organization_id = $1 and m.user_id = $2"#,
        organization_id.as_uuid(),
        user_id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(Entry::try_from).transpose()
}

/// Where a page of [`list`] begins: behind this member.
pub(crate) type Key = (DateTime<Utc>, UserId);

/// Newest members first; those of one team if it is given.
#[tracing::instrument(name = "db.memberships.list", skip_all)]
pub(crate) async fn list(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    team: Option<TeamId>,
    after: Option<Key>,
    limit: i64,
) -> Result<Vec<Entry>, DbError> {
    let rows = sqlx::query_as!(
        Row,
        r#"select m.user_id as "user_id: UserId", m.role, m.role_id as "role_id: RoleId", m.state, m.joined_by,
                  m.created_at as joined_at,
                  array(select t.team_id from identity.team_members t
                        where t.organization_id = m.organization_id and t.user_id = m.user_id
                        order by t.team_id) as "teams!: Vec<TeamId>"
           from identity.memberships m
           where m.organization_id = $1
             and ($2::uuid is null or exists (
                 select from identity.team_members t
                 where t.organization_id = $1 and t.team_id = $2 and t.user_id = m.user_id))
             and ($3::timestamptz is null or (m.created_at, m.user_id) < ($3, $4::uuid))
           order by m.created_at desc, m.user_id desc
           limit $5"#,
        organization_id.as_uuid(),
        team.map(TeamId::as_uuid),
        after.map(|(at, _)| at),
        after.map(|(_, id)| id.as_uuid()),
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Entry::try_from).collect()
}

/// A new member. `false` when the person is one already.
#[tracing::instrument(name = "db.memberships.insert", skip_all)]
pub(crate) async fn insert(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    entry: &Entry,
    mfa_grace_until: Option<DateTime<Utc>>,
) -> Result<bool, DbError> {
    let inserted = sqlx::query!(
        "insert into identity.memberships
             (organization_id, user_id, role, role_id, created_at, joined_by, mfa_grace_until)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (organization_id, user_id) do nothing",
        organization_id.as_uuid(),
        entry.user_id.as_uuid(),
        entry.assignment.role().as_str(),
        entry.assignment.role_id().map(RoleId::as_uuid),
        entry.joined_at,
        entry.joined_by,
        mfa_grace_until,
    )
    .execute(tx.conn())
    .await?;
    Ok(inserted.rows_affected() == 1)
}

#[tracing::instrument(name = "db.memberships.update", skip_all)]
pub(crate) async fn update(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    entry: &Entry,
) -> Result<(), DbError> {
    sqlx::query!(
        "update identity.memberships set role = $3, role_id = $4, state = $5
         where organization_id = $1 and user_id = $2",
        organization_id.as_uuid(),
        entry.user_id.as_uuid(),
        entry.assignment.role().as_str(),
        entry.assignment.role_id().map(RoleId::as_uuid),
        if entry.active {
            "active"
        } else {
            "deactivated"
        },
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Sessions and places in teams go with it.
#[tracing::instrument(name = "db.memberships.delete", skip_all)]
pub(crate) async fn delete(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    user_id: UserId,
) -> Result<(), DbError> {
    sqlx::query!(
        "delete from identity.memberships where organization_id = $1 and user_id = $2",
        organization_id.as_uuid(),
        user_id.as_uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Exact while the organization is locked.
#[tracing::instrument(name = "db.memberships.list", skip_all)]
pub(crate) async fn list_active_owners(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
) -> Result<Vec<UserId>, DbError> {
    let owners = sqlx::query_scalar!(
        r#"select user_id as "user_id: UserId" from identity.memberships
           where organization_id = $1 and role = 'owner' and state = 'active'"#,
        organization_id.as_uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(owners)
}

/// Active members, and invitations that may still be accepted.
#[tracing::instrument(name = "db.memberships.count", skip_all)]
pub(crate) async fn count_seats(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    now: DateTime<Utc>,
) -> Result<i64, DbError> {
    let seats = sqlx::query_scalar!(
        r#"select (select count(*) from identity.memberships
                   where organization_id = $1 and state = 'active')
                + (select count(*) from identity.invitations
                   where organization_id = $1 and state = 'pending' and expires_at > $2) as "seats!""#,
        organization_id.as_uuid(),
        now,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(seats)
}
