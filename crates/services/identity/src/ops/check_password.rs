//! Check the password of a person who is known.

use chrono::{DateTime, Utc};
use db::SystemTx;
use ids::UserId;
use secrecy::SecretString;

use super::{
    Tools,
    throttle::{Attempt, Guarded},
};
use crate::{Error, store::passwords};

/// Since when the person has this password. `guarded` says whose guesses are counted.
///
/// # Errors
/// [`Error::Credentials`], [`Error::Throttled`], [`Error::Busy`].
pub(super) async fn check_password(
    tools: &Tools,
    user_id: UserId,
    password: SecretString,
    guarded: &[Guarded<'_>],
) -> Result<DateTime<Utc>, Error> {
    let attempt = Attempt::begin(tools, guarded).await?;
    let mut tx = SystemTx::begin(&tools.db, "confirm a password").await?;
    let stored = passwords::find(&mut tx, user_id).await?;
    tx.commit().await?;
    let (hash, changed_at) = stored
        .map(|stored| (stored.hash, stored.changed_at))
        .unzip();
    match (tools.passwords.verify(password, hash).await, changed_at) {
        (Ok(verdict), Some(changed_at)) if verdict.is_right() => {
            attempt.succeed(tools).await?;
            Ok(changed_at)
        }
        (Ok(_), _) => Err(Error::Credentials),
        (Err(error), _) => {
            attempt.withdraw(tools).await?;
            Err(error)
        }
    }
}
