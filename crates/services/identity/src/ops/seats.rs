//! How many people an organization may have.

use chrono::{DateTime, Utc};
use db::AsTx;
use ids::OrganizationId;

use crate::{Error, PeopleError, store::roster};

/// Refuses when the organization has no room for `more` people. Active members and invitations that may still be
/// accepted take a seat each. `max` is the setting `seats.max`, which billing's entitlement of the plan replaces once
/// there is one; `None` is without limit. Exact while the organization is locked.
pub(crate) async fn refuse_full(
    tx: &mut impl AsTx,
    max: Option<u32>,
    organization_id: OrganizationId,
    more: u32,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let Some(max) = max else {
        return Ok(());
    };
    let taken = roster::count_seats(tx, organization_id, now).await?;
    if taken + i64::from(more) > i64::from(max) {
        return Err(PeopleError::NoSeat.into());
    }
    Ok(())
}
