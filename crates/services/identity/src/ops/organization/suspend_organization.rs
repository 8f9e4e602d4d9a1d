//! Shut everybody out of an organization, or let them in again. For our own services.

use auth::RequestContext;
use serde_json::json;

use super::{shut, wrong_state};
use crate::{
    Error,
    events::{self, Turn},
    ops::{Tools, office::Office},
    store::settings::{self, Settings},
};

#[tracing::instrument(skip_all)]
pub(crate) async fn suspend_organization(
    tools: &Tools,
    caller: &RequestContext,
    reason: String,
) -> Result<Settings, Error> {
    let mut office = Office::open(tools, caller).await?;
    let before = office.organization.life.clone();
    let life = &mut office.organization.life;
    life.suspend(reason).map_err(wrong_state)?;
    if *life != before {
        let after = json!({ "reason": life.reason() });
        shut(&mut office).await?;
        events::organization_turned(&mut office.tx, &office.occasion, Turn::Suspended).await?;
        let id = office.organization_id();
        office
            .record("organization.suspended", id, None, Some(after))
            .await?;
    }
    let settings = office.organization.clone();
    office.commit().await?;
    tracing::info!(organization.id = %settings.id, "organization suspended");
    Ok(settings)
}

/// One that is active stays so: the caller has what it wants.
#[tracing::instrument(skip_all)]
pub(crate) async fn resume_organization(
    tools: &Tools,
    caller: &RequestContext,
) -> Result<Settings, Error> {
    let mut office = Office::open(tools, caller).await?;
    if !office.organization.is_active() {
        let life = &mut office.organization.life;
        life.resume().map_err(wrong_state)?;
        settings::update(&mut office.tx, &mut office.organization).await?;
        events::organization_turned(&mut office.tx, &office.occasion, Turn::Resumed).await?;
        let id = office.organization_id();
        office
            .record("organization.resumed", id, None, None)
            .await?;
    }
    let settings = office.organization.clone();
    office.commit().await?;
    Ok(settings)
}
