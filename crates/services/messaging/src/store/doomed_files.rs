//! `doomed_files`: files that nobody named when somebody looked, and `installation`: whose the store must be.
//!
//! What is deleted by a store can't be called back, and may be deleted later than anybody waits for. So a deletion is
//! written down before it begins, and until it is known to be over nobody keeps the same bytes.

use blobs::Digest;
use chrono::{DateTime, Utc};
use ids::OrganizationId;
use sqlx::PgConnection;
use uuid::Uuid;

/// A file that may be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Doomed {
    pub(crate) organization_id: OrganizationId,
    pub(crate) sha256: Vec<u8>,
}

/// The name of this installation.
pub(crate) async fn find_installation(conn: &mut PgConnection) -> sqlx::Result<Uuid> {
    sqlx::query_scalar!("select id from messaging.installation")
        .fetch_one(conn)
        .await
}

/// Dooms those of these files that no row names; how many some row does name.
pub(crate) async fn doom(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    files: &[Digest],
    now: DateTime<Utc>,
) -> sqlx::Result<usize> {
    let digests: Vec<Vec<u8>> = files.iter().map(|file| file.as_bytes().to_vec()).collect();
    let named = list_named(conn, organization_id, &digests).await?;
    let orphans: Vec<Vec<u8>> = digests
        .into_iter()
        .filter(|digest| !named.contains(digest))
        .collect();
    sqlx::query!(
        "insert into messaging.doomed_files (organization_id, sha256, doomed_at)
         select $1, d, $3 from unnest($2::bytea[]) d
         on conflict do nothing",
        organization_id.as_uuid(),
        &orphans,
        now,
    )
    .execute(conn)
    .await?;
    Ok(named.len())
}

/// How many there are.
pub(crate) async fn count(conn: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from messaging.doomed_files"#)
        .fetch_one(conn)
        .await
}

/// Those doomed before `before`, after `after` in order. Of those that are being deleted only the ones where that began
/// before `stuck`: nobody does it any more.
pub(crate) async fn list_due(
    conn: &mut PgConnection,
    before: DateTime<Utc>,
    stuck: DateTime<Utc>,
    after: Option<&Doomed>,
    limit: i64,
) -> sqlx::Result<Vec<Doomed>> {
    sqlx::query_as!(
        Doomed,
        r#"select organization_id as "organization_id: OrganizationId", sha256 from messaging.doomed_files
           where doomed_at < $1 and (deleting_since is null or deleting_since < $2)
             and ($3::uuid is null or (organization_id, sha256) > ($3, $4::bytea))
           order by organization_id, sha256 limit $5"#,
        before,
        stuck,
        after.map(|after| after.organization_id.as_uuid()),
        after.map(|after| after.sha256.as_slice()),
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Whoever calls this may delete those it returns, and must say so with [`finish`]. What somebody names is doomed no
/// more. Its transaction holds the lock of the organization's files alone.
pub(crate) async fn begin(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    files: &[Vec<u8>],
    stuck: DateTime<Utc>,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Vec<u8>>> {
    let named = list_named(conn, organization_id, files).await?;
    sqlx::query!(
        "delete from messaging.doomed_files where organization_id = $1 and sha256 = any($2)",
        organization_id.as_uuid(),
        &named,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query_scalar!(
        "update messaging.doomed_files set deleting_since = $4
         where organization_id = $1 and sha256 = any($2) and (deleting_since is null or deleting_since < $3)
         returning sha256",
        organization_id.as_uuid(),
        files,
        stuck,
        now,
    )
    .fetch_all(conn)
    .await
}

/// These are deleted, by the one who began `since`.
pub(crate) async fn finish(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    files: &[Vec<u8>],
    since: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from messaging.doomed_files
         where organization_id = $1 and sha256 = any($2) and deleting_since = $3",
        organization_id.as_uuid(),
        files,
        since,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// These are about to be kept, so they are doomed no more. False when one of them is being deleted at this moment: it
/// can't be kept yet.
pub(crate) async fn spare(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    files: &[Vec<u8>],
) -> sqlx::Result<bool> {
    sqlx::query!(
        "delete from messaging.doomed_files
         where organization_id = $1 and sha256 = any($2) and deleting_since is null",
        organization_id.as_uuid(),
        files,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query_scalar!(
        r#"select not exists (select from messaging.doomed_files where organization_id = $1 and sha256 = any($2))
              as "spared!""#,
        organization_id.as_uuid(),
        files,
    )
    .fetch_one(conn)
    .await
}

/// Which of these files some row names.
async fn list_named(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    files: &[Vec<u8>],
) -> sqlx::Result<Vec<Vec<u8>>> {
    sqlx::query_scalar!(
        r#"select d as "digest!" from unnest($2::bytea[]) d
           where exists (select from messaging.media f where f.organization_id = $1 and f.sha256 = d)
              or exists (select from messaging.media f where f.organization_id = $1 and f.thumbnail_sha256 = d)"#,
        organization_id.as_uuid(),
        files,
    )
    .fetch_all(conn)
    .await
}
