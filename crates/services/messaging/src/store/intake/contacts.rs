//! Contacts of a batch: found by any of their identities, created where none is known.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use ids::{ContactId, OrganizationId};
use sqlx::PgConnection;
use uuid::Uuid;

/// A tenant's identity: kind and value as WhatsApp writes them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Identity {
    pub(crate) organization_id: OrganizationId,
    pub(crate) kind: &'static str,
    pub(crate) value: String,
}

/// Who is known among these identities.
pub(crate) async fn find(
    conn: &mut PgConnection,
    identities: &BTreeSet<Identity>,
) -> sqlx::Result<HashMap<Identity, ContactId>> {
    let organizations: Vec<Uuid> = identities
        .iter()
        .map(|identity| identity.organization_id.as_uuid())
        .collect();
    let kinds: Vec<String> = identities
        .iter()
        .map(|identity| identity.kind.to_owned())
        .collect();
    let values: Vec<String> = identities
        .iter()
        .map(|identity| identity.value.clone())
        .collect();
    let rows = sqlx::query!(
        r#"select i.organization_id as "organization_id: OrganizationId", i.kind, i.value,
                  i.contact_id as "contact_id: ContactId"
           from unnest($1::uuid[], $2::text[], $3::text[]) as wanted(o, k, v)
           join messaging.contact_identities i on i.organization_id = o and i.kind = k and i.value = v"#,
        &organizations,
        &kinds,
        &values,
    )
    .fetch_all(conn)
    .await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let wanted = identities.iter().find(|identity| {
            identity.organization_id == row.organization_id
                && identity.kind == row.kind
                && identity.value == row.value
        });
        if let Some(identity) = wanted {
            found.insert(identity.clone(), row.contact_id);
        }
    }
    Ok(found)
}

/// Holds these names until the transaction ends, so that two batches never create one person
/// twice. Sorted by the caller's set: two batches lock in one order only.
pub(crate) async fn lock(conn: &mut PgConnection, names: &BTreeSet<String>) -> sqlx::Result<()> {
    let names: Vec<String> = names.iter().cloned().collect();
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended(name, 7)) from unnest($1::text[]) as name",
        &names,
    )
    .fetch_all(conn)
    .await?;
    Ok(())
}

/// Creates contacts. An empty name is filled in when WhatsApp tells one.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    contacts: &[(OrganizationId, ContactId, String)],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let organizations: Vec<Uuid> = contacts
        .iter()
        .map(|(organization, ..)| organization.as_uuid())
        .collect();
    let ids: Vec<Uuid> = contacts.iter().map(|(_, id, _)| id.as_uuid()).collect();
    let names: Vec<String> = contacts.iter().map(|(.., name)| name.clone()).collect();
    sqlx::query!(
        "insert into messaging.contacts (organization_id, id, name, created_at, updated_at)
         select o, c, n, $4, $4 from unnest($1::uuid[], $2::uuid[], $3::text[]) as fresh(o, c, n)",
        &organizations,
        &ids,
        &names,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Adds identities to contacts; one that is known stays with whom it is known for.
pub(crate) async fn insert_identities(
    conn: &mut PgConnection,
    identities: &[(&Identity, ContactId)],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let organizations: Vec<Uuid> = identities
        .iter()
        .map(|(identity, _)| identity.organization_id.as_uuid())
        .collect();
    let kinds: Vec<String> = identities
        .iter()
        .map(|(identity, _)| identity.kind.to_owned())
        .collect();
    let values: Vec<String> = identities
        .iter()
        .map(|(identity, _)| identity.value.clone())
        .collect();
    let contacts: Vec<Uuid> = identities
        .iter()
        .map(|(_, contact)| contact.as_uuid())
        .collect();
    sqlx::query!(
        "insert into messaging.contact_identities (organization_id, kind, value, contact_id, created_at)
         select o, k, v, c, $5 from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[]) as fresh(o, k, v, c)
         order by o, k, v
         on conflict do nothing",
        &organizations,
        &kinds,
        &values,
        &contacts,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Names contacts that have no name yet.
pub(crate) async fn name_unnamed(
    conn: &mut PgConnection,
    names: &[(OrganizationId, ContactId, String)],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let organizations: Vec<Uuid> = names
        .iter()
        .map(|(organization, ..)| organization.as_uuid())
        .collect();
    let ids: Vec<Uuid> = names.iter().map(|(_, id, _)| id.as_uuid()).collect();
    let values: Vec<String> = names.iter().map(|(.., name)| name.clone()).collect();
    sqlx::query!(
        "update messaging.contacts c set name = told.n, updated_at = $4
         from unnest($1::uuid[], $2::uuid[], $3::text[]) as told(o, i, n)
         where c.organization_id = told.o and c.id = told.i and c.name = ''",
        &organizations,
        &ids,
        &values,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes identities away from contacts they no longer lead to.
pub(crate) async fn delete_identities(
    conn: &mut PgConnection,
    identities: &[(&Identity, ContactId)],
) -> sqlx::Result<()> {
    let organizations: Vec<Uuid> = identities
        .iter()
        .map(|(i, _)| i.organization_id.as_uuid())
        .collect();
    let kinds: Vec<String> = identities.iter().map(|(i, _)| i.kind.to_owned()).collect();
    let values: Vec<String> = identities.iter().map(|(i, _)| i.value.clone()).collect();
    let contacts: Vec<Uuid> = identities
        .iter()
        .map(|(_, contact)| contact.as_uuid())
        .collect();
    sqlx::query!(
        "delete from messaging.contact_identities i
         using unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[]) as gone(o, k, v, c)
         where i.organization_id = o and i.kind = k and i.value = v and i.contact_id = c",
        &organizations,
        &kinds,
        &values,
        &contacts,
    )
    .execute(conn)
    .await?;
    Ok(())
}
