//! `contacts` and `contact_identities`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use ids::{ContactId, OrganizationId};
use sqlx::PgConnection;
use uuid::Uuid;

/// A customer.
#[derive(Debug, Clone)]
pub(crate) struct Contact {
    pub(crate) id: ContactId,
    pub(crate) name: String,
    pub(crate) created_at: DateTime<Utc>,
}

/// Kind and value of an identity, as WhatsApp writes it.
pub(crate) type Identity = (String, String);

pub(crate) async fn find(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: ContactId,
) -> sqlx::Result<Option<Contact>> {
    sqlx::query_as!(
        Contact,
        r#"select id as "id: ContactId", name, created_at
           from messaging.contacts where organization_id = $1 and id = $2"#,
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
    before: Option<ContactId>,
    limit: i64,
) -> sqlx::Result<Vec<Contact>> {
    sqlx::query_as!(
        Contact,
        r#"select id as "id: ContactId", name, created_at from messaging.contacts
           where organization_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3"#,
        organization_id.as_uuid(),
        before.map(ContactId::as_uuid),
        limit,
    )
    .fetch_all(conn)
    .await
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
