//! The audit log: a chain of entries for each organization.

use chrono::{DateTime, SubsecRound, Utc};
use db::{AsTx, DbError, TenantTx};
use ids::{AuditEntryId, EventId, OrganizationId};
use serde_json::Value;
use uuid::Uuid;

use crate::domain::audit::{Checkpoint, Entry, Link};

/// Adds an entry at the end of the chain, in the transaction of what it tells. An entry of an event that was taken in
/// before is left out; answers whether it was added.
#[tracing::instrument(name = "db.audit.append", skip_all)]
pub(crate) async fn append(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    entry: &Entry,
) -> Result<bool, DbError> {
    let mut entry = entry.clone();
    // What PostgreSQL keeps of a time.
    entry.occurred_at = entry.occurred_at.trunc_subsecs(6);
    let head = sqlx::query!(
        "insert into identity.audit_heads (organization_id, seq, hash) values ($1, 0, $2)
         on conflict (organization_id) do update set seq = audit_heads.seq
         returning seq, hash",
        organization_id.as_uuid(),
        &Checkpoint::GENESIS.hash[..],
    )
    .fetch_one(tx.conn())
    .await?;
    if let Some(event_id) = entry.event_id
        && is_known(tx, organization_id, event_id).await?
    {
        return Ok(false);
    }
    let seq = head.seq + 1;
    let hash = entry.hash(seq, &head.hash);
    sqlx::query!(
        "with head as (
             update identity.audit_heads set seq = $2, hash = $13 where organization_id = $1
         )
         insert into identity.audit_entries
             (organization_id, seq, id, occurred_at, actor, action, target, before, after, address, user_agent,
              event_id, previous_hash, hash)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $14, $13)",
        organization_id.as_uuid(),
        seq,
        entry.id.as_uuid(),
        entry.occurred_at,
        entry.actor,
        entry.action,
        entry.target,
        entry.before,
        entry.after,
        entry.address,
        entry.user_agent,
        entry.event_id.map(EventId::as_uuid),
        &hash[..],
        head.hash,
    )
    .execute(tx.conn())
    .await?;
    Ok(true)
}

async fn is_known(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    event_id: EventId,
) -> Result<bool, DbError> {
    let known: Option<Uuid> = sqlx::query_scalar!(
        "select id from identity.audit_entries where organization_id = $1 and event_id = $2",
        organization_id.as_uuid(),
        event_id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(known.is_some())
}

/// Which entries a list shows.
#[derive(Debug, Default, serde::Serialize)]
pub(crate) struct Filter {
    pub(crate) actor: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) target: Option<String>,
    pub(crate) since: Option<DateTime<Utc>>,
    pub(crate) until: Option<DateTime<Utc>>,
}

/// The columns of an entry.
struct Row {
    seq: i64,
    id: AuditEntryId,
    occurred_at: DateTime<Utc>,
    actor: String,
    action: String,
    target: String,
    before: Option<Value>,
    after: Option<Value>,
    address: String,
    user_agent: String,
    event_id: Option<EventId>,
    previous_hash: Vec<u8>,
    hash: Vec<u8>,
}

impl From<Row> for Link {
    fn from(row: Row) -> Self {
        Self {
            seq: row.seq,
            entry: Entry {
                id: row.id,
                occurred_at: row.occurred_at,
                actor: row.actor,
                action: row.action,
                target: row.target,
                before: row.before,
                after: row.after,
                address: row.address,
                user_agent: row.user_agent,
                event_id: row.event_id,
            },
            previous_hash: row.previous_hash,
            hash: row.hash,
        }
    }
}

/// The newest first, before the place `before`.
#[tracing::instrument(name = "db.audit.list", skip_all)]
pub(crate) async fn list(
    tx: &mut TenantTx,
    filter: &Filter,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Link>, DbError> {
    let rows = sqlx::query_as!(
        Row,
        r#"select seq, id as "id: AuditEntryId", occurred_at, actor, action, target, before, after, address, user_agent,
                  event_id as "event_id: EventId", previous_hash, hash
           from identity.audit_entries
           where organization_id = $1
             and ($2::bigint is null or seq < $2)
             and ($3::text is null or actor = $3)
             and ($4::text is null or action = $4)
             and ($5::text is null or target = $5)
             and ($6::timestamptz is null or occurred_at >= $6)
             and ($7::timestamptz is null or occurred_at < $7)
           order by seq desc
           limit $8"#,
        tx.organization_id().as_uuid(),
        before,
        filter.actor,
        filter.action,
        filter.target,
        filter.since,
        filter.until,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Link::from).collect())
}

/// The chain behind the place `after`, the oldest first.
#[tracing::instrument(name = "db.audit.walk", skip_all)]
pub(crate) async fn walk(tx: &mut TenantTx, after: i64, limit: i64) -> Result<Vec<Link>, DbError> {
    let rows = sqlx::query_as!(
        Row,
        r#"select seq, id as "id: AuditEntryId", occurred_at, actor, action, target, before, after, address, user_agent,
                  event_id as "event_id: EventId", previous_hash, hash
           from identity.audit_entries
           where organization_id = $1 and seq > $2
           order by seq
           limit $3"#,
        tx.organization_id().as_uuid(),
        after,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Link::from).collect())
}

/// The end of the chain as it was noted, and the last entry there is; both of one moment.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) seq: i64,
    pub(crate) hash: Vec<u8>,
    pub(crate) last_entry: i64,
}

#[tracing::instrument(name = "db.audit.end", skip_all)]
pub(crate) async fn end(tx: &mut TenantTx) -> Result<End, DbError> {
    let row = sqlx::query!(
        r#"select h.seq as "seq?", h.hash as "hash?",
                  (select max(seq) from identity.audit_entries where organization_id = $1) as last_entry
           from (select 1) one
           left join identity.audit_heads h on h.organization_id = $1"#,
        tx.organization_id().as_uuid(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(End {
        seq: row.seq.unwrap_or_default(),
        hash: row
            .hash
            .unwrap_or_else(|| Checkpoint::GENESIS.hash.to_vec()),
        last_entry: row.last_entry.unwrap_or_default(),
    })
}

/// Whether some entry says that it follows this one; then it is not at its place.
#[tracing::instrument(name = "db.audit.has_successor", skip_all)]
pub(crate) async fn has_successor(tx: &mut TenantTx, of: &Checkpoint) -> Result<bool, DbError> {
    let found = sqlx::query_scalar!(
        r#"select exists (
               select from identity.audit_entries
               where organization_id = $1 and previous_hash = $2 and seq <> $3
           ) as "found!""#,
        tx.organization_id().as_uuid(),
        &of.hash[..],
        of.seq + 1,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(found)
}

/// Which of the organizations exist. They stay until the transaction ends.
#[tracing::instrument(name = "db.audit.known_organizations", skip_all)]
pub(crate) async fn known_organizations(
    tx: &mut impl AsTx,
    organizations: &[Uuid],
) -> Result<Vec<Uuid>, DbError> {
    let known = sqlx::query_scalar!(
        "select organization_id from identity.organizations where organization_id = any($1)
         order by organization_id for key share",
        organizations,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(known)
}
