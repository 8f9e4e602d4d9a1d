//! Contacts of a batch: found by any of their identities, created where none is known.

use std::collections::{BTreeMap, BTreeSet, HashMap};

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

impl Identity {
    /// Other ways in which WhatsApp may write the same phone number.
    pub(crate) fn other_spellings(&self) -> Vec<Self> {
        if self.kind != "phone" {
            return Vec::new();
        }
        let spelled = whatsapp::phone::match_candidates(&self.value);
        spelled
            .into_iter()
            .filter(|other| *other != self.value)
            .map(|value| Self {
                value,
                ..self.clone()
            })
            .collect()
    }

    /// One name for all spellings.
    fn lock_name(&self) -> String {
        let other = self.other_spellings().into_iter().map(|other| other.value);
        let value = other.chain([self.value.clone()]).min().unwrap_or_default();
        format!("{}:{}:{value}", self.organization_id, self.kind)
    }
}

/// Whom an identity leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) contact_id: ContactId,
    /// The contact has a name.
    pub(crate) named: bool,
}

/// Who is known among these identities.
pub(crate) async fn find(
    conn: &mut PgConnection,
    identities: &BTreeSet<Identity>,
) -> sqlx::Result<HashMap<Identity, Known>> {
    let identities: Vec<&Identity> = identities.iter().collect();
    let (organizations, kinds, values) = columns(&identities);
    let rows = sqlx::query!(
        r#"select position as "position!", c.id as "contact_id: ContactId", c.name <> '' as "named!"
           from unnest($1::uuid[], $2::text[], $3::text[]) with ordinality as wanted(o, k, v, position)
           join messaging.contact_identities i on i.organization_id = o and i.kind = k and i.value = v
           join messaging.contacts c on c.organization_id = i.organization_id and c.id = i.contact_id"#,
        &organizations,
        &kinds,
        &values,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            // Positions count from 1.
            let identity = identities.get(usize::try_from(row.position - 1).ok()?)?;
            let known = Known {
                contact_id: row.contact_id,
                named: row.named,
            };
            Some(((*identity).clone(), known))
        })
        .collect())
}

/// Holds these identities until the transaction ends, so that two batches never create one person
/// twice. Every identity by itself: two batches may know the person by different ones and have only
/// one in common. Sorted, so that they wait for each other in one order only.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    identities: &BTreeSet<Identity>,
) -> sqlx::Result<()> {
    let names: BTreeSet<String> = identities.iter().map(Identity::lock_name).collect();
    let names: Vec<String> = names.into_iter().collect();
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended(name, 7)) from unnest($1::text[]) as name",
        &names,
    )
    .fetch_all(conn)
    .await?;
    Ok(())
}

/// Identities as the arrays that statements take.
fn columns(identities: &[&Identity]) -> (Vec<Uuid>, Vec<String>, Vec<String>) {
    let organization = |one: &&Identity| one.organization_id.as_uuid();
    (
        identities.iter().map(organization).collect(),
        identities.iter().map(|one| one.kind.to_owned()).collect(),
        identities.iter().map(|one| one.value.clone()).collect(),
    )
}

/// Kinds and values, each where there is one.
pub(super) fn identities<'a>(
    identities: impl Iterator<Item = Option<&'a Identity>>,
) -> (Vec<Option<&'a str>>, Vec<Option<&'a str>>) {
    identities
        .map(|one| (one.map(|one| one.kind), one.map(|one| one.value.as_str())))
        .unzip()
}

