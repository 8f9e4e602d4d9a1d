//! `consents`: what customers agreed to and took back. Nothing is ever changed here.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use ids::{ConsentId, ContactId, OrganizationId};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

/// What a customer once said.
#[derive(Debug, Clone)]
pub(crate) struct Consent {
    pub(crate) id: ConsentId,
    pub(crate) contact_id: ContactId,
    pub(crate) purpose: String,
    pub(crate) granted: bool,
    pub(crate) source: String,
    pub(crate) proof: Value,
    pub(crate) actor: String,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) recorded_at: DateTime<Utc>,
    /// The order in which it was recorded; set by the database.
    pub(crate) position: i64,
}

/// What a customer said last about a purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) purpose: String,
    pub(crate) granted: bool,
    pub(crate) occurred_at: DateTime<Utc>,
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    consent: &Consent,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into messaging.consents
             (organization_id, id, contact_id, purpose, granted, source, proof, actor, occurred_at, recorded_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        organization_id.as_uuid(),
        consent.id.as_uuid(),
        consent.contact_id.as_uuid(),
        consent.purpose,
        consent.granted,
        consent.source,
        consent.proof,
        consent.actor,
        consent.occurred_at,
        consent.recorded_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads consents; `$rest` says which and in what order.
macro_rules! consents {
    ($rest:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            Consent,
            r#"select id as "id: ConsentId", contact_id as "contact_id: ContactId", purpose, granted, source, proof,
                      actor, occurred_at, recorded_at, position as "position!"
               from messaging.consents "# + $rest,
            $($argument),+
        )
    };
}

pub(crate) async fn find(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    id: ConsentId,
) -> sqlx::Result<Option<Consent>> {
    consents!(
        "where organization_id = $1 and id = $2",
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await
}

/// The last recorded first, before the position `before`.
pub(crate) async fn list(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    contact_id: ContactId,
    before: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<Consent>> {
    consents!(
        "where organization_id = $1 and contact_id = $2 and ($3::bigint is null or position < $3)
         order by position desc limit $4",
        organization_id.as_uuid(),
        contact_id.as_uuid(),
        before,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// What these contacts said last about each purpose.
pub(crate) async fn latest(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    contacts: &[ContactId],
) -> sqlx::Result<HashMap<ContactId, Vec<State>>> {
    let ids: Vec<Uuid> = contacts.iter().map(|id| id.as_uuid()).collect();
    let rows = sqlx::query!(
        r#"select distinct on (contact_id, purpose)
                  contact_id as "contact_id: ContactId", purpose, granted, occurred_at
           from messaging.consents where organization_id = $1 and contact_id = any($2)
           order by contact_id, purpose, occurred_at desc, position desc"#,
        organization_id.as_uuid(),
        &ids,
    )
    .fetch_all(conn)
    .await?;
    let mut states: HashMap<ContactId, Vec<State>> = HashMap::new();
    for row in rows {
        states.entry(row.contact_id).or_default().push(State {
            purpose: row.purpose,
            granted: row.granted,
            occurred_at: row.occurred_at,
        });
    }
    Ok(states)
}

/// What a contact said last about a purpose; `None` where it said nothing.
pub(crate) async fn find_latest(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    contact_id: ContactId,
    purpose: &str,
) -> sqlx::Result<Option<bool>> {
    sqlx::query_scalar!(
        "select granted from messaging.consents where organization_id = $1 and contact_id = $2 and purpose = $3
         order by occurred_at desc, position desc limit 1",
        organization_id.as_uuid(),
        contact_id.as_uuid(),
        purpose,
    )
    .fetch_optional(conn)
    .await
}
