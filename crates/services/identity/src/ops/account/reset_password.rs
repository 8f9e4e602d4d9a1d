//! Choose a new password with the secret of a link.

use auth::Origin;
use db::SystemTx;
use ids::{Actor, UserId};
use secrecy::SecretString;

use crate::{
    Error,
    domain::{email::EmailKey, link},
    mail,
    ops::{
        Tools,
        claim::claim,
        grounds::Grounds,
        mfa::By,
        person,
        throttle::{self, Guarded},
    },
    store::{
        email_links::{self, Purpose},
        users::{self, User},
    },
};

#[tracing::instrument(skip_all)]
pub(crate) async fn reset_password(
    tools: &Tools,
    secret: &str,
    password: SecretString,
    origin: &Origin,
) -> Result<(), Error> {
    let ring = tools.keys.current().await;
    let id = link::link(&ring, secret).ok_or(Error::Link)?;
    let mut tx = SystemTx::begin(&tools.db, "reset a password").await?;
    let now = tools.db.clock().now();
    let find = email_links::lock(&mut tx, id, Purpose::ResetPassword, now).await?;
    let user = lock_user(&mut tx, find).await?;
    let context = person::context(&mut tx, &user).await?;
    tx.commit().await?;

    let hash = tools.passwords.hash_chosen(password, context).await?;

    let mut tx = SystemTx::begin(&tools.db, "reset a password").await?;
    let now = tools.db.clock().now();
    // Once more: meanwhile it may have been used, or replaced.
    let find = email_links::lock(&mut tx, id, Purpose::ResetPassword, now).await?;
    let user = lock_user(&mut tx, find).await?;
    let by = By {
        user_id: user.id,
        grounds: Grounds::Link,
        actor: Actor::User(user.id),
        origin,
    };
    // Whoever has the link reads the address. If nobody did before, the account's maker may be somebody else.
    if !users::is_verified(&mut tx, user.id).await? {
        claim(&mut tx, user.id, None, &by.actor, origin).await?;
    }
    // Closes the link, too.
    person::set_password(&mut tx, &by, &hash).await?;
    let email = EmailKey::new(&user.email);
    mail::proved(tools, &mut tx, &email, now).await?;
    throttle::forgive(tools, &mut tx, Guarded::Account(&email)).await?;
    tx.commit().await?;
    Ok(())
}

async fn lock_user(tx: &mut SystemTx, user_id: Option<UserId>) -> Result<User, Error> {
    let user_id = user_id.ok_or(Error::Link)?;
    users::lock(tx, user_id).await?.ok_or(Error::Link)
}
