//! `conversations`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use ids::{ChannelId, ContactId, ConversationId, LabelId, OrganizationId, TeamId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

/// Which conversations somebody may see who may not see all: those assigned to the person or followed by it, and those of
/// the teams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reach {
    /// `None` for a program: nothing is assigned to one.
    pub(crate) user: Option<UserId>,
    pub(crate) teams: Vec<TeamId>,
}

impl Reach {
    /// As parameters of a statement; teams are null where everything is within reach.
    pub(super) fn parts(reach: Option<&Self>) -> (Option<Uuid>, Option<Vec<Uuid>>) {
        let user = reach.and_then(|reach| reach.user).map(UserId::as_uuid);
        let teams = reach.map(|reach| reach.teams.iter().map(|team| team.as_uuid()).collect());
        (user, teams)
    }

    /// Whether a conversation that stands there is within reach.
    pub(crate) fn includes(&self, place: &Place) -> bool {
        self.user.is_some_and(|user| {
            place.assignee_id == Some(user) || place.participant_ids.contains(&user)
        }) || place.team_id.is_some_and(|team| self.teams.contains(&team))
    }
}

/// Who has a conversation.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// After a merge of contacts it may be another one than was asked for.
    pub(crate) id: ConversationId,
    pub(crate) assignee_id: Option<UserId>,
    pub(crate) team_id: Option<TeamId>,
    pub(crate) participant_ids: Vec<UserId>,
}

/// A conversation with the name of its contact, and what is unread of it for who asks.
#[derive(Debug, Clone)]
pub(crate) struct Conversation {
    pub(crate) id: ConversationId,
    pub(crate) channel_id: ChannelId,
    pub(crate) contact_id: ContactId,
    pub(crate) contact_name: String,
    pub(crate) status: String,
    pub(crate) unanswered_count: i32,
    pub(crate) preview: String,
    pub(crate) last_message_at: DateTime<Utc>,
    pub(crate) last_inbound_at: Option<DateTime<Utc>>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) assignee_id: Option<UserId>,
    pub(crate) team_id: Option<TeamId>,
    pub(crate) priority: i16,
    pub(crate) label_ids: Vec<LabelId>,
    pub(crate) snoozed_until: Option<DateTime<Utc>>,
    pub(crate) unread_count: i64,
    pub(crate) version: i64,
}

/// What sending needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) id: ConversationId,
    pub(crate) channel_id: ChannelId,
    pub(crate) contact_id: ContactId,
    pub(crate) last_inbound_at: Option<DateTime<Utc>>,
    pub(crate) channel_active: bool,
    pub(crate) blocked: bool,
    pub(crate) resolved: bool,
    /// The contact has a phone number or a business-scoped user id.
    pub(crate) reachable: bool,
}

/// Reads conversations: the columns and the joins stand here once, `$rest` says which and in what order. `$1` is the
/// organization and `$2` the person who asks, null for a program, which reads nothing.
macro_rules! conversations {
    ($rest:literal $(+ $more:literal)*, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            Conversation,
            r#"select c.id as "id: ConversationId", c.channel_id as "channel_id: ChannelId",
                      c.contact_id as "contact_id: ContactId", p.name as contact_name, c.status, c.unanswered_count,
                      c.preview, c.last_message_at, c.last_inbound_at, c.created_at,
                      c.assignee_id as "assignee_id: UserId", c.team_id as "team_id: TeamId", c.priority,
                      array(select l.label_id from messaging.conversation_labels l
                            where l.organization_id = c.organization_id and l.conversation_id = c.id
                            order by l.label_id) as "label_ids!: Vec<LabelId>",
                      c.snoozed_until, c.version,
                      case when $2::uuid is null then 0
                           else greatest(c.inbound_count - coalesce(r.read_count, 0), 0) end as "unread_count!"
               from messaging.conversations c
               join messaging.contacts p on p.organization_id = c.organization_id and p.id = c.contact_id
               left join messaging.conversation_reads r
                   on r.organization_id = c.organization_id and r.conversation_id = c.id and r.user_id = $2 "# + $rest $(+ $more)*,
            $($argument),+
        )
    };
}

mod list;

pub(crate) use self::list::{Ask, Assignee, Filter, list};

/// The conversation an id leads to: after a merge of contacts that may be another one.
pub(crate) async fn find(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    reader: Option<UserId>,
    id: ConversationId,
) -> sqlx::Result<Option<Conversation>> {
    conversations!(
        "where c.organization_id = $1 and c.id = messaging.kept_conversation($1, $3)",
        organization_id.as_uuid(),
        reader.map(UserId::as_uuid),
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await
}

/// Who has these conversations, by the ids that were asked for; those that do not exist are missing.
pub(crate) async fn places(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    ids: &[ConversationId],
) -> sqlx::Result<HashMap<ConversationId, Place>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
    let rows = sqlx::query!(
        // Apart, because row level security would not let the index be asked for what a function of a column says.
        r#"with asked as materialized (
               select id, messaging.kept_conversation($1, id) as kept from unnest($2::uuid[]) as id)
           select asked.id as "asked!: ConversationId", c.id as "id: ConversationId", c.assignee_id as "assignee_id: UserId", c.team_id as "team_id: TeamId",
                  array(select p.user_id from messaging.conversation_participants p
                        where p.organization_id = c.organization_id
                          and p.conversation_id = c.id) as "participant_ids!: Vec<UserId>"
           from asked
           join messaging.conversations c on c.organization_id = $1 and c.id = asked.kept"#,
        organization_id.as_uuid(),
        &ids,
    )
    .fetch_all(conn)
    .await?;
    let placed = rows.into_iter().map(|row| {
        let place = Place {
            id: row.id,
            assignee_id: row.assignee_id,
            team_id: row.team_id,
            participant_ids: row.participant_ids,
        };
        (row.asked, place)
    });
    Ok(placed.collect())
}

