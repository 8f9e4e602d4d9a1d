//! The organization itself.

pub(crate) mod cancel_deletion;
pub(crate) mod delete_organization;
pub(crate) mod erase_organization;
pub(crate) mod get_organization;
pub(crate) mod suspend_organization;
pub(crate) mod update_organization;

use auth::Revoked;

use super::{end_sessions::end_every_session, office::Office};
use crate::{
    Error, PeopleError,
    domain::{organization::WrongState, session::EndReason},
    store::{revocations, settings},
};

fn wrong_state(WrongState(state): WrongState) -> Error {
    PeopleError::State(state).into()
}

/// Stores that the organization is not active and ends whatever its people and programs are doing.
async fn shut(office: &mut Office<'_>) -> Result<(), Error> {
    settings::update(&mut office.tx, &mut office.organization).await?;
    let reason = EndReason::OrganizationSuspended;
    end_every_session(&mut office.tx, None, reason, &office.occasion).await?;
    let (id, now) = (office.organization_id(), office.occasion.at);
    revocations::record(&mut office.tx, id, &[Revoked::Organization], now).await?;
    Ok(())
}
