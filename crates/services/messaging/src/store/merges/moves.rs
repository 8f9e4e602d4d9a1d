//! What moves between two contacts, there and back.

use ids::{ChannelId, ConsentId, ContactId, ContactNoteId, ConversationId, OrganizationId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Merge, Order,
    record::{Moved, Said},
    since, work,
};

/// Moves everything of the other contact to the one that is kept.
pub(super) async fn there(
    conn: &mut PgConnection,
    order: &Order<'_>,
    said: Said,
) -> sqlx::Result<Moved> {
    let of = order.organization_id.as_uuid();
    let (kept, other) = (order.kept.as_uuid(), order.other.as_uuid());
    let (conversations, joined) = pair(conn, order).await?;
    hold_waiting(conn, order.organization_id, &joined).await?;
    for (from, to) in &joined {
        join(conn, order, *from, *to).await?;
    }
    hand_over(
        conn,
        order.organization_id,
        &conversations,
        order.other,
        order.kept,
    )
    .await?;
    let identities = sqlx::query!(
        "update messaging.contact_identities set contact_id = $3
         where organization_id = $1 and contact_id = $2 returning kind, value",
        of,
        other,
        kept,
    )
    .fetch_all(&mut *conn)
    .await?;
    let notes = sqlx::query_scalar!(
        r#"update messaging.contact_notes set contact_id = $3
           where organization_id = $1 and contact_id = $2 returning id as "id: ContactNoteId""#,
        of,
        other,
        kept,
    )
    .fetch_all(&mut *conn)
    .await?;
    let last_consent = since::last_consent(conn, order).await?;
    let consents = sqlx::query_scalar!(
        r#"update messaging.consents set contact_id = $3
           where organization_id = $1 and contact_id = $2 returning id as "id: ConsentId""#,
        of,
        other,
        kept,
    )
    .fetch_all(conn)
    .await?;
    Ok(Moved {
        said,
        identities: identities
            .into_iter()
            .map(|row| (row.kind, row.value))
            .collect(),
        notes,
        consents,
        last_consent,
        conversations,
        joined,
    })
}

/// The other's conversations: those that change hands, and those that the kept contact has one beside.
async fn pair(
    conn: &mut PgConnection,
    order: &Order<'_>,
) -> sqlx::Result<(Vec<ConversationId>, Vec<(ConversationId, ConversationId)>)> {
    let rows = sqlx::query!(
        r#"select id as "id: ConversationId", channel_id as "channel_id: ChannelId", contact_id as "contact_id: ContactId"
           from messaging.conversations
           where organization_id = $1 and contact_id in ($2, $3) and merged_into_id is null
           order by id for update"#,
        order.organization_id.as_uuid(),
        order.kept.as_uuid(),
        order.other.as_uuid(),
    )
    .fetch_all(conn)
    .await?;
    let (own, others): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.contact_id == order.kept);
    let (mut whole, mut joined) = (Vec::new(), Vec::new());
    for row in others {
        match own.iter().find(|own| own.channel_id == row.channel_id) {
            Some(own) => joined.push((row.id, own.id)),
            None => whole.push(row.id),
        }
    }
    Ok((whole, joined))
}

