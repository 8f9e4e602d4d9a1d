//! `conversations`.

use chrono::{DateTime, Utc};
use ids::{ChannelId, ContactId, ConversationId, OrganizationId};
use sqlx::PgConnection;

/// A conversation with the name of its contact.
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
    /// The contact has a phone number or a business-scoped user id.
    pub(crate) reachable: bool,
}

/// Reads conversations: the columns and the join stand here once, `$rest` says which and in what order.
macro_rules! conversations {
    ($rest:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            Conversation,
            r#"select c.id as "id: ConversationId", c.channel_id as "channel_id: ChannelId",
                      c.contact_id as "contact_id: ContactId", p.name as contact_name, c.status, c.unanswered_count,
                      c.preview, c.last_message_at, c.last_inbound_at, c.created_at
               from messaging.conversations c
               join messaging.contacts p on p.organization_id = c.organization_id and p.id = c.contact_id "# + $rest,
            $($argument),+
        )
    };
}

/// The conversation an id leads to: after a merge of contacts that may be another one.
pub(crate) async fn find(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: ConversationId,
) -> sqlx::Result<Option<Conversation>> {
    conversations!(
        "where c.organization_id = $1 and c.id = messaging.kept_conversation($1, $2)",
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await
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
                      h.state = 'active' as "channel_active!",
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

/// Most recently active first, after the position `after`. Two statements rather than one with an
/// optional filter, so that each reads one index in order.
pub(crate) async fn list(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    status: Option<&str>,
    after: Option<(DateTime<Utc>, ConversationId)>,
    limit: i64,
) -> sqlx::Result<Vec<Conversation>> {
    let (at, id) = after.unzip();
    // A row comparison with "infinity" is the top of the list.
    let at = at.unwrap_or(DateTime::<Utc>::MAX_UTC);
    let id = id.map_or(uuid::Uuid::max(), ConversationId::as_uuid);
    match status {
        Some(status) => {
            conversations!(
                "where c.organization_id = $1 and c.merged_into_id is null and c.status = $5
                   and (c.last_message_at, c.id) < ($2, $3)
                 order by c.last_message_at desc, c.id desc limit $4",
                organization_id.as_uuid(),
                at,
                id,
                limit,
                status,
            )
            .fetch_all(conn)
            .await
        }
        None => {
            conversations!(
                "where c.organization_id = $1 and c.merged_into_id is null and (c.last_message_at, c.id) < ($2, $3)
                 order by c.last_message_at desc, c.id desc limit $4",
                organization_id.as_uuid(),
                at,
                id,
                limit,
            )
            .fetch_all(conn)
            .await
        }
    }
}

/// Finds or makes the conversation of a channel and a contact, which nobody merges meanwhile; true when it was made. Until
/// the customer has written it is with this identity.
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
           values ($1, $2, $3, $4, $5, $5, $6, $7)
           on conflict on constraint conversations_parties_key do update set
               status = 'open',
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
         set unanswered_count = 0, status = 'open', last_message_at = greatest(last_message_at, $4),
             preview = case when $4 >= last_message_at then $3 else preview end
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
