//! `media`: which files there are.

use blobs::Digest;
use chrono::{DateTime, Utc};
use ids::{ChannelId, ConversationId, MediaId, MessageId, OrganizationId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    domain::media::Problem,
    store::{doomed_files, routes::Route},
};

/// A file as it is shown.
#[derive(Debug, Clone)]
pub(crate) struct Media {
    pub(crate) id: MediaId,
    pub(crate) message_id: Option<MessageId>,
    pub(crate) direction: String,
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) problem: String,
    pub(crate) mime_type: String,
    pub(crate) filename: String,
    pub(crate) size_bytes: Option<i64>,
    pub(crate) sha256: Option<Vec<u8>>,
    pub(crate) thumbnail_sha256: Option<Vec<u8>>,
    pub(crate) width: Option<i32>,
    pub(crate) height: Option<i32>,
    pub(crate) created_at: DateTime<Utc>,
}

impl Media {
    pub(crate) fn is_ready(&self) -> bool {
        self.state == "ready"
    }
}

/// A file of a customer's message, to be fetched.
#[derive(Debug)]
pub(crate) struct Received<'a> {
    pub(crate) route: Route,
    pub(crate) id: MediaId,
    pub(crate) message_id: MessageId,
    pub(crate) kind: &'static str,
    /// WhatsApp's id; without one there is nothing to fetch.
    pub(crate) provider_id: Option<&'a str>,
    pub(crate) provider_id_expires_at: DateTime<Utc>,
    pub(crate) mime_type: &'a str,
    pub(crate) digest: Option<Digest>,
    pub(crate) filename: &'a str,
}

