//! `contact_notes`.

use chrono::{DateTime, Utc};
use ids::{ContactId, ContactNoteId, OrganizationId};
use sqlx::PgConnection;

/// What somebody noted about a contact.
#[derive(Debug, Clone)]
pub(crate) struct Note {
    pub(crate) id: ContactNoteId,
    pub(crate) contact_id: ContactId,
    pub(crate) author: String,
    pub(crate) body: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

/// Reads notes; `$rest` says which and in what order.
macro_rules! notes {
    ($rest:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            Note,
            r#"select id as "id: ContactNoteId", contact_id as "contact_id: ContactId", author, body, created_at,
                      updated_at
               from messaging.contact_notes "# + $rest,
            $($argument),+
        )
    };
}

pub(crate) async fn find(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: ContactNoteId,
) -> sqlx::Result<Option<Note>> {
    notes!(
        "where organization_id = $1 and id = $2",
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await
}

/// Newest first, before `before`.
pub(crate) async fn list(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    contact_id: ContactId,
    before: Option<ContactNoteId>,
    limit: i64,
) -> sqlx::Result<Vec<Note>> {
    notes!(
        "where organization_id = $1 and contact_id = $2 and ($3::uuid is null or id < $3) order by id desc limit $4",
        organization_id.as_uuid(),
        contact_id.as_uuid(),
        before.map(ContactNoteId::as_uuid),
        limit,
    )
    .fetch_all(conn)
    .await
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    note: &Note,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into messaging.contact_notes (organization_id, id, contact_id, author, body, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        organization_id.as_uuid(),
        note.id.as_uuid(),
        note.contact_id.as_uuid(),
        note.author,
        note.body,
        note.created_at,
        note.updated_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The note as it is then; `None` where there is none.
pub(crate) async fn update(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: ContactNoteId,
    body: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Note>> {
    sqlx::query_as!(
        Note,
        r#"update messaging.contact_notes set body = $3, updated_at = $4 where organization_id = $1 and id = $2
           returning id as "id: ContactNoteId", contact_id as "contact_id: ContactId", author, body, created_at,
                     updated_at"#,
        organization_id.as_uuid(),
        id.as_uuid(),
        body,
        now,
    )
    .fetch_optional(conn)
    .await
}

/// False where there is none.
pub(crate) async fn delete(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: ContactNoteId,
) -> sqlx::Result<bool> {
    let deleted = sqlx::query!(
        "delete from messaging.contact_notes where organization_id = $1 and id = $2",
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .execute(conn)
    .await?;
    Ok(deleted.rows_affected() == 1)
}