/// The same, each with its contact.
fn columns_with_contacts(
    identities: &BTreeSet<(Identity, ContactId)>,
) -> (Vec<Uuid>, Vec<String>, Vec<String>, Vec<Uuid>) {
    let only: Vec<&Identity> = identities.iter().map(|(identity, _)| identity).collect();
    let (organizations, kinds, values) = columns(&only);
    let contacts = identities
        .iter()
        .map(|(_, contact)| contact.as_uuid())
        .collect();
    (organizations, kinds, values, contacts)
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

/// Holds contacts against being merged until the transaction ends. Those that are part of another one by now.
pub(crate) async fn hold(
    conn: &mut PgConnection,
    contacts: &BTreeSet<(OrganizationId, ContactId)>,
) -> sqlx::Result<Vec<ContactId>> {
    let organizations: Vec<Uuid> = contacts.iter().map(|(of, _)| of.as_uuid()).collect();
    let ids: Vec<Uuid> = contacts.iter().map(|(_, id)| id.as_uuid()).collect();
    let rows = sqlx::query!(
        r#"select c.id as "id: ContactId", c.merged_into_id is not null as "merged!" from messaging.contacts c
           join unnest($1::uuid[], $2::uuid[]) as wanted(o, i) on c.organization_id = o and c.id = i
           order by c.organization_id, c.id
           for key share of c"#,
        &organizations,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    let merged = rows.into_iter().filter(|row| row.merged);
    Ok(merged.map(|row| row.id).collect())
}

/// Those of these contacts that are blocked.
pub(crate) async fn find_blocked(
    conn: &mut PgConnection,
    contacts: &BTreeSet<(OrganizationId, ContactId)>,
) -> sqlx::Result<BTreeSet<ContactId>> {
    let organizations: Vec<Uuid> = contacts.iter().map(|(of, _)| of.as_uuid()).collect();
    let ids: Vec<Uuid> = contacts.iter().map(|(_, id)| id.as_uuid()).collect();
    let blocked = sqlx::query_scalar!(
        r#"select c.id as "id: ContactId" from messaging.contacts c
           join unnest($1::uuid[], $2::uuid[]) as wanted(o, i) on c.organization_id = o and c.id = i
           where c.blocked_at is not null"#,
        &organizations,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(blocked.into_iter().collect())
}

/// Whether WhatsApp knows two contacts by different user ids.
pub(crate) async fn contradict(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    one: ContactId,
    other: ContactId,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select count(*) > 1 as "contradict!" from messaging.contact_identities
           where organization_id = $1 and contact_id in ($2, $3) and kind = 'user_id'"#,
        organization_id.as_uuid(),
        one.as_uuid(),
        other.as_uuid(),
    )
    .fetch_one(conn)
    .await
}

/// Adds identities to contacts; one that is known stays with whom it is known for.
pub(crate) async fn insert_identities(
    conn: &mut PgConnection,
    identities: &BTreeSet<(Identity, ContactId)>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let (organizations, kinds, values, contacts) = columns_with_contacts(identities);
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

/// Names contacts that have no name yet. Rows are taken in one order, as two batches may name the same
/// people.
pub(crate) async fn name_unnamed(
    conn: &mut PgConnection,
    names: &BTreeMap<(OrganizationId, ContactId), &str>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let organizations: Vec<Uuid> = names.keys().map(|(of, _)| of.as_uuid()).collect();
    let ids: Vec<Uuid> = names.keys().map(|(_, id)| id.as_uuid()).collect();
    let values: Vec<String> = names.values().map(|name| (*name).to_owned()).collect();
    sqlx::query!(
        "with told as (
             select * from unnest($1::uuid[], $2::uuid[], $3::text[]) as t(o, i, n)
         ), locked as (
             select c.organization_id, c.id, n from messaging.contacts c
             join told on c.organization_id = o and c.id = i
             where c.name = ''
             order by c.organization_id, c.id
             for no key update of c
         )
         update messaging.contacts c set name = n, updated_at = $4
         from locked where c.organization_id = locked.organization_id and c.id = locked.id and c.name = ''",
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
    identities: &BTreeSet<(Identity, ContactId)>,
) -> sqlx::Result<()> {
    let (organizations, kinds, values, contacts) = columns_with_contacts(identities);
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
