//! E-mail domains that organizations claim.

use chrono::{DateTime, Utc};
use db::{AsTx, DbError, SystemTx};
use ids::{OrganizationId, SsoConnectionId};

use crate::domain::{email::EmailKey, sso::EmailDomain};

#[derive(Debug, Clone)]
pub(crate) struct Domain {
    pub(crate) name: String,
    pub(crate) connection_id: Option<SsoConnectionId>,
    /// The value of the DNS record.
    pub(crate) challenge: String,
    pub(crate) verified_at: Option<DateTime<Utc>>,
}

/// All of them by name, or the one with this name.
#[tracing::instrument(name = "db.sso_domains.list", skip_all)]
pub(crate) async fn list(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    domain: Option<&EmailDomain>,
) -> Result<Vec<Domain>, DbError> {
    let domains = sqlx::query_as!(
        Domain,
        r#"select domain as name, connection_id as "connection_id: SsoConnectionId", challenge, verified_at
           from identity.sso_domains
           where organization_id = $1 and ($2::text is null or domain = $2) order by domain"#,
        organization_id.as_uuid(),
        domain.map(EmailDomain::as_str),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(domains)
}

#[tracing::instrument(name = "db.sso_domains.find", skip_all)]
pub(crate) async fn find(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    domain: &EmailDomain,
) -> Result<Option<Domain>, DbError> {
    Ok(list(tx, organization_id, Some(domain)).await?.pop())
}

/// Whether the organization proved to own the domain.
#[tracing::instrument(name = "db.sso_domains.find", skip_all)]
pub(crate) async fn is_verified(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    domain: &EmailDomain,
) -> Result<bool, DbError> {
    let found = find(tx, organization_id, domain).await?;
    Ok(found.is_some_and(|found| found.verified_at.is_some()))
}

/// Whether the organization proved to own the domain of the address.
pub(crate) async fn owns(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    email: &EmailKey,
) -> Result<bool, DbError> {
    match EmailDomain::of_address(email.as_str()) {
        Some(domain) => is_verified(tx, organization_id, &domain).await,
        None => Ok(false),
    }
}

/// A claim. One that is there stays as it is.
#[tracing::instrument(name = "db.sso_domains.insert", skip_all)]
pub(crate) async fn insert(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    domain: &Domain,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "insert into identity.sso_domains (organization_id, domain, challenge, created_at) values ($1, $2, $3, $4)
         on conflict (organization_id, domain) do nothing",
        organization_id.as_uuid(),
        domain.name,
        domain.challenge,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The record was there. `false` when another organization proved the domain before.
#[tracing::instrument(name = "db.sso_domains.update", skip_all)]
pub(crate) async fn verify(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    domain: &EmailDomain,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let verified = sqlx::query!(
        "update identity.sso_domains set verified_at = coalesce(verified_at, $3), checked_at = $3
         where organization_id = $1 and domain = $2",
        organization_id.as_uuid(),
        domain.as_str(),
        now,
    )
    .execute(tx.conn())
    .await
    .map_err(DbError::from);
    match verified {
        Ok(done) => Ok(done.rows_affected() == 1),
        Err(error) if error.constraint() == Some("sso_domains_verified_key") => Ok(false),
        Err(error) => Err(error),
    }
}

/// The organization that proved a domain, and the value of its DNS record.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    pub(crate) organization_id: OrganizationId,
    pub(crate) challenge: String,
}

/// Locked.
#[tracing::instrument(name = "db.sso_domains.lock", skip_all)]
pub(crate) async fn lock_holder(
    tx: &mut SystemTx,
    domain: &EmailDomain,
) -> Result<Option<Holder>, DbError> {
    let holder = sqlx::query_as!(
        Holder,
        r#"select organization_id as "organization_id: OrganizationId", challenge from identity.sso_domains
           where domain = $1 and verified_at is not null for update"#,
        domain.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(holder)
}

/// The domain is a claim again, and leads nowhere.
#[tracing::instrument(name = "db.sso_domains.update", skip_all)]
pub(crate) async fn release(
    tx: &mut SystemTx,
    organization_id: OrganizationId,
    domain: &EmailDomain,
) -> Result<(), DbError> {
    sqlx::query!(
        "update identity.sso_domains set verified_at = null, connection_id = null
         where organization_id = $1 and domain = $2",
        organization_id.as_uuid(),
        domain.as_str(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Where people of the domain log in.
#[tracing::instrument(name = "db.sso_domains.update", skip_all)]
pub(crate) async fn route(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    domain: &EmailDomain,
    connection_id: Option<SsoConnectionId>,
) -> Result<(), DbError> {
    sqlx::query!(
        "update identity.sso_domains set connection_id = $3 where organization_id = $1 and domain = $2",
        organization_id.as_uuid(),
        domain.as_str(),
        connection_id.map(SsoConnectionId::as_uuid),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

#[tracing::instrument(name = "db.sso_domains.delete", skip_all)]
pub(crate) async fn delete(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    domain: &EmailDomain,
) -> Result<(), DbError> {
    sqlx::query!(
        "delete from identity.sso_domains where organization_id = $1 and domain = $2",
        organization_id.as_uuid(),
        domain.as_str(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How people of a domain log in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    pub(crate) organization_id: OrganizationId,
    pub(crate) connection_id: SsoConnectionId,
    /// A password is not accepted.
    pub(crate) required: bool,
}

/// Of a verified domain that leads to a connection in use.
#[tracing::instrument(name = "db.sso_domains.find", skip_all)]
pub(crate) async fn find_route(
    tx: &mut SystemTx,
    domain: &EmailDomain,
) -> Result<Option<Route>, DbError> {
    let route = sqlx::query_as!(
        Route,
        r#"select d.organization_id as "organization_id: OrganizationId", c.id as "connection_id: SsoConnectionId",
                  o.sso_required as required
           from identity.sso_domains d
           join identity.sso_connections c on c.organization_id = d.organization_id and c.id = d.connection_id
           join identity.organizations o on o.organization_id = d.organization_id
           where d.domain = $1 and d.verified_at is not null and c.enabled and o.state = 'active'"#,
        domain.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(route)
}

/// Whether a verified domain leads to a connection in use.
#[tracing::instrument(name = "db.sso_domains.find", skip_all)]
pub(crate) async fn has_route(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
) -> Result<bool, DbError> {
    let found = sqlx::query_scalar!(
        r#"select exists (
               select from identity.sso_domains d
               join identity.sso_connections c on c.organization_id = d.organization_id and c.id = d.connection_id
               where d.organization_id = $1 and d.verified_at is not null and c.enabled) as "found!""#,
        organization_id.as_uuid(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(found)
}

/// Whether the organization requires single sign-on.
#[tracing::instrument(name = "db.organizations.find", skip_all)]
pub(crate) async fn is_required(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
) -> Result<bool, DbError> {
    let required = sqlx::query_scalar!(
        "select sso_required from identity.organizations where organization_id = $1",
        organization_id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(required.unwrap_or(false))
}

#[tracing::instrument(name = "db.organizations.update", skip_all)]
pub(crate) async fn require(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    required: bool,
) -> Result<(), DbError> {
    sqlx::query!(
        "update identity.organizations set sso_required = $2, version = version + 1 where organization_id = $1",
        organization_id.as_uuid(),
        required,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
