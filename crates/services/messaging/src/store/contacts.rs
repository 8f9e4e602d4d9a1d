//! `contacts` and `contact_identities`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use ids::{ContactId, OrganizationId};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

/// A customer.
#[derive(Debug, Clone)]
pub(crate) struct Contact {
    pub(crate) id: ContactId,
    pub(crate) name: String,
    pub(crate) locale: String,
    pub(crate) time_zone: String,
    /// Values by the key of their attribute.
    pub(crate) attributes: Value,
    pub(crate) version: i64,
    /// Nothing is sent to a blocked contact.
    pub(crate) blocked_at: Option<DateTime<Utc>>,
    pub(crate) created_at: DateTime<Utc>,
}

/// Kind and value of an identity, as WhatsApp writes it.
pub(crate) type Identity = (String, String);

/// Reads contacts; `$rest` says which and in what order.
macro_rules! contacts {
    ($rest:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            Contact,
            r#"select id as "id: ContactId", name, locale, time_zone, attributes, version, blocked_at, created_at
               from messaging.contacts "# + $rest,
            $($argument),+
        )
    };
}

/// The contact an id leads to: after a merge that is another one.
pub(crate) async fn find(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: ContactId,
) -> sqlx::Result<Option<Contact>> {
    contacts!(
        "where organization_id = $1 and id = messaging.kept_contact($1, $2)",
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await
}

/// These contacts as far as they are not merged, oldest first.
pub(crate) async fn find_all(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    ids: &[ContactId],
) -> sqlx::Result<Vec<Contact>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
    contacts!(
        "where organization_id = $1 and id = any($2) and merged_into_id is null order by id",
        organization_id.as_uuid(),
        &ids,
    )
    .fetch_all(conn)
    .await
}

/// The contact an id leads to, locked against changes but not against messages. Merged while it waited, it is looked
/// for again.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: ContactId,
) -> sqlx::Result<Option<Contact>> {
    for _ in 0..2 {
        let found = contacts!(
            "where organization_id = $1 and id = messaging.kept_contact($1, $2) and merged_into_id is null
             for no key update",
            organization_id.as_uuid(),
            id.as_uuid(),
        )
        .fetch_optional(&mut *conn)
        .await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Newest first, before `before`.
pub(crate) async fn list(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    before: Option<ContactId>,
    limit: i64,
) -> sqlx::Result<Vec<Contact>> {
    contacts!(
        "where organization_id = $1 and merged_into_id is null and ($2::uuid is null or id < $2)
         order by id desc limit $3",
        organization_id.as_uuid(),
        before.map(ContactId::as_uuid),
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Creates a contact as people describe it.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    contact: &Contact,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into messaging.contacts
             (organization_id, id, name, locale, time_zone, attributes, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
        organization_id.as_uuid(),
        contact.id.as_uuid(),
        contact.name,
        contact.locale,
        contact.time_zone,
        contact.attributes,
        contact.version,
        contact.created_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes what people say of a contact; the version it has then.
pub(crate) async fn update(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    contact: &Contact,
    now: DateTime<Utc>,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        "update messaging.contacts
         set name = $3, locale = $4, time_zone = $5, attributes = $6, updated_at = $7, blocked_at = $8,
             version = version + 1
         where organization_id = $1 and id = $2
         returning version",
        organization_id.as_uuid(),
        contact.id.as_uuid(),
        contact.name,
        contact.locale,
        contact.time_zone,
        contact.attributes,
        now,
        contact.blocked_at,
    )
    .fetch_one(conn)
    .await
}

/// Takes all identities of a kind away from a contact.
pub(crate) async fn forget_identities(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: ContactId,
    kind: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from messaging.contact_identities where organization_id = $1 and contact_id = $2 and kind = $3",
        organization_id.as_uuid(),
        id.as_uuid(),
        kind,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The identities of these contacts, oldest first.
pub(crate) async fn list_identities(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    contacts: &[ContactId],
) -> sqlx::Result<HashMap<ContactId, Vec<Identity>>> {
    let ids: Vec<Uuid> = contacts.iter().map(|id| id.as_uuid()).collect();
    let rows = sqlx::query!(
        r#"select contact_id as "contact_id: ContactId", kind, value from messaging.contact_identities
           where organization_id = $1 and contact_id = any($2) order by created_at, kind, value"#,
        organization_id.as_uuid(),
        &ids,
    )
    .fetch_all(conn)
    .await?;
    let mut identities: HashMap<ContactId, Vec<Identity>> = HashMap::new();
    for row in rows {
        identities
            .entry(row.contact_id)
            .or_default()
            .push((row.kind, row.value));
    }
    Ok(identities)
}