/// Stores the files of a batch of messages.
pub(crate) async fn insert_received(
    conn: &mut PgConnection,
    files: &[Received<'_>],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let organizations: Vec<Uuid> = files
        .iter()
        .map(|file| file.route.organization_id.as_uuid())
        .collect();
    let channels: Vec<Uuid> = files
        .iter()
        .map(|file| file.route.channel_id.as_uuid())
        .collect();
    let ids: Vec<Uuid> = files.iter().map(|file| file.id.as_uuid()).collect();
    let messages: Vec<Uuid> = files.iter().map(|file| file.message_id.as_uuid()).collect();
    let text = |of: &dyn Fn(&Received<'_>) -> Option<String>| -> Vec<Option<String>> {
        files.iter().map(of).collect()
    };
    let kinds = text(&|file| Some(file.kind.to_owned()));
    let providers = text(&|file| file.provider_id.map(str::to_owned));
    let types = text(&|file| Some(file.mime_type.to_owned()));
    let names = text(&|file| Some(file.filename.to_owned()));
    let expiries: Vec<DateTime<Utc>> = files
        .iter()
        .map(|file| file.provider_id_expires_at)
        .collect();
    let digests: Vec<Option<Vec<u8>>> = files
        .iter()
        .map(|file| file.digest.map(|digest| digest.as_bytes().to_vec()))
        .collect();
    sqlx::query!(
        "insert into messaging.media
             (organization_id, id, direction, channel_id, message_id, kind, state, problem, provider_id,
              provider_id_expires_at, claimed_mime_type, claimed_sha256, filename, created_at)
         select o, i, 'inbound', h, m, k, case when p is null then 'failed' else 'pending' end,
                case when p is null then 'gone' else '' end, p, e, t, d, n, $10
         from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::timestamptz[],
                     $8::text[], $9::bytea[], $11::text[]) as f(o, i, h, m, k, p, e, t, d, n)",
        &organizations,
        &ids,
        &channels,
        &messages,
        &kinds as &[Option<String>],
        &providers as &[Option<String>],
        &expiries,
        &types as &[Option<String>],
        &digests as &[Option<Vec<u8>>],
        now,
        &names as &[Option<String>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes a file that somebody is about to upload.
pub(crate) async fn insert_upload(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: MediaId,
    kind: &str,
    filename: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into messaging.media (organization_id, id, direction, kind, state, filename, created_at)
         values ($1, $2, 'outbound', $3, 'pending', $4, $5)",
        organization_id.as_uuid(),
        id.as_uuid(),
        kind,
        filename,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads files; `$rest` says which.
macro_rules! media {
    ($rest:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            Media,
            r#"select id as "id: MediaId", message_id as "message_id: MessageId", direction, kind, state, problem,
                      mime_type, filename, size_bytes, sha256, thumbnail_sha256, width, height, created_at
               from messaging.media "# + $rest,
            $($argument),+
        )
    };
}

pub(crate) async fn find(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: MediaId,
) -> sqlx::Result<Option<Media>> {
    media!(
        "where organization_id = $1 and id = $2",
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await
}

/// The files that came with these messages, and those with these ids.
pub(crate) async fn list_of(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    messages: &[MessageId],
    ids: &[MediaId],
) -> sqlx::Result<Vec<Media>> {
    let messages: Vec<Uuid> = messages.iter().map(|id| id.as_uuid()).collect();
    let ids: Vec<Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
    media!(
        "where organization_id = $1 and (message_id = any($2) or id = any($3))",
        organization_id.as_uuid(),
        &messages,
        &ids,
    )
    .fetch_all(conn)
    .await
}

/// What fetching a file needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) channel_id: ChannelId,
    pub(crate) message_id: MessageId,
    pub(crate) conversation_id: ConversationId,
    pub(crate) kind: String,
    pub(crate) provider_id: String,
    pub(crate) provider_id_expires_at: DateTime<Utc>,
    pub(crate) claimed_mime_type: String,
    pub(crate) claimed_sha256: Option<Vec<u8>>,
}

/// A file that is still to be fetched.
pub(crate) async fn find_wanted(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: MediaId,
) -> sqlx::Result<Option<Wanted>> {
    sqlx::query_as!(
        Wanted,
        r#"select f.channel_id as "channel_id!: ChannelId", f.message_id as "message_id!: MessageId",
                  m.conversation_id as "conversation_id: ConversationId", f.kind, f.provider_id as "provider_id!",
                  f.provider_id_expires_at as "provider_id_expires_at!", f.claimed_mime_type, f.claimed_sha256
           from messaging.media f
           join messaging.messages m on m.organization_id = $1 and m.id = f.message_id
           where f.organization_id = $1 and f.id = $2 and f.state = 'pending' and f.direction = 'inbound'
             and f.provider_id is not null and f.provider_id_expires_at is not null"#,
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await
}

/// What was found in a file.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) mime_type: &'static str,
    pub(crate) size_bytes: i64,
    pub(crate) digest: Digest,
    pub(crate) thumbnail: Option<Digest>,
    pub(crate) width: Option<i32>,
    pub(crate) height: Option<i32>,
}

/// What became of naming bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Announced {
    /// They may be kept.
    Named,
    /// The row is pending no more.
    NotPending,
    /// The store is deleting the same bytes, which nobody named till now: they can be kept in a moment.
    BeingDeleted,
}

/// Names the bytes before they are kept, so that no sweep takes them for nobody's.
pub(crate) async fn announce(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: MediaId,
    found: &Found,
) -> sqlx::Result<Announced> {
    lock_shared(conn, organization_id).await?;
    let named: Vec<Vec<u8>> = [Some(found.digest), found.thumbnail]
        .into_iter()
        .flatten()
        .map(|digest| digest.as_bytes().to_vec())
        .collect();
    if !doomed_files::spare(conn, organization_id, &named).await? {
        return Ok(Announced::BeingDeleted);
    }
    let updated = sqlx::query!(
        "update messaging.media set sha256 = $3, thumbnail_sha256 = $4, mime_type = $5, size_bytes = $6, width = $7,
                height = $8
         where organization_id = $1 and id = $2 and state = 'pending'",
        organization_id.as_uuid(),
        id.as_uuid(),
        found.digest.as_bytes().as_slice(),
        found.thumbnail.as_ref().map(|digest| digest.as_bytes().as_slice()),
        found.mime_type,
        found.size_bytes,
        found.width,
        found.height,
    )
    .execute(conn)
    .await?;
    Ok(match updated.rows_affected() {
        0 => Announced::NotPending,
        _ => Announced::Named,
    })
}

/// Its bytes are kept; false when it is pending no more, or was announced as another file meanwhile.
pub(crate) async fn set_ready(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: MediaId,
    digest: Digest,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let updated = sqlx::query!(
        "update messaging.media set state = 'ready', ready_at = $4
         where organization_id = $1 and id = $2 and state = 'pending' and sha256 = $3",
        organization_id.as_uuid(),
        id.as_uuid(),
        digest.as_bytes().as_slice(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// It will not come; false when it is pending no more.
pub(crate) async fn set_failed(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: MediaId,
    problem: Problem,
) -> sqlx::Result<bool> {
    let updated = sqlx::query!(
        "update messaging.media set state = 'failed', problem = $3, sha256 = null, thumbnail_sha256 = null
         where organization_id = $1 and id = $2 and state = 'pending'",
        organization_id.as_uuid(),
        id.as_uuid(),
        problem.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Gives up files that wait for nothing any more: uploads that nobody finished and, should its job have been lost, what
/// WhatsApp no longer has. How many.
pub(crate) async fn abandon(
    conn: &mut PgConnection,
    before: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<u64> {
    let updated = sqlx::query!(
        "update messaging.media f
         set state = 'failed', problem = case f.direction when 'outbound' then $3 else $4 end, sha256 = null,
             thumbnail_sha256 = null
         from (select organization_id, id from messaging.media
               where state = 'pending' and created_at < $1
                 and (direction = 'outbound' or provider_id_expires_at < $1)
               limit $2 for update skip locked) late
         where f.organization_id = late.organization_id and f.id = late.id",
        before,
        limit,
        Problem::Abandoned.as_str(),
        Problem::Unreachable.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(updated.rows_affected())
}

/// Whoever announces bytes holds it with others, to the end of its transaction.
async fn lock_shared(conn: &mut PgConnection, organization_id: OrganizationId) -> sqlx::Result<()> {
    sqlx::query!(
        r#"select pg_advisory_xact_lock_shared(hashtextextended('messaging.media.' || $1::text, 0)) as "void: ()""#,
        organization_id.to_string(),
    )
    .fetch_one(conn)
    .await?;
    Ok(())
}

/// Whoever begins to delete files that nobody names holds it alone, to the end of its transaction; false while others
/// have it.
pub(crate) async fn try_lock_alone(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select pg_try_advisory_xact_lock(hashtextextended('messaging.media.' || $1::text, 0)) as "locked!""#,
        organization_id.to_string(),
    )
    .fetch_one(conn)
    .await
}
