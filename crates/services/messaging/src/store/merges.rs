//! `contact_merges`: two contacts become one, and two again.
//!
//! Locks are taken in one order everywhere: identities of strangers, contacts by id, conversations, lanes, messages by id,
//! and what waits to be sent. Whoever stores a message of a contact holds the contact against this, so none lands with one
//! that is gone, and nobody else waits for a conversation of contacts that are locked. A transaction locks its contacts in
//! one statement; where it finds that it needs others, it lets these go first. Lanes claim from the queue before they
//! touch messages, therefore their rows are part of the order.

pub(crate) mod moves;
pub(crate) mod record;
pub(crate) mod since;
mod work;

use chrono::{DateTime, Utc};
use ids::{ContactId, ConversationId, MergeId, OrganizationId};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use self::record::{Moved, Said};

/// A merge as people see it.
#[derive(Debug, Clone)]
pub(crate) struct Merge {
    pub(crate) id: MergeId,
    pub(crate) kept_id: ContactId,
    pub(crate) merged_id: ContactId,
    pub(crate) reason: String,
    pub(crate) actor: String,
    pub(crate) position: i64,
    pub(crate) merged_at: DateTime<Utc>,
    pub(crate) undone_at: Option<DateTime<Utc>>,
}

/// Who merges which contacts, and why.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order<'a> {
    pub(crate) organization_id: OrganizationId,
    pub(crate) id: MergeId,
    pub(crate) kept: ContactId,
    pub(crate) other: ContactId,
    /// `manual` or `linked`.
    pub(crate) reason: &'static str,
    pub(crate) actor: &'a str,
    pub(crate) now: DateTime<Utc>,
}

/// Locks contacts against everything else that is done with them. Those that are not merged, oldest first.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    organizations: &[Uuid],
    contacts: &[Uuid],
) -> sqlx::Result<Vec<ContactId>> {
    let rows = sqlx::query!(
        r#"select c.id as "id: ContactId", c.merged_into_id is null as "whole!" from messaging.contacts c
           join (select distinct * from unnest($1::uuid[], $2::uuid[]) as t(o, i)) as wanted
             on c.organization_id = o and c.id = i
           order by c.organization_id, c.id
           for update of c"#,
        organizations,
        contacts,
    )
    .fetch_all(conn)
    .await?;
    let whole = rows.into_iter().filter(|row| row.whole);
    Ok(whole.map(|row| row.id).collect())
}

/// Whether somebody took these two apart: WhatsApp's word is not taken against a person's.
pub(crate) async fn was_undone(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    one: ContactId,
    other: ContactId,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (
               select from messaging.contact_merges
               where organization_id = $1 and undone_at is not null
                 and ((kept_id = $2 and merged_id = $3) or (kept_id = $3 and merged_id = $2))) as "undone!""#,
        organization_id.as_uuid(),
        one.as_uuid(),
        other.as_uuid(),
    )
    .fetch_one(conn)
    .await
}

