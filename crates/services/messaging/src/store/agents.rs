//! `agents`, `teams` and `team_agents`: whom identity says there is.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use ids::{OrganizationId, TeamId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

/// What identity said of a person.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Agent {
    pub(crate) organization_id: OrganizationId,
    pub(crate) user_id: UserId,
    pub(crate) active: bool,
    pub(crate) changed_at: DateTime<Utc>,
}

/// What identity said of a team.
#[derive(Debug, Clone)]
pub(crate) struct Team {
    pub(crate) organization_id: OrganizationId,
    pub(crate) id: TeamId,
    /// All of them; `None` when the team is gone.
    pub(crate) members: Option<Vec<UserId>>,
    pub(crate) changed_at: DateTime<Utc>,
}

/// Takes in what was said, unless something newer is known. Of two things said of the same moment, the one that lets
/// less wins, whatever their order.
pub(crate) async fn record_agent(conn: &mut PgConnection, agent: Agent) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into messaging.agents as a (organization_id, user_id, active, changed_at) values ($1, $2, $3, $4)
         on conflict (organization_id, user_id) do update
             set active = excluded.active, changed_at = excluded.changed_at
             where excluded.changed_at > a.changed_at or (excluded.changed_at = a.changed_at and not excluded.active)",
        agent.organization_id.as_uuid(),
        agent.user_id.as_uuid(),
        agent.active,
        agent.changed_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// As [`record_agent`]. A team that is gone stays gone: its id is not used again.
pub(crate) async fn record_team(conn: &mut PgConnection, team: &Team) -> sqlx::Result<()> {
    let newer = sqlx::query_scalar!(
        "insert into messaging.teams as t (organization_id, id, deleted, changed_at) values ($1, $2, $3, $4)
         on conflict (organization_id, id) do update
             set deleted = excluded.deleted, changed_at = excluded.changed_at
             where not t.deleted and (excluded.deleted or excluded.changed_at >= t.changed_at)
         returning true",
        team.organization_id.as_uuid(),
        team.id.as_uuid(),
        team.members.is_none(),
        team.changed_at,
    )
    .fetch_optional(&mut *conn)
    .await?;
    if newer.is_none() {
        return Ok(());
    }
    let members: Vec<Uuid> = team
        .members
        .iter()
        .flatten()
        .map(|user| user.as_uuid())
        .collect();
    sqlx::query!(
        "delete from messaging.team_agents
         where organization_id = $1 and team_id = $2 and not (user_id = any($3))",
        team.organization_id.as_uuid(),
        team.id.as_uuid(),
        &members,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into messaging.team_agents (organization_id, team_id, user_id)
         select $1, $2, u from unnest($3::uuid[]) u on conflict do nothing",
        team.organization_id.as_uuid(),
        team.id.as_uuid(),
        &members,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A person is in no team any more.
pub(crate) async fn leave_teams(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    user: UserId,
) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from messaging.team_agents where organization_id = $1 and user_id = $2",
        organization_id.as_uuid(),
        user.as_uuid(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Which of them can be given conversations.
pub(crate) async fn active(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    users: &[UserId],
) -> sqlx::Result<HashSet<UserId>> {
    let users: Vec<Uuid> = users.iter().map(|user| user.as_uuid()).collect();
    let found = sqlx::query_scalar!(
        r#"select user_id as "user_id: UserId" from messaging.agents
           where organization_id = $1 and user_id = any($2) and active"#,
        organization_id.as_uuid(),
        &users,
    )
    .fetch_all(conn)
    .await?;
    Ok(found.into_iter().collect())
}

pub(crate) async fn team_exists(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: TeamId,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from messaging.teams
                          where organization_id = $1 and id = $2 and not deleted) as "exists!""#,
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_one(conn)
    .await
}

/// The teams of a person.
pub(crate) async fn teams_of(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    user: UserId,
) -> sqlx::Result<Vec<TeamId>> {
    sqlx::query_scalar!(
        r#"select team_id as "team_id: TeamId" from messaging.team_agents
           where organization_id = $1 and user_id = $2 order by team_id"#,
        organization_id.as_uuid(),
        user.as_uuid(),
    )
    .fetch_all(conn)
    .await
}
