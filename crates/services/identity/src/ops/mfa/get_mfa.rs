//! Tell whether a second factor protects the account.

use auth::RequestContext;
use chrono::{DateTime, Utc};
use db::SystemTx;

use crate::{
    Error,
    ops::{Tools, person},
    store::factors,
};

#[derive(Debug)]
pub(crate) struct Mfa {
    /// `None` while nothing protects the account.
    pub(crate) enabled_at: Option<DateTime<Utc>>,
    pub(crate) recovery_codes_left: u32,
}

#[tracing::instrument(skip_all)]
pub(crate) async fn get_mfa(tools: &Tools, caller: &RequestContext) -> Result<Mfa, Error> {
    let me = person::caller(caller)?;
    let mut tx = SystemTx::begin(&tools.db, "look for a factor").await?;
    let factor = factors::find(&mut tx, me.user_id).await?;
    let recovery_codes_left = factors::count_recovery_codes(&mut tx, me.user_id).await?;
    tx.commit().await?;
    Ok(Mfa {
        enabled_at: factor.and_then(|factor| factor.confirmed_at),
        recovery_codes_left,
    })
}
