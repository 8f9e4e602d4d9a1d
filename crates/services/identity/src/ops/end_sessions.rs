//! End many sessions at once.

use auth::Revoked;
use db::AsTx;
use ids::UserId;

use crate::{
    Error,
    domain::session::EndReason,
    events::{self, Occasion},
    store::{revocations, sessions},
};

/// Ends every session of one member, or of the organization, in the caller's transaction: no refresh, no token of theirs
/// is accepted from now on, and whoever cares is told.
pub(crate) async fn end_every_session(
    tx: &mut impl AsTx,
    of: Option<UserId>,
    reason: EndReason,
    occasion: &Occasion,
) -> Result<(), Error> {
    let ended = sessions::end_every(tx, occasion.organization_id, of, reason, occasion.at).await?;
    events::sessions_ended(tx, occasion, &ended, reason).await?;
    let void: Vec<Revoked> = ended.iter().map(|(id, _)| Revoked::Session(*id)).collect();
    revocations::record(tx, occasion.organization_id, &void, occasion.at).await?;
    Ok(())
}
