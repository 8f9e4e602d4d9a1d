//! Prove an e-mail address with the secret of a link and the password.
//!
//! The link alone would not do: whoever gets a letter because somebody else signed up with the address, and follows the
//! link, would vouch for an account whose password that other one knows.

use auth::Origin;
use db::SystemTx;
use ids::Actor;
use secrecy::SecretString;

use crate::{
    Error,
    domain::{email::EmailKey, link},
    mail,
    ops::{
        Tools,
        check_password::check_password,
        person,
        throttle::{self, Guarded},
    },
    store::{
        email_links::{self, Purpose},
        users,
    },
};

/// The link stays good for its day: it proves nothing else, and a repeated request must not look like a failure.
#[tracing::instrument(skip_all)]
pub(crate) async fn verify_email(
    tools: &Tools,
    secret: &str,
    password: SecretString,
    origin: &Origin,
) -> Result<(), Error> {
    let ring = tools.keys.current().await;
    let id = link::link(&ring, secret).ok_or(Error::Link)?;
    let mut tx = SystemTx::begin(&tools.db, "verify an address").await?;
    let now = tools.db.clock().now();
    let user_id = email_links::lock(&mut tx, id, Purpose::VerifyEmail, now).await?;
    let user_id = user_id.ok_or(Error::Link)?;
    let user = users::lock(&mut tx, user_id).await?.ok_or(Error::Link)?;
    tx.commit().await?;

    // As at a login, whose password it is.
    let email = EmailKey::new(&user.email);
    let mut guarded = throttle::around(origin);
    guarded.push(Guarded::Account(&email));
    let changed_at = check_password(tools, user_id, password, &guarded).await?;

    let mut tx = SystemTx::begin(&tools.db, "verify an address").await?;
    let now = tools.db.clock().now();
    // Once more: meanwhile it may have been replaced, and the password, too.
    let still = email_links::lock(&mut tx, id, Purpose::VerifyEmail, now).await?;
    still.ok_or(Error::Link)?;
    let present = users::find_credentials(&mut tx, user_id).await?;
    if present.is_none_or(|present| present.password_changed_at != changed_at) {
        return Err(Error::Credentials);
    }
    if users::verify_email(&mut tx, user_id, now).await? {
        let actor = Actor::User(user_id);
        person::record_everywhere(&mut tx, user_id, &actor, origin, "email.verified").await?;
    }
    mail::proved(tools, &mut tx, &email, now).await?;
    tx.commit().await?;
    Ok(())
}
