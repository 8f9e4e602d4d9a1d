//! Prove an e-mail address with the secret of a link.

use auth::Origin;
use db::SystemTx;
use ids::Actor;

use crate::{
    Error,
    domain::link,
    ops::{Tools, person},
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
    origin: &Origin,
) -> Result<(), Error> {
    let ring = tools.keys.current().await;
    let id = link::link(&ring, secret).ok_or(Error::Link)?;
    let now = tools.db.clock().now();
    let mut tx = SystemTx::begin(&tools.db, "verify an address").await?;
    let user_id = email_links::lock(&mut tx, id, Purpose::VerifyEmail, now)
        .await?
        .ok_or(Error::Link)?;
    if users::verify_email(&mut tx, user_id, now).await? {
        let actor = Actor::User(user_id);
        person::record_everywhere(&mut tx, user_id, &actor, origin, "email.verified").await?;
    }
    tx.commit().await?;
    Ok(())
}
