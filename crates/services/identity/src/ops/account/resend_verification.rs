//! Send the link that proves the address again.

use auth::RequestContext;
use db::SystemTx;

use super::send_link;
use crate::{
    Error,
    domain::email::EmailKey,
    ops::{
        Tools, person,
        throttle::{Attempt, Guarded},
    },
    store::{email_links::Purpose, users},
};

#[tracing::instrument(skip_all)]
pub(crate) async fn resend_verification(
    tools: &Tools,
    caller: &RequestContext,
) -> Result<(), Error> {
    let me = person::caller(caller)?;
    let mut tx = SystemTx::begin(&tools.db, "verify an address").await?;
    let user = users::lock(&mut tx, me.user_id).await?;
    let verified = users::is_verified(&mut tx, me.user_id).await?;
    tx.commit().await?;
    let user = user.ok_or(Error::NotMember)?;
    if verified {
        // What the caller wants.
        return Ok(());
    }
    Attempt::begin(tools, &[Guarded::Letters(&EmailKey::new(&user.email))]).await?;
    let mut tx = SystemTx::begin(&tools.db, "verify an address").await?;
    users::lock(&mut tx, me.user_id).await?;
    send_link(&mut tx, me.user_id, Purpose::VerifyEmail).await?;
    tx.commit().await?;
    Ok(())
}
