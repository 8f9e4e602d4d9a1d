//! The team's work on two conversations that become one, and two again.

use ids::{ConversationId, OrganizationId};
use sqlx::PgConnection;

/// What was done with the one is done with the other: it stays with whoever has it, and is as urgent as the more urgent
/// of the two. What belongs to the one stays beside it, for the day the two are parted.
pub(super) async fn join(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    from: ConversationId,
    to: ConversationId,
) -> sqlx::Result<()> {
    let (of, from, to) = (organization_id.as_uuid(), from.as_uuid(), to.as_uuid());
    sqlx::query!(
        "update messaging.conversations k
         set status = case when 'open' in (k.status, o.status) then 'open' else k.status end,
             snoozed_until = case when 'open' in (k.status, o.status) then null else k.snoozed_until end,
             assignee_id = coalesce(k.assignee_id, o.assignee_id), team_id = coalesce(k.team_id, o.team_id),
             priority = greatest(k.priority, o.priority), inbound_count = k.inbound_count + o.inbound_count,
             version = k.version + 1
         from messaging.conversations o
         where k.organization_id = $1 and k.id = $3 and o.organization_id = $1 and o.id = $2",
        of,
        from,
        to,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into messaging.conversation_labels (organization_id, conversation_id, label_id)
         select organization_id, $3, label_id from messaging.conversation_labels
         where organization_id = $1 and conversation_id = $2 on conflict do nothing",
        of,
        from,
        to,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into messaging.conversation_participants (organization_id, conversation_id, user_id, added_at)
         select organization_id, $3, user_id, added_at from messaging.conversation_participants
         where organization_id = $1 and conversation_id = $2 on conflict do nothing",
        of,
        from,
        to,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into messaging.conversation_reads as r (organization_id, conversation_id, user_id, read_count, read_at)
         select organization_id, $3, user_id, read_count, read_at from messaging.conversation_reads
         where organization_id = $1 and conversation_id = $2
         on conflict (organization_id, conversation_id, user_id) do update
             set read_count = r.read_count + excluded.read_count",
        of,
        from,
        to,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update messaging.mentions set conversation_id = $3 where organization_id = $1 and conversation_id = $2",
        of,
        from,
        to,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What each has read is told apart again; mentions follow their notes, which have gone back before.
pub(super) async fn part(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    from: ConversationId,
    to: ConversationId,
) -> sqlx::Result<()> {
    let (of, from, to) = (organization_id.as_uuid(), from.as_uuid(), to.as_uuid());
    sqlx::query!(
        "update messaging.conversations k
         set version = k.version + 1 where k.organization_id = $1 and k.id = $2",
        of,
        to,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update messaging.conversation_reads k set read_count = greatest(k.read_count - o.read_count, 0)
         from messaging.conversation_reads o
         where k.organization_id = $1 and k.conversation_id = $3
           and o.organization_id = $1 and o.conversation_id = $2 and o.user_id = k.user_id",
        of,
        from,
        to,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update messaging.mentions n set conversation_id = $2 from messaging.messages m
         where n.organization_id = $1 and n.conversation_id = $3
           and m.organization_id = $1 and m.id = n.message_id and m.conversation_id = $2",
        of,
        from,
        to,
    )
    .execute(conn)
    .await?;
    Ok(())
}
