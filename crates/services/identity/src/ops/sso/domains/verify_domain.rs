//! Prove a domain by its DNS record.

use auth::{Origin, RequestContext};
use db::{SystemTx, TenantTx};
use ids::{Actor, OrganizationId};
use serde_json::json;

use super::{find, named};
use crate::{
    Error, SsoError,
    domain::sso::EmailDomain,
    events::Occasion,
    ops::{
        Tools,
        audit::{self, Change},
        office::Office,
        sso::budget::{TooSlow, within},
    },
    store::sso::domains::{self, Domain},
};

/// Looks for the DNS record. Another organization that proved the domain before keeps it while its own record is there.
#[tracing::instrument(skip_all)]
pub(crate) async fn verify_domain(
    tools: &Tools,
    caller: &RequestContext,
    text: &str,
) -> Result<Domain, Error> {
    let domain = named(text)?;
    let scope = caller.require_scope()?;
    let mut tx = TenantTx::begin(&tools.db, &scope).await?;
    let claimed = domains::find(&mut tx, scope.organization_id, &domain).await?;
    tx.commit().await?;
    let mut claimed = claimed.ok_or(SsoError::Unknown("domain"))?;
    if claimed.verified_at.is_some() {
        return Ok(claimed);
    }
    let texts = look_for(tools, &domain, &claimed.challenge).await?;
    release(tools, &domain, &texts, scope.organization_id).await?;
    let mut office = Office::open(tools, caller).await?;
    let (organization_id, now) = (office.organization_id(), office.occasion.at);
    // It may have been given up meanwhile.
    let present = find(&mut office, &domain).await?;
    if present.challenge != claimed.challenge {
        return Err(SsoError::Unknown("domain").into());
    }
    if !domains::verify(&mut office.tx, organization_id, &domain, now).await? {
        return Err(SsoError::DomainTaken.into());
    }
    office
        .record("sso_domain.verified", &domain, None, None)
        .await?;
    office.commit().await?;
    claimed.verified_at = Some(now);
    Ok(claimed)
}

/// All texts at the place of the record, if the expected one is among them.
async fn look_for(
    tools: &Tools,
    domain: &EmailDomain,
    challenge: &str,
) -> Result<Vec<String>, Error> {
    let name = domain.record_name();
    let unasked = || {
        SsoError::DomainUnproven(format!(
            "The name servers of {domain} could not be asked. Try again."
        ))
    };
    let found = within(tools.sso.dns.texts(&name)).await;
    let found = found.map_err(|TooSlow| unasked())?;
    let texts = found.map_err(|error| {
        tracing::info!(error = %error, "a name server did not answer");
        unasked()
    })?;
    if has(&texts, challenge) {
        return Ok(texts);
    }
    Err(SsoError::DomainUnproven(match texts.len() {
        0 => format!("There is no TXT record at {name}."),
        count => format!("None of the {count} TXT records at {name} has the expected value."),
    })
    .into())
}

fn has(texts: &[String], challenge: &str) -> bool {
    texts.iter().any(|text| text.trim() == challenge)
}

/// Takes the domain from an organization that proved it once and does not have its record there any more: domains are
/// sold, and companies part.
async fn release(
    tools: &Tools,
    domain: &EmailDomain,
    texts: &[String],
    asking: OrganizationId,
) -> Result<(), Error> {
    let mut tx = SystemTx::begin(&tools.db, "release a domain").await?;
    let Some(holder) = domains::lock_holder(&mut tx, domain).await? else {
        return Ok(());
    };
    if holder.organization_id == asking || has(texts, &holder.challenge) {
        return Ok(());
    }
    domains::release(&mut tx, holder.organization_id, domain).await?;
    let occasion = Occasion {
        organization_id: holder.organization_id,
        actor: Actor::System("sso"),
        at: tools.db.clock().now(),
    };
    let change = Change {
        before: Some(json!({ "verified": true })),
        after: Some(json!({ "verified": false })),
    };
    // Not who asked: that is another tenant's.
    let nowhere = Origin::default();
    audit::record(
        &mut tx,
        &occasion,
        &nowhere,
        "sso_domain.lost",
        domain,
        change,
    )
    .await?;
    tx.commit().await?;
    Ok(())
}
