//! `media_uploads`: the ids that WhatsApp gave to files of ours.

use blobs::Digest;
use chrono::{DateTime, Utc};
use ids::{MediaId, MessageId};
use sqlx::PgConnection;

use crate::store::routes::Route;

/// A file that a message is to be sent with.
#[derive(Debug, Clone)]
pub(crate) struct Attached {
    pub(crate) media_id: MediaId,
    /// WhatsApp's id of it on this number, and since when; `None` until it is uploaded.
    pub(crate) upload: Option<(String, DateTime<Utc>)>,
}

/// What an upload needs to know.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) kind: String,
    pub(crate) mime_type: String,
    pub(crate) filename: String,
    pub(crate) sha256: Vec<u8>,
}

/// A file that is ready, and WhatsApp's id of it on this number if it has one that lives beyond `until`.
pub(crate) async fn find_file(
    conn: &mut PgConnection,
    route: Route,
    media_id: MediaId,
    until: DateTime<Utc>,
) -> sqlx::Result<Option<(File, Option<String>)>> {
    let row = sqlx::query!(
        r#"select f.kind, f.mime_type, f.filename, f.sha256 as "sha256!",
                  u.provider_id as "provider_id?"
           from messaging.media f
           left join messaging.media_uploads u on u.organization_id = $1 and u.channel_id = $2
                and u.sha256 = f.sha256 and u.mime_type = f.mime_type and u.expires_at > $4
           where f.organization_id = $1 and f.id = $3 and f.state = 'ready'"#,
        route.organization_id.as_uuid(),
        route.channel_id.as_uuid(),
        media_id.as_uuid(),
        until,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| {
        let file = File {
            kind: row.kind,
            mime_type: row.mime_type,
            filename: row.filename,
            sha256: row.sha256,
        };
        (file, row.provider_id)
    }))
}

/// WhatsApp's ids of these files on the number, those that live beyond `until`.
pub(crate) async fn list_attached(
    conn: &mut PgConnection,
    route: Route,
    files: &[MediaId],
    until: DateTime<Utc>,
) -> sqlx::Result<Vec<Attached>> {
    let ids: Vec<_> = files.iter().map(|id| id.as_uuid()).collect();
    let rows = sqlx::query!(
        r#"select f.id as "id: MediaId", u.provider_id as "provider_id?", u.uploaded_at as "uploaded_at?"
           from messaging.media f
           left join messaging.media_uploads u on u.organization_id = $1 and u.channel_id = $2
                and u.sha256 = f.sha256 and u.mime_type = f.mime_type and u.expires_at > $4
           where f.organization_id = $1 and f.id = any($3) and f.state = 'ready'"#,
        route.organization_id.as_uuid(),
        route.channel_id.as_uuid(),
        &ids,
        until,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Attached {
            media_id: row.id,
            upload: row.provider_id.zip(row.uploaded_at),
        })
        .collect())
}

/// An id that WhatsApp gave.
#[derive(Debug)]
pub(crate) struct Upload<'a> {
    pub(crate) digest: Digest,
    pub(crate) mime_type: &'a str,
    pub(crate) provider_id: &'a str,
    pub(crate) expires_at: DateTime<Utc>,
}

pub(crate) async fn upsert(
    conn: &mut PgConnection,
    route: Route,
    upload: &Upload<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into messaging.media_uploads
             (organization_id, channel_id, sha256, mime_type, provider_id, uploaded_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (organization_id, channel_id, sha256, mime_type) do update set
             provider_id = excluded.provider_id, uploaded_at = excluded.uploaded_at, expires_at = excluded.expires_at",
        route.organization_id.as_uuid(),
        route.channel_id.as_uuid(),
        upload.digest.as_bytes().as_slice(),
        upload.mime_type,
        upload.provider_id,
        now,
        upload.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets an id that WhatsApp does not know any more.
pub(crate) async fn forget(
    conn: &mut PgConnection,
    route: Route,
    provider_ids: &[String],
) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from messaging.media_uploads
         where organization_id = $1 and channel_id = $2 and provider_id = any($3)",
        route.organization_id.as_uuid(),
        route.channel_id.as_uuid(),
        provider_ids,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The messages in the number's lane that wait for a file.
pub(crate) async fn list_waiting(
    conn: &mut PgConnection,
    route: Route,
    media_id: MediaId,
) -> sqlx::Result<Vec<MessageId>> {
    sqlx::query_scalar!(
        r#"select q.message_id as "message_id: MessageId" from messaging.send_queue q
           join messaging.messages m on m.organization_id = $1 and m.id = q.message_id
           where q.organization_id = $1 and q.channel_id = $2 and q.state = 'queued'
             and m.content -> 'media' ->> 'mediaId' = $3
           order by q.position for update of q"#,
        route.organization_id.as_uuid(),
        route.channel_id.as_uuid(),
        media_id.to_string(),
    )
    .fetch_all(conn)
    .await
}

/// They need not wait any longer.
pub(crate) async fn release(
    conn: &mut PgConnection,
    route: Route,
    messages: &[MessageId],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let ids: Vec<_> = messages.iter().map(|id| id.as_uuid()).collect();
    sqlx::query!(
        "update messaging.send_queue set due_at = least(due_at, $3)
         where organization_id = $1 and message_id = any($2) and state = 'queued'",
        route.organization_id.as_uuid(),
        &ids,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
