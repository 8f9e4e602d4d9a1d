//! The work on conversations: who has them, how far they are, how urgent they are.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use ids::{ChannelId, ContactId, ConversationId, LabelId, OrganizationId, TeamId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{domain::work, store::routes::Route};

/// A conversation as those who work on it see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) organization_id: OrganizationId,
    pub(crate) id: ConversationId,
    pub(crate) channel_id: ChannelId,
    pub(crate) contact_id: ContactId,
    pub(crate) status: String,
    pub(crate) snoozed_until: Option<DateTime<Utc>>,
    /// 0 none to 4 urgent.
    pub(crate) priority: i16,
    pub(crate) assignee_id: Option<UserId>,
    pub(crate) team_id: Option<TeamId>,
    pub(crate) version: i64,
    /// In the order of the ids.
    pub(crate) label_ids: Vec<LabelId>,
}

impl Work {
    pub(crate) fn is_resolved(&self) -> bool {
        self.status == work::RESOLVED
    }

    /// Open from now on, whatever it was.
    pub(crate) fn open(&mut self) {
        work::OPEN.clone_into(&mut self.status);
        self.snoozed_until = None;
    }
}

/// Reads conversations without their labels, which [`with_labels`] adds once the rows are locked: what a locking
/// statement selects besides the rows themselves is older than the lock.
macro_rules! rows {
    ($rest:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            Work,
            r#"select c.organization_id as "organization_id: OrganizationId", c.id as "id: ConversationId",
                      c.channel_id as "channel_id: ChannelId", c.contact_id as "contact_id: ContactId",
                      c.status, c.snoozed_until, c.priority, c.assignee_id as "assignee_id: UserId",
                      c.team_id as "team_id: TeamId", c.version, '{}'::uuid[] as "label_ids!: Vec<LabelId>"
               from messaging.conversations c "# + $rest,
            $($argument),+
        )
    };
}

/// One conversation, locked until the end of the transaction.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: ConversationId,
) -> sqlx::Result<Option<Work>> {
    let found = rows!(
        "where c.organization_id = $1 and c.id = messaging.kept_conversation($1, $2) and c.merged_into_id is null
         for no key update of c",
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(with_labels(conn, found).await?.pop())
}

/// Of these parties, the conversations that a customer's message changes: it wakes what is snoozed and opens what is
/// resolved.
pub(crate) async fn lock_asleep(
    conn: &mut PgConnection,
    parties: &[(Route, ContactId)],
) -> sqlx::Result<Vec<Work>> {
    let organizations: Vec<Uuid> = parties
        .iter()
        .map(|(route, _)| route.organization_id.as_uuid())
        .collect();
    let channels: Vec<Uuid> = parties
        .iter()
        .map(|(route, _)| route.channel_id.as_uuid())
        .collect();
    let contacts: Vec<Uuid> = parties.iter().map(|(_, id)| id.as_uuid()).collect();
    let found = rows!(
        "join unnest($1::uuid[], $2::uuid[], $3::uuid[]) as party(o, h, t)
             on c.organization_id = o and c.channel_id = h and c.contact_id = t
         where c.status in ('snoozed', 'resolved')
         order by o, h, t for no key update of c",
        &organizations,
        &channels,
        &contacts,
    )
    .fetch_all(&mut *conn)
    .await?;
    with_labels(conn, found).await
}

/// Snoozed ones whose time has come, of all organizations. Those somebody works on at this moment are left for the next
/// look.
pub(crate) async fn lock_due(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<Work>> {
    let found = rows!(
        "where c.status = 'snoozed' and c.merged_into_id is null and c.snoozed_until <= $1
         order by c.snoozed_until limit $2 for no key update of c skip locked",
        now,
        limit,
    )
    .fetch_all(&mut *conn)
    .await?;
    with_labels(conn, found).await
}

/// What is not resolved of what a person has.
pub(crate) async fn lock_of_assignee(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    assignee: UserId,
    limit: i64,
) -> sqlx::Result<Vec<Work>> {
    let found = rows!(
        "where c.organization_id = $1 and c.assignee_id = $2 and c.merged_into_id is null and c.status <> 'resolved'
         order by c.id limit $3 for no key update of c",
        organization_id.as_uuid(),
        assignee.as_uuid(),
        limit,
    )
    .fetch_all(&mut *conn)
    .await?;
    with_labels(conn, found).await
}

/// What is not resolved of what a team has.
pub(crate) async fn lock_of_team(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    team: TeamId,
    limit: i64,
) -> sqlx::Result<Vec<Work>> {
    let found = rows!(
        "where c.organization_id = $1 and c.team_id = $2 and c.merged_into_id is null and c.status <> 'resolved'
         order by c.id limit $3 for no key update of c",
        organization_id.as_uuid(),
        team.as_uuid(),
        limit,
    )
    .fetch_all(&mut *conn)
    .await?;
    with_labels(conn, found).await
}

async fn with_labels(conn: &mut PgConnection, mut found: Vec<Work>) -> sqlx::Result<Vec<Work>> {
    if found.is_empty() {
        return Ok(found);
    }
    let (organizations, ids): (Vec<Uuid>, Vec<Uuid>) = found
        .iter()
        .map(|work| (work.organization_id.as_uuid(), work.id.as_uuid()))
        .unzip();
    let rows = sqlx::query!(
        r#"select l.conversation_id as "conversation_id: ConversationId", l.label_id as "label_id: LabelId"
           from messaging.conversation_labels l
           join unnest($1::uuid[], $2::uuid[]) as c(o, i) on l.organization_id = o and l.conversation_id = i
           order by l.label_id"#,
        &organizations,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    let mut labels: HashMap<ConversationId, Vec<LabelId>> = HashMap::new();
    for row in rows {
        labels
            .entry(row.conversation_id)
            .or_default()
            .push(row.label_id);
    }
    for work in &mut found {
        work.label_ids = labels.remove(&work.id).unwrap_or_default();
    }
    Ok(found)
}

/// Writes what was changed of locked conversations, all but the labels.
pub(crate) async fn save(conn: &mut PgConnection, changed: &[&Work]) -> sqlx::Result<()> {
    let organizations: Vec<Uuid> = changed
        .iter()
        .map(|w| w.organization_id.as_uuid())
        .collect();
    let ids: Vec<Uuid> = changed.iter().map(|w| w.id.as_uuid()).collect();
    let statuses: Vec<String> = changed.iter().map(|w| w.status.clone()).collect();
    let times: Vec<Option<DateTime<Utc>>> = changed.iter().map(|w| w.snoozed_until).collect();
    let priorities: Vec<i16> = changed.iter().map(|w| w.priority).collect();
    let assignees: Vec<Option<Uuid>> = changed
        .iter()
        .map(|w| w.assignee_id.map(UserId::as_uuid))
        .collect();
    let teams: Vec<Option<Uuid>> = changed
        .iter()
        .map(|w| w.team_id.map(TeamId::as_uuid))
        .collect();
    let versions: Vec<i64> = changed.iter().map(|w| w.version).collect();
    sqlx::query!(
        "update messaging.conversations c
         set status = s, snoozed_until = u, priority = p, assignee_id = a, team_id = t, version = v
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::smallint[], $6::uuid[], $7::uuid[],
                     $8::bigint[]) as w(o, i, s, u, p, a, t, v)
         where c.organization_id = o and c.id = i",
        &organizations,
        &ids,
        &statuses,
        &times as &[Option<DateTime<Utc>>],
        &priorities,
        &assignees as &[Option<Uuid>],
        &teams as &[Option<Uuid>],
        &versions,
    )
    .execute(conn)
    .await?;
    Ok(())
}
