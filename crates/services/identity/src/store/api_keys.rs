//! Keys of tenants' programs.

use auth::{Membership, Role, Scopes, View};
use chrono::{DateTime, Utc};
use db::{DbError, SystemTx, TenantTx};
use ids::{ApiKeyId, OrganizationId};

use crate::domain::{networks::Networks, secret::SecretHash};

/// A key as its organization sees it.
#[derive(Debug, Clone)]
pub(crate) struct ApiKey {
    pub(crate) id: ApiKeyId,
    pub(crate) name: String,
    pub(crate) prefix: String,
    pub(crate) role: Role,
    pub(crate) scopes: Vec<String>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) last_used_at: Option<DateTime<Utc>>,
    pub(crate) revoked_at: Option<DateTime<Utc>>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) networks: Networks,
    /// The key that takes its place.
    pub(crate) replaced_by: Option<ApiKeyId>,
}

impl ApiKey {
    /// Whether it can be used at that time.
    pub(crate) fn is_usable(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }

    /// What it may do and see. A key sees every conversation and every field.
    pub(crate) fn membership(&self, organization_id: OrganizationId) -> Membership {
        Membership {
            organization_id,
            role: self.role,
            scopes: if self.scopes.is_empty() {
                Scopes::All
            } else {
                Scopes::Only(self.scopes.iter().cloned().collect())
            },
            view: View::default(),
        }
    }
}

/// The columns of a key; the role as it is stored.
struct Row {
    id: ApiKeyId,
    name: String,
    prefix: String,
    role: String,
    scopes: Vec<String>,
    created_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
    networks: Vec<String>,
    replaced_by: Option<ApiKeyId>,
}

impl TryFrom<Row> for ApiKey {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        Ok(Self {
            role: row
                .role
                .parse()
                .map_err(|_| DbError::inconsistent("api_keys", "role", row.id))?,
            networks: Networks::parse(&row.networks)
                .map_err(|_| DbError::inconsistent("api_keys", "networks", row.id))?,
            id: row.id,
            name: row.name,
            prefix: row.prefix,
            scopes: row.scopes,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
            expires_at: row.expires_at,
            replaced_by: row.replaced_by,
        })
    }
}

#[tracing::instrument(name = "db.api_keys.insert", skip_all)]
pub(crate) async fn insert(
    tx: &mut TenantTx,
    key: &ApiKey,
    hash: &SecretHash,
    created_by: &str,
) -> Result<(), DbError> {
    sqlx::query!(
        "insert into identity.api_keys
             (organization_id, id, name, prefix, secret_hash, role, scopes, created_by, created_at, expires_at,
              networks)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::text[]::cidr[])",
        tx.organization_id().as_uuid(),
        key.id.as_uuid(),
        key.name,
        key.prefix,
        hash.as_bytes(),
        key.role.as_str(),
        &key.scopes,
        created_by,
        key.created_at,
        key.expires_at,
        &key.networks.to_texts(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Newest first, behind the key `after`. Ids begin with the time, so their order is that of creation.
#[tracing::instrument(name = "db.api_keys.list", skip_all)]
pub(crate) async fn list(
    tx: &mut TenantTx,
    after: Option<ApiKeyId>,
    limit: i64,
) -> Result<Vec<ApiKey>, DbError> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id as "id: ApiKeyId", name, prefix, role, scopes, created_at, last_used_at, revoked_at, expires_at,
                  networks::text[] as "networks!", replaced_by as "replaced_by: ApiKeyId"
           from identity.api_keys
           where organization_id = $1 and ($2::uuid is null or id < $2)
           order by id desc
           limit $3"#,
        tx.organization_id().as_uuid(),
        after.map(ApiKeyId::as_uuid),
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(ApiKey::try_from).collect()
}

/// A key, locked.
#[tracing::instrument(name = "db.api_keys.lock", skip_all)]
pub(crate) async fn lock(tx: &mut TenantTx, id: ApiKeyId) -> Result<Option<ApiKey>, DbError> {
    let row = sqlx::query_as!(
        Row,
        r#"select id as "id: ApiKeyId", name, prefix, role, scopes, created_at, last_used_at, revoked_at, expires_at,
                  networks::text[] as "networks!", replaced_by as "replaced_by: ApiKeyId"
           from identity.api_keys
           where organization_id = $1 and id = $2
           for update"#,
        tx.organization_id().as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(ApiKey::try_from).transpose()
}

#[tracing::instrument(name = "db.api_keys.revoke", skip_all)]
pub(crate) async fn revoke(
    tx: &mut TenantTx,
    id: ApiKeyId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "update identity.api_keys set revoked_at = $3 where organization_id = $1 and id = $2",
        tx.organization_id().as_uuid(),
        id.as_uuid(),
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Notes the key that takes this one's place, and until when this one works beside it.
#[tracing::instrument(name = "db.api_keys.replace", skip_all)]
pub(crate) async fn replace(
    tx: &mut TenantTx,
    id: ApiKeyId,
    replaced_by: ApiKeyId,
    expires_at: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "update identity.api_keys set replaced_by = $3, expires_at = $4 where organization_id = $1 and id = $2",
        tx.organization_id().as_uuid(),
        id.as_uuid(),
        replaced_by.as_uuid(),
        expires_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The key with this secret, and its tenant, if that is active. Both are locked: a revocation or a suspension that is
/// under way is waited for, and a later one waits.
#[tracing::instrument(name = "db.api_keys.lock", skip_all)]
pub(crate) async fn lock_by_secret(
    tx: &mut SystemTx,
    hash: &SecretHash,
) -> Result<Option<(OrganizationId, ApiKey)>, DbError> {
    let row = sqlx::query!(
        r#"select k.organization_id as "organization_id: OrganizationId", k.id as "id: ApiKeyId", k.name, k.prefix,
                  k.role, k.scopes, k.created_at, k.last_used_at, k.revoked_at, k.expires_at,
                  k.networks::text[] as "networks!", k.replaced_by as "replaced_by: ApiKeyId"
           from identity.api_keys k join identity.organizations o on o.organization_id = k.organization_id
           where k.secret_hash = $1 and o.state = 'active'
           for share of o for no key update of k"#,
        hash.as_bytes(),
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(|row| {
        let key = Row {
            id: row.id,
            name: row.name,
            prefix: row.prefix,
            role: row.role,
            scopes: row.scopes,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
            expires_at: row.expires_at,
            networks: row.networks,
            replaced_by: row.replaced_by,
        };
        Ok((row.organization_id, key.try_into()?))
    })
    .transpose()
}

/// Notes a use.
#[tracing::instrument(name = "db.api_keys.touch", skip_all)]
pub(crate) async fn touch(
    tx: &mut SystemTx,
    organization_id: OrganizationId,
    id: ApiKeyId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "update identity.api_keys set last_used_at = greatest(last_used_at, $3)
         where organization_id = $1 and id = $2",
        organization_id.as_uuid(),
        id.as_uuid(),
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