/// Makes two locked contacts one.
pub(crate) async fn merge(conn: &mut PgConnection, order: &Order<'_>) -> sqlx::Result<()> {
    let said = fill(conn, order).await?;
    let moved = moves::there(conn, order, said).await?;
    let moved = serde_json::to_value(moved).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query!(
        "update messaging.contacts set merged_into_id = $3, updated_at = $4, version = version + 1
         where organization_id = $1 and id = $2",
        order.organization_id.as_uuid(),
        order.other.as_uuid(),
        order.kept.as_uuid(),
        order.now,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into messaging.contact_merges
             (organization_id, id, kept_id, merged_id, reason, actor, moved, merged_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        order.organization_id.as_uuid(),
        order.id.as_uuid(),
        order.kept.as_uuid(),
        order.other.as_uuid(),
        order.reason,
        order.actor,
        moved,
        order.now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What the kept contact does not say of itself the other one says; both as they were.
async fn fill(conn: &mut PgConnection, order: &Order<'_>) -> sqlx::Result<Said> {
    let row = sqlx::query!(
        r#"with before as (
               select k.name, k.locale, k.time_zone, k.attributes, k.blocked_at from messaging.contacts k
               where k.organization_id = $1 and k.id = $2
           )
           update messaging.contacts k
           set name = coalesce(nullif(k.name, ''), o.name), locale = coalesce(nullif(k.locale, ''), o.locale),
               time_zone = coalesce(nullif(k.time_zone, ''), o.time_zone), attributes = o.attributes || k.attributes,
               blocked_at = coalesce(k.blocked_at, o.blocked_at), updated_at = $4, version = k.version + 1
           from messaging.contacts o, before
           where k.organization_id = $1 and k.id = $2 and o.organization_id = $1 and o.id = $3
           returning before.name as name_before, before.locale as locale_before, before.time_zone as time_zone_before,
                     before.attributes as attributes_before, before.blocked_at as blocked_before, k.blocked_at, k.name, k.locale, k.time_zone, k.attributes"#,
        order.organization_id.as_uuid(),
        order.kept.as_uuid(),
        order.other.as_uuid(),
        order.now,
    )
    .fetch_one(conn)
    .await?;
    Ok(Said {
        name: (row.name_before, row.name),
        locale: (row.locale_before, row.locale),
        time_zone: (row.time_zone_before, row.time_zone),
        attributes: (row.attributes_before, row.attributes),
        blocked_at: (row.blocked_before, row.blocked_at),
    })
}

/// A merge with what it moved.
pub(crate) async fn find(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: MergeId,
) -> sqlx::Result<Option<(Merge, Value)>> {
    let row = sqlx::query!(
        r#"select id as "id: MergeId", kept_id as "kept_id: ContactId", merged_id as "merged_id: ContactId", reason,
                  actor, position as "position!", merged_at, undone_at, moved
           from messaging.contact_merges where organization_id = $1 and id = $2"#,
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| {
        let merge = Merge {
            id: row.id,
            kept_id: row.kept_id,
            merged_id: row.merged_id,
            reason: row.reason,
            actor: row.actor,
            position: row.position,
            merged_at: row.merged_at,
            undone_at: row.undone_at,
        };
        (merge, row.moved)
    }))
}

/// Merges of a contact in either part, newest first, before the position `before`.
pub(crate) async fn list(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    contact_id: ContactId,
    before: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<Merge>> {
    sqlx::query_as!(
        Merge,
        r#"select id as "id: MergeId", kept_id as "kept_id: ContactId", merged_id as "merged_id: ContactId", reason,
                  actor, position as "position!", merged_at, undone_at
           from messaging.contact_merges
           where organization_id = $1 and (kept_id = $2 or merged_id = $2) and ($3::bigint is null or position < $3)
           order by position desc limit $4"#,
        organization_id.as_uuid(),
        contact_id.as_uuid(),
        before,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Whether the contact has taken in another one since.
pub(crate) async fn any_later(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    merge: &Merge,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from messaging.contact_merges
                          where organization_id = $1 and kept_id = $2 and position > $3 and undone_at is null)
               as "exists!""#,
        organization_id.as_uuid(),
        merge.kept_id.as_uuid(),
        merge.position,
    )
    .fetch_one(conn)
    .await
}

/// Makes the contacts of a merge two again; both are locked. The conversations that messages were taken out of.
pub(crate) async fn undo(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    merge: &Merge,
    moved: &Moved,
    actor: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<ConversationId>> {
    let left = moves::back(conn, organization_id, merge, moved).await?;
    sqlx::query!(
        "update messaging.contacts set merged_into_id = null, updated_at = $3, version = version + 1
         where organization_id = $1 and id = $2",
        organization_id.as_uuid(),
        merge.merged_id.as_uuid(),
        now,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update messaging.contact_merges set undone_at = $3, undone_by = $4 where organization_id = $1 and id = $2",
        organization_id.as_uuid(),
        merge.id.as_uuid(),
        now,
        actor,
    )
    .execute(conn)
    .await?;
    Ok(left)
}
