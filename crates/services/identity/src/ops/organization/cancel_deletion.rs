//! Take the deletion of the organization back.

use auth::{RequestContext, Revoked};

use super::wrong_state;
use crate::{
    Error,
    events::{self, Turn},
    ops::{Tools, office::Office},
    store::{
        revocations,
        settings::{self, Settings},
    },
};

/// Its people log in again. Owners who did so meanwhile have tokens that allow this only, which end here.
#[tracing::instrument(skip_all)]
pub(crate) async fn cancel_deletion(
    tools: &Tools,
    caller: &RequestContext,
) -> Result<Settings, Error> {
    let mut office = Office::open(tools, caller).await?;
    let (id, now) = (office.organization_id(), office.occasion.at);
    let life = &mut office.organization.life;
    life.cancel_deletion(now).map_err(wrong_state)?;
    settings::update(&mut office.tx, &mut office.organization).await?;
    revocations::record(&mut office.tx, id, &[Revoked::Organization], now).await?;
    events::organization_turned(&mut office.tx, &office.occasion, Turn::Resumed).await?;
    office
        .record("organization.deletion_cancelled", id, None, None)
        .await?;
    let settings = office.organization.clone();
    office.commit().await?;
    Ok(settings)
}
