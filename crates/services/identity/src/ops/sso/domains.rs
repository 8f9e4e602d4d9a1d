//! E-mail domains of the organization.

mod verify_domain;

use auth::RequestContext;
use db::TenantTx;
use ids::SsoConnectionId;
use secrecy::ExposeSecret;
use serde_json::json;

pub(crate) use verify_domain::verify_domain;

use super::connections::update_connection::keep_a_way_in;
use crate::{
    Error, SsoError,
    domain::sso::{DomainFault, EmailDomain, random_text},
    ops::{Tools, office::Office},
    store::sso::{
        connections,
        domains::{self, Domain},
    },
};

/// Of one organization.
const MAX_DOMAINS: usize = 100;
/// What the record begins with.
const RECORD: &str = "switchboard-verification=";

fn named(text: &str) -> Result<EmailDomain, Error> {
    EmailDomain::parse(text).ok_or_else(not_a_domain)
}

const fn not_a_domain() -> Error {
    Error::Field {
        field: "domain",
        problem: "is not a domain such as example.com",
    }
}

async fn find(office: &mut Office<'_>, domain: &EmailDomain) -> Result<Domain, Error> {
    let organization_id = office.organization_id();
    let found = domains::find(&mut office.tx, organization_id, domain).await?;
    Ok(found.ok_or(SsoError::Unknown("domain"))?)
}

/// Claims a domain. The answer is the same when it was claimed before.
#[tracing::instrument(skip_all)]
pub(crate) async fn add_domain(
    tools: &Tools,
    caller: &RequestContext,
    text: &str,
) -> Result<Domain, Error> {
    let domain = EmailDomain::claim(text).map_err(|fault| match fault {
        DomainFault::NotADomain => not_a_domain(),
        DomainFault::Public => SsoError::DomainPublic.into(),
    })?;
    let mut office = Office::open(tools, caller).await?;
    let (organization_id, now) = (office.organization_id(), office.occasion.at);
    let all = domains::list(&mut office.tx, organization_id, None).await?;
    if let Some(present) = all.iter().find(|one| one.name == domain.as_str()) {
        return Ok(present.clone());
    }
    if all.len() >= MAX_DOMAINS {
        return Err(SsoError::TooMany("domains").into());
    }
    let claimed = Domain {
        name: domain.to_string(),
        connection_id: None,
        challenge: format!("{RECORD}{}", random_text().expose_secret()),
        verified_at: None,
    };
    domains::insert(&mut office.tx, organization_id, &claimed, now).await?;
    office
        .record("sso_domain.added", &domain, None, None)
        .await?;
    office.commit().await?;
    Ok(claimed)
}

/// Says where people of a domain log in; with a password, without a connection.
#[tracing::instrument(skip_all)]
pub(crate) async fn route_domain(
    tools: &Tools,
    caller: &RequestContext,
    text: &str,
    connection_id: Option<SsoConnectionId>,
) -> Result<Domain, Error> {
    let domain = named(text)?;
    let mut office = Office::open(tools, caller).await?;
    let organization_id = office.organization_id();
    let mut present = find(&mut office, &domain).await?;
    if present.verified_at.is_none() {
        return Err(SsoError::DomainUnverified.into());
    }
    if let Some(id) = connection_id {
        let found = connections::find(&mut office.tx, organization_id, id).await?;
        found.ok_or(SsoError::Unknown("connection"))?;
    }
    if present.connection_id != connection_id {
        domains::route(&mut office.tx, organization_id, &domain, connection_id).await?;
        keep_a_way_in(&mut office).await?;
        let told =
            |id: Option<SsoConnectionId>| json!({ "connection_id": id.map(|id| id.to_string()) });
        let (before, after) = (told(present.connection_id), told(connection_id));
        office
            .record("sso_domain.routed", &domain, Some(before), Some(after))
            .await?;
        present.connection_id = connection_id;
    }
    office.commit().await?;
    Ok(present)
}

#[tracing::instrument(skip_all)]
pub(crate) async fn list_domains(
    tools: &Tools,
    caller: &RequestContext,
) -> Result<Vec<Domain>, Error> {
    let scope = caller.require_scope()?;
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    let all = domains::list(&mut tx, scope.organization_id, None).await?;
    tx.commit().await?;
    Ok(all)
}

/// Gives a domain up: somebody else may prove it from now on.
#[tracing::instrument(skip_all)]
pub(crate) async fn remove_domain(
    tools: &Tools,
    caller: &RequestContext,
    text: &str,
) -> Result<(), Error> {
    let domain = named(text)?;
    let mut office = Office::open(tools, caller).await?;
    let organization_id = office.organization_id();
    let present = find(&mut office, &domain).await?;
    domains::delete(&mut office.tx, organization_id, &domain).await?;
    keep_a_way_in(&mut office).await?;
    let before = json!({ "verified": present.verified_at.is_some() });
    office
        .record("sso_domain.removed", &domain, Some(before), None)
        .await?;
    office.commit().await
}
