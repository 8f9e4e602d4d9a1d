//! `message_keys`: which of a batch's messages are new.

use std::collections::HashSet;

use ids::MessageId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::store::routes::Route;

/// Claims the WhatsApp ids for our message ids and returns those that were not taken: the others
/// were stored before, and nothing more happens to them. A claim waits for a concurrent one of the
/// same id.
pub(crate) async fn claim(
    conn: &mut PgConnection,
    claims: &[(Route, &str, MessageId)],
) -> sqlx::Result<HashSet<MessageId>> {
    let organizations: Vec<Uuid> = claims
        .iter()
        .map(|(route, ..)| route.organization_id.as_uuid())
        .collect();
    let channels: Vec<Uuid> = claims
        .iter()
        .map(|(route, ..)| route.channel_id.as_uuid())
        .collect();
    let wamids: Vec<String> = claims
        .iter()
        .map(|(_, wamid, _)| (*wamid).to_owned())
        .collect();
    let messages: Vec<Uuid> = claims.iter().map(|(.., id)| id.as_uuid()).collect();
    // Sorted, so that two batches with common ids wait for each other in one order only.
    let rows = sqlx::query!(
        r#"insert into messaging.message_keys (organization_id, channel_id, wamid, message_id)
           select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[]) as claim(o, c, w, m)
           order by o, c, w, m
           on conflict do nothing
           returning message_id as "message_id: MessageId""#,
        &organizations,
        &channels,
        &wamids,
        &messages,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.message_id).collect())
}
