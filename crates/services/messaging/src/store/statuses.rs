//! `message_statuses` that spoke of a message before we knew WhatsApp's id of it.

use chrono::{DateTime, Utc};
use ids::{ConversationId, MessageId};
use serde_json::Value;
use sqlx::PgConnection;

use crate::{
    domain::status::Status,
    store::{intake::statuses::Moved, routes::Route},
};

/// Applies the statuses of a channel whose message has become known. The token in a status makes
/// this rare: it is needed for statuses that come without one.
pub(crate) async fn apply_late(
    conn: &mut PgConnection,
    route: Route,
    since: DateTime<Utc>,
) -> sqlx::Result<Vec<Moved>> {
    let rows = sqlx::query!(
        r#"with found as (
               update messaging.message_statuses s set applied = true
               from messaging.message_keys k
               where s.organization_id = $1 and s.channel_id = $2 and not s.applied and s.received_at >= $3
                 and k.organization_id = $1 and k.channel_id = $2 and k.wamid = s.wamid
               returning k.message_id, s.provider_at, s.failure,
                         case s.status when 'sent' then 30 when 'failed' then 35 when 'delivered' then 40
                                       when 'read' then 50 when 'played' then 60 else -1 end as rank
           ), best as (
               select distinct on (message_id) message_id, provider_at, failure, rank from found
               order by message_id, rank desc
           )
           update messaging.messages m
           set status = rank::int2, status_at = provider_at, failure = coalesce(best.failure, m.failure)
           from best where m.organization_id = $1 and m.id = best.message_id and m.direction = 2 and m.status < rank
           returning m.id as "id: MessageId", m.conversation_id as "conversation_id: ConversationId", m.status,
                     m.failure as "failure: Value", m.status_at"#,
        route.organization_id.as_uuid(),
        route.channel_id.as_uuid(),
        since,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(Moved {
                organization_id: route.organization_id,
                message_id: row.id,
                conversation_id: row.conversation_id,
                status: Status::from_rank(row.status)?,
                failure: row.failure,
                status_at: row.status_at,
            })
        })
        .collect())
}
