//! Ask for a link to choose a new password. Nobody learns whether there is an account.

use auth::Origin;
use db::SystemTx;

use super::send_link;
use crate::{
    Error,
    domain::email::EmailKey,
    ops::{
        Tools,
        throttle::{self, Attempt, Guarded},
    },
    store::{email_links::Purpose, people, users},
};

#[tracing::instrument(skip_all)]
pub(crate) async fn request_password_reset(
    tools: &Tools,
    email: &str,
    origin: &Origin,
) -> Result<(), Error> {
    let email = EmailKey::new(email);
    let mut guarded = throttle::around(origin);
    guarded.push(Guarded::Letters(&email));
    // Every request counts, whether there is an account or not.
    Attempt::begin(tools, &guarded).await?;
    let mut tx = SystemTx::begin(&tools.db, "reset a password").await?;
    if let Some(user_id) = people::find_by_email(&mut tx, &email).await? {
        users::lock(&mut tx, user_id).await?;
        send_link(&mut tx, user_id, Purpose::ResetPassword).await?;
    }
    tx.commit().await?;
    Ok(())
}