/// The conversation to send into, locked so that messages of one conversation enter the queue in
/// the order of their commits. Merged into another while it waited, that one is looked for.
pub(crate) async fn lock_target(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: ConversationId,
) -> sqlx::Result<Option<Target>> {
    for _ in 0..2 {
        let target = sqlx::query_as!(
            Target,
            r#"select c.id as "id: ConversationId", c.channel_id as "channel_id: ChannelId",
                      c.contact_id as "contact_id: ContactId", c.last_inbound_at,
                      h.state = 'active' as "channel_active!", c.status = 'resolved' as "resolved!",
                      exists (select from messaging.contacts p
                              where p.organization_id = c.organization_id and p.id = c.contact_id
                                and p.blocked_at is not null) as "blocked!",
                      exists (select from messaging.contact_identities i
                              where i.organization_id = c.organization_id and i.contact_id = c.contact_id
                                and i.kind in ('phone', 'user_id')) as "reachable!"
               from messaging.conversations c
               join messaging.channels h on h.organization_id = c.organization_id and h.id = c.channel_id
               where c.organization_id = $1 and c.id = messaging.kept_conversation($1, $2)
                 and c.merged_into_id is null
               for no key update of c"#,
            organization_id.as_uuid(),
            id.as_uuid(),
        )
        .fetch_optional(&mut *conn)
        .await?;
        if target.is_some() {
            return Ok(target);
        }
    }
    Ok(None)
}

/// Finds or makes the conversation of a channel and a contact, which nobody merges meanwhile; true when it was made. There
/// is one for each number and customer, which opens again rather than that another one begins. Until the customer has
/// written it is with this identity.
pub(crate) async fn open(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    channel_id: ChannelId,
    contact_id: ContactId,
    identity: Option<(&str, &str)>,
    fresh_id: ConversationId,
    now: DateTime<Utc>,
) -> sqlx::Result<(ConversationId, bool)> {
    let (kind, value) = identity.unzip();
    let row = sqlx::query!(
        r#"insert into messaging.conversations as c
               (organization_id, id, channel_id, contact_id, last_message_at, created_at, identity_kind, identity_value)
           values ($1, $2, $3, $4, date_trunc('second', $5::timestamptz), $5, $6, $7)
           on conflict on constraint conversations_parties_key do update set
               identity_kind = case when c.last_inbound_at is null then excluded.identity_kind else c.identity_kind end,
               identity_value = case when c.last_inbound_at is null then excluded.identity_value else c.identity_value end
           returning id as "id: ConversationId", (xmax = 0) as "created!""#,
        organization_id.as_uuid(),
        fresh_id.as_uuid(),
        channel_id.as_uuid(),
        contact_id.as_uuid(),
        now,
        kind,
        value,
    )
    .fetch_one(conn)
    .await?;
    Ok((row.id, row.created))
}

/// The channels that a contact has a conversation on.
pub(crate) async fn list_channels_of(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    contact_id: ContactId,
) -> sqlx::Result<Vec<ChannelId>> {
    sqlx::query_scalar!(
        r#"select channel_id as "channel_id: ChannelId" from messaging.conversations
           where organization_id = $1 and contact_id = $2 and merged_into_id is null order by channel_id"#,
        organization_id.as_uuid(),
        contact_id.as_uuid(),
    )
    .fetch_all(conn)
    .await
}

/// When a contact last wrote to a channel.
pub(crate) async fn find_last_inbound(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    channel_id: ChannelId,
    contact_id: ContactId,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    let at = sqlx::query_scalar!(
        "select last_inbound_at from messaging.conversations
         where organization_id = $1 and channel_id = $2 and contact_id = $3",
        organization_id.as_uuid(),
        channel_id.as_uuid(),
        contact_id.as_uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(at.flatten())
}

/// Moves the head after an outbound message: the customer is answered.
pub(crate) async fn touch_outbound(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: ConversationId,
    preview: &str,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update messaging.conversations
         set unanswered_count = 0, last_message_at = greatest(last_message_at, date_trunc('second', $4::timestamptz)),
             preview = case when date_trunc('second', $4::timestamptz) >= last_message_at then $3 else preview end
         where organization_id = $1 and id = $2",
        organization_id.as_uuid(),
        id.as_uuid(),
        preview,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}
