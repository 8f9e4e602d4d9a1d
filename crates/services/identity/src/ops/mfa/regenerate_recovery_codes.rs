//! Make new recovery codes.

use auth::RequestContext;
use db::SystemTx;
use secrecy::SecretString;

use super::{find_confirmed, replace_recovery_codes};
use crate::{
    Error,
    ops::{Tools, person},
};

#[tracing::instrument(skip_all)]
pub(crate) async fn regenerate_recovery_codes(
    tools: &Tools,
    caller: &RequestContext,
) -> Result<Vec<SecretString>, Error> {
    let me = person::caller(caller)?;
    let (_, secret) = find_confirmed(tools, me.user_id).await?;
    let mut tx = SystemTx::begin(&tools.db, "make recovery codes").await?;
    let by = me.changes(&caller.origin);
    by.grounds.lock(&mut tx, me.user_id).await?;
    let codes = replace_recovery_codes(&mut tx, me.user_id, &secret).await?;
    let (actor, action) = (&me.scope.actor, "mfa.recovery_codes_regenerated");
    person::record_everywhere(&mut tx, me.user_id, actor, &caller.origin, action).await?;
    tx.commit().await?;
    Ok(codes)
}
