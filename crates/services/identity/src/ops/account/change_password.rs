//! Change the own password. The caller has just proved who it is.

use auth::RequestContext;
use db::SystemTx;
use secrecy::SecretString;

use crate::{
    Error,
    ops::{Tools, person},
    store::users,
};

#[tracing::instrument(skip_all)]
pub(crate) async fn change_password(
    tools: &Tools,
    caller: &RequestContext,
    password: SecretString,
) -> Result<(), Error> {
    let me = person::caller(caller)?;
    let mut tx = SystemTx::begin(&tools.db, "change a password").await?;
    let user = users::lock(&mut tx, me.user_id)
        .await?
        .ok_or(Error::NotMember)?;
    let context = person::context(&mut tx, &user).await?;
    tx.commit().await?;

    let hash = tools.passwords.hash_chosen(password, context).await?;

    let mut tx = SystemTx::begin(&tools.db, "change a password").await?;
    let by = me.changes(&caller.origin);
    by.grounds.lock(&mut tx, me.user_id).await?;
    person::set_password(&mut tx, &by, &hash).await?;
    tx.commit().await?;
    Ok(())
}
