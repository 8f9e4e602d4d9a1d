//! Pages of conversations.

use chrono::{DateTime, Utc};
use ids::{ChannelId, ContactId, ConversationId, LabelId, OrganizationId, TeamId, UserId};
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Conversation, Reach};

/// Whose conversations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) enum Assignee {
    #[default]
    Anybody,
    Nobody,
    Person(Uuid),
}

/// Which conversations; an empty list is no condition.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Filter {
    pub(crate) statuses: Vec<&'static str>,
    pub(crate) assignee: Assignee,
    /// Of one of these; `None` is no condition.
    pub(crate) teams: Option<Vec<Uuid>>,
    pub(crate) channels: Vec<Uuid>,
    /// With all of these.
    pub(crate) labels: Vec<Uuid>,
    pub(crate) priorities: Vec<i16>,
    pub(crate) unanswered: bool,
    pub(crate) unread: bool,
    pub(crate) participating: bool,
}

/// A filter as a statement's parameters.
struct Parameters {
    status: Option<&'static str>,
    statuses: Option<Vec<String>>,
    assignee: Option<Uuid>,
    nobody: bool,
    team: Option<Uuid>,
    teams: Option<Vec<Uuid>>,
    person: Option<Uuid>,
    reach_teams: Option<Vec<Uuid>>,
}

impl Parameters {
    fn of(filter: &Filter, reach: Option<&Reach>) -> Self {
        let (person, reach_teams) = Reach::parts(reach);
        let (status, statuses) = match filter.statuses.as_slice() {
            [] => (None, None),
            [one] => (Some(*one), None),
            many => {
                let many = many.iter().map(|&one| one.to_owned());
                (None, Some(many.collect()))
            }
        };
        let (team, teams) = match filter.teams.as_deref() {
            None => (None, None),
            Some([one]) => (Some(*one), None),
            Some(many) => (None, Some(many.to_vec())),
        };
        Self {
            status,
            statuses,
            assignee: match filter.assignee {
                Assignee::Person(id) => Some(id),
                Assignee::Anybody | Assignee::Nobody => None,
            },
            nobody: filter.assignee == Assignee::Nobody,
            team,
            teams,
            person,
            reach_teams,
        }
    }
}

/// What a page is read for, and where it begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) organization_id: OrganizationId,
    /// Who reads; `None` for a program.
    pub(crate) reader: Option<UserId>,
    /// `None`: every conversation.
    pub(crate) reach: Option<&'a Reach>,
    pub(crate) after: Option<(DateTime<Utc>, ConversationId)>,
    pub(crate) limit: i64,
}

/// One page; every condition stands in each statement. The common ones stand in one of them once more, bare (`$driver`),
/// so that the index that has them is read in the page's order: a condition that may be absent can't choose an index.
macro_rules! page {
    ($conn:ident, $ask:ident, $filter:ident, $with:ident, $driver:literal) => {{
        let (at, id) = $ask.after.unzip();
        conversations!(
            "where c.organization_id = $1 and c.merged_into_id is null and (c.last_message_at, c.id) < ($3, $4)
                   and ($6::text is null or c.status = $6)
                   and ($7::text[] is null or c.status = any($7))
                   and ($8::uuid is null or c.assignee_id = $8)
                   and (not $9 or c.assignee_id is null)
                   and ($10::uuid is null or c.team_id = $10)
                   and ($11::uuid[] is null or c.team_id = any($11))
                   and ($12::uuid[] = '{}' or c.channel_id = any($12))
                   and ($13::uuid[] = '{}' or $13 <@ array(
                       select l.label_id from messaging.conversation_labels l
                       where l.organization_id = c.organization_id and l.conversation_id = c.id))
                   and ($14::smallint[] = '{}' or c.priority = any($14))
                   and (not $15 or c.unanswered_count > 0)
                   and (not $16 or c.inbound_count > coalesce(r.read_count, 0))
                   and (not $17 or exists (
                       select from messaging.conversation_participants f
                       where f.organization_id = c.organization_id and f.conversation_id = c.id and f.user_id = $2))
                   and ($19::uuid[] is null or c.assignee_id = $18 or c.team_id = any($19) or exists (
                       select from messaging.conversation_participants f
                       where f.organization_id = c.organization_id and f.conversation_id = c.id and f.user_id = $18)) "
                + $driver
                + " order by c.last_message_at desc, c.id desc limit $5",
            $ask.organization_id.as_uuid(),
            $ask.reader.map(UserId::as_uuid),
            // The top of the list.
            at.unwrap_or(DateTime::<Utc>::MAX_UTC),
            id.map_or(Uuid::max(), ConversationId::as_uuid),
            $ask.limit,
            $with.status,
            $with.statuses.as_deref(),
            $with.assignee,
            $with.nobody,
            $with.team,
            $with.teams.as_deref(),
            &$filter.channels,
            &$filter.labels,
            &$filter.priorities,
            $filter.unanswered,
            $filter.unread,
            $filter.participating,
            $with.person,
            $with.reach_teams.as_deref(),
        )
        .fetch_all($conn)
        .await
    }};
}

/// Most recently active first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    ask: Ask<'_>,
    filter: &Filter,
) -> sqlx::Result<Vec<Conversation>> {
    let with = Parameters::of(filter, ask.reach);
    let one_status = with.status.is_some();
    if ask.reach.is_some() {
        // Its cost grows with what the member has, not with what the organization has.
        page!(
            conn,
            ask,
            filter,
            with,
            "and c.id = any(array(
                 select id from messaging.conversations
                 where organization_id = $1 and assignee_id = $18 and ($6::text is null or status = $6)
                 union
                 select id from messaging.conversations
                 where organization_id = $1 and team_id = any($19) and ($6::text is null or status = $6)
                 union
                 select conversation_id from messaging.conversation_participants
                 where organization_id = $1 and user_id = $18))"
        )
    } else if with.assignee.is_some() && one_status {
        page!(
            conn,
            ask,
            filter,
            with,
            "and c.assignee_id = $8 and c.status = $6"
        )
    } else if with.assignee.is_some() {
        page!(conn, ask, filter, with, "and c.assignee_id = $8")
    } else if with.team.is_some() && one_status {
        page!(
            conn,
            ask,
            filter,
            with,
            "and c.team_id = $10 and c.status = $6"
        )
    } else if with.team.is_some() {
        page!(conn, ask, filter, with, "and c.team_id = $10")
    } else if with.nobody && one_status {
        page!(
            conn,
            ask,
            filter,
            with,
            "and c.assignee_id is null and c.status = $6"
        )
    } else if one_status {
        page!(conn, ask, filter, with, "and c.status = $6")
    } else {
        page!(conn, ask, filter, with, "")
    }
}