/// Keeps what waits in these conversations from being claimed or settled: the lanes of their numbers, then its messages.
async fn hold_waiting(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    joined: &[(ConversationId, ConversationId)],
) -> sqlx::Result<()> {
    if joined.is_empty() {
        return Ok(());
    }
    let both = joined.iter().flat_map(|(from, to)| [*from, *to]);
    let ids: Vec<Uuid> = both.map(ConversationId::as_uuid).collect();
    sqlx::query!(
        "select l.channel_id from messaging.lanes l
         where l.organization_id = $1
           and l.channel_id in (select channel_id from messaging.conversations where organization_id = $1 and id = any($2))
         order by l.channel_id for no key update",
        organization_id.as_uuid(),
        &ids,
    )
    .fetch_all(&mut *conn)
    .await?;
    sqlx::query!(
        "select m.id from messaging.messages m
         where m.organization_id = $1
           and m.id in (select message_id from messaging.send_queue
                        where organization_id = $1 and conversation_id = any($2))
         order by m.id for no key update",
        organization_id.as_uuid(),
        &ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(())
}

/// The messages of one conversation move into another, and its head counts them in.
async fn join(
    conn: &mut PgConnection,
    order: &Order<'_>,
    from: ConversationId,
    to: ConversationId,
) -> sqlx::Result<()> {
    work::join(conn, order.organization_id, from, to).await?;
    let of = order.organization_id.as_uuid();
    let (from, to) = (from.as_uuid(), to.as_uuid());
    sqlx::query!(
        "update messaging.send_queue set conversation_id = $3 where organization_id = $1 and conversation_id = $2",
        of,
        from,
        to,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update messaging.messages set conversation_id = $3, contact_id = $4, moved_by = array_append(moved_by, $5)
         where organization_id = $1 and conversation_id = $2",
        of,
        from,
        to,
        order.kept.as_uuid(),
        order.id.as_uuid(),
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update messaging.conversations k
         set unanswered_count = k.unanswered_count + o.unanswered_count,
             preview = case when o.last_message_at > k.last_message_at then o.preview else k.preview end,
             last_message_at = greatest(k.last_message_at, o.last_message_at),
             last_inbound_at = greatest(k.last_inbound_at, o.last_inbound_at),
             (identity_kind, identity_value) = (
                 select i, v from (values (k.identity_kind, k.identity_value, k.last_inbound_at),
                                          (o.identity_kind, o.identity_value, o.last_inbound_at)) as shown(i, v, at)
                 order by i is null, at desc nulls last limit 1)
         from messaging.conversations o
         where k.organization_id = $1 and k.id = $3 and o.organization_id = $1 and o.id = $2",
        of,
        from,
        to,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update messaging.conversations set merged_into_id = $3 where organization_id = $1 and id = $2",
        of,
        from,
        to,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Conversations change hands as they are, with their messages.
async fn hand_over(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    conversations: &[ConversationId],
    from: ContactId,
    to: ContactId,
) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = conversations.iter().map(|id| id.as_uuid()).collect();
    sqlx::query!(
        "with handed as (
             update messaging.conversations set contact_id = $4
             where organization_id = $1 and id = any($2) and contact_id = $3
             returning id
         )
         update messaging.messages m set contact_id = $4 from handed
         where m.organization_id = $1 and m.conversation_id = handed.id",
        organization_id.as_uuid(),
        &ids,
        from.as_uuid(),
        to.as_uuid(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Moves back what is still where the merge has moved it. The conversations that messages were taken out of.
pub(super) async fn back(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    merge: &Merge,
    moved: &Moved,
) -> sqlx::Result<Vec<ConversationId>> {
    let of = organization_id.as_uuid();
    let (kept, other) = (merge.kept_id.as_uuid(), merge.merged_id.as_uuid());
    lock_conversations(conn, organization_id, merge).await?;
    hold_waiting(conn, organization_id, &moved.joined).await?;
    for (from, to) in &moved.joined {
        part(conn, organization_id, merge, *from, *to).await?;
    }
    hand_over(
        conn,
        organization_id,
        &moved.conversations,
        merge.kept_id,
        merge.merged_id,
    )
    .await?;
    let (kinds, values): (Vec<String>, Vec<String>) = moved.identities.iter().cloned().unzip();
    sqlx::query!(
        "update messaging.contact_identities i set contact_id = $3
         from unnest($4::text[], $5::text[]) as moved(k, v)
         where i.organization_id = $1 and i.contact_id = $2 and i.kind = k and i.value = v",
        of,
        kept,
        other,
        &kinds,
        &values,
    )
    .execute(&mut *conn)
    .await?;
    let notes: Vec<Uuid> = moved.notes.iter().map(|id| id.as_uuid()).collect();
    sqlx::query!(
        "update messaging.contact_notes set contact_id = $3
         where organization_id = $1 and contact_id = $2 and id = any($4)",
        of,
        kept,
        other,
        &notes,
    )
    .execute(&mut *conn)
    .await?;
    let consents: Vec<Uuid> = moved.consents.iter().map(|id| id.as_uuid()).collect();
    sqlx::query!(
        "update messaging.consents set contact_id = $3
         where organization_id = $1 and contact_id = $2 and id = any($4)",
        of,
        kept,
        other,
        &consents,
    )
    .execute(conn)
    .await?;
    Ok(moved.joined.iter().map(|(_, to)| *to).collect())
}

async fn lock_conversations(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    merge: &Merge,
) -> sqlx::Result<()> {
    sqlx::query!(
        "select id from messaging.conversations where organization_id = $1 and contact_id in ($2, $3)
         order by id for update",
        organization_id.as_uuid(),
        merge.kept_id.as_uuid(),
        merge.merged_id.as_uuid(),
    )
    .fetch_all(conn)
    .await?;
    Ok(())
}

/// The messages that a merge moved return to their conversation, and what waits to be sent with them.
async fn part(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    merge: &Merge,
    from: ConversationId,
    to: ConversationId,
) -> sqlx::Result<()> {
    let (of, by) = (organization_id.as_uuid(), merge.id.as_uuid());
    let ids = (from, to);
    let (from, to) = (from.as_uuid(), to.as_uuid());
    sqlx::query!(
        "update messaging.send_queue q set conversation_id = $2 from messaging.messages m
         where q.organization_id = $1 and q.conversation_id = $3 and m.organization_id = $1 and m.id = q.message_id
           and m.moved_by[cardinality(m.moved_by)] = $4",
        of,
        from,
        to,
        by,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update messaging.messages
         set conversation_id = $2, contact_id = $5, moved_by = nullif(trim_array(moved_by, 1), '{}')
         where organization_id = $1 and conversation_id = $3 and moved_by[cardinality(moved_by)] = $4",
        of,
        from,
        to,
        by,
        merge.merged_id.as_uuid(),
    )
    .execute(&mut *conn)
    .await?;
    work::part(conn, organization_id, ids.0, ids.1).await?;
    // Its own head was left as it was.
    sqlx::query!(
        "update messaging.conversations set merged_into_id = null where organization_id = $1 and id = $2",
        of,
        from,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The newest message of a conversation; notes and activities are none.
pub(crate) async fn find_newest(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: ConversationId,
) -> sqlx::Result<Option<serde_json::Value>> {
    sqlx::query_scalar!(
        "select content from messaging.messages
         where organization_id = $1 and conversation_id = $2 and direction in (1, 2)
         order by sent_at desc, id desc limit 1",
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await
}

/// Sets the head of a conversation after messages were taken out of it: the line and the time of the newest that is
/// left, when the customer last wrote, from what, and how often since the last answer.
pub(crate) async fn set_head(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: ConversationId,
    preview: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update messaging.conversations c
         set preview = $3,
             last_message_at = coalesce((select max(m.sent_at) from messaging.messages m
                                         where m.organization_id = $1 and m.conversation_id = $2 and m.direction in (1, 2)),
                                        c.created_at),
             inbound_count = (select count(*) from messaging.messages m
                              where m.organization_id = $1 and m.conversation_id = $2 and m.direction = 1),
             last_inbound_at = (select max(m.sent_at) from messaging.messages m
                                where m.organization_id = $1 and m.conversation_id = $2 and m.direction = 1),
             unanswered_count = (select count(*) from messaging.messages m
                                 where m.organization_id = $1 and m.conversation_id = $2 and m.direction = 1
                                   and m.created_at > coalesce(
                                       (select max(sent.created_at) from messaging.messages sent
                                        where sent.organization_id = $1 and sent.conversation_id = $2
                                          and sent.direction = 2), '-infinity')),
             (identity_kind, identity_value) = (
                 select m.identity_kind, m.identity_value from messaging.messages m
                 where m.organization_id = $1 and m.conversation_id = $2 and m.direction = 1
                 order by m.sent_at desc, m.id desc limit 1)
         where c.organization_id = $1 and c.id = $2",
        organization_id.as_uuid(),
        id.as_uuid(),
        preview,
    )
    .execute(conn)
    .await?;
    Ok(())
}
