//! The second factor: an authenticator app, and recovery codes for whoever lost it.

pub(crate) mod confirm_totp;
pub(crate) mod disable_totp;
pub(crate) mod get_mfa;
pub(crate) mod regenerate_recovery_codes;
pub(crate) mod start_totp;

use auth::Origin;
use chrono::{DateTime, Utc};
use db::{DataKeys, SystemTx};
use ids::{Actor, UserId};
use secrecy::{ExposeSecret, SecretString};
use vault::{Owner, Place, Purpose};

use super::{
    Tools,
    grounds::Grounds,
    person,
    throttle::{Attempt, Guarded},
};
use crate::{
    Error,
    domain::{
        session::{EndReason, Method},
        totp::{self, TotpSecret},
    },
    mail::{self, Letter},
    store::factors::{self, Factor},
};

pub(crate) use start_totp::{Setup, start};

const PURPOSE: Purpose = Purpose::new("totp");

/// Who changes the factors, and from where.
#[derive(Debug)]
pub(crate) struct By<'a> {
    pub(crate) user_id: UserId,
    /// They must still hold. A session among them goes on.
    pub(crate) grounds: Grounds,
    pub(crate) actor: Actor,
    pub(crate) origin: &'a Origin,
}

fn place(user_id: UserId) -> Place {
    Place::new(Owner::Platform, PURPOSE, "totp_factors", "secret", user_id)
}

/// The person's app with its secret.
async fn find(tools: &Tools, user_id: UserId) -> Result<Option<(Factor, TotpSecret)>, Error> {
    let mut tx = SystemTx::begin(&tools.db, "check a code").await?;
    let factor = factors::find(&mut tx, user_id).await?;
    tx.commit().await?;
    let Some(factor) = factor else {
        return Ok(None);
    };
    let store = DataKeys::of_platform(&tools.db);
    let secret = tools
        .vault
        .open(&store, &place(user_id), &factor.secret)
        .await?;
    let secret = TotpSecret::from_bytes(&secret)
        .ok_or_else(|| db::DbError::inconsistent("totp_factors", "secret", user_id))?;
    Ok(Some((factor, secret)))
}

/// The app that protects the account.
async fn find_confirmed(tools: &Tools, user_id: UserId) -> Result<(Factor, TotpSecret), Error> {
    find(tools, user_id)
        .await?
        .filter(|(factor, _)| factor.confirmed_at.is_some())
        .ok_or(Error::MfaMissing)
}

/// Whether an app protects the account.
pub(super) async fn is_active(tools: &Tools, user_id: UserId) -> Result<bool, Error> {
    let mut tx = SystemTx::begin(&tools.db, "look for a factor").await?;
    let factor = factors::find(&mut tx, user_id).await?;
    tx.commit().await?;
    Ok(factor.is_some_and(|factor| factor.confirmed_at.is_some()))
}

/// What a person has besides the password.
pub(crate) enum Proof {
    Totp(String),
    RecoveryCode(String),
}

/// Uses up a code, of the app or one for whoever lost it.
///
/// # Errors
/// [`Error::SecondFactor`] for a wrong or used one, [`Error::Throttled`], [`Error::MfaMissing`].
pub(super) async fn check(tools: &Tools, user_id: UserId, proof: Proof) -> Result<Method, Error> {
    Ok(match proof {
        Proof::Totp(code) => {
            check_totp(tools, user_id, &code).await?;
            Method::Totp
        }
        Proof::RecoveryCode(code) => {
            check_recovery_code(tools, user_id, &code).await?;
            Method::RecoveryCode
        }
    })
}

async fn check_totp(tools: &Tools, user_id: UserId, code: &str) -> Result<(), Error> {
    let (factor, secret) = find_confirmed(tools, user_id).await?;
    use_code(tools, user_id, &factor, &secret, code).await
}

async fn use_code(
    tools: &Tools,
    user_id: UserId,
    factor: &Factor,
    secret: &TotpSecret,
    code: &str,
) -> Result<(), Error> {
    let attempt = Attempt::begin(tools, &[Guarded::Totp(user_id)]).await?;
    let step = secret
        .accept(code, tools.db.clock().now(), factor.last_step)
        .ok_or(Error::SecondFactor)?;
    let mut tx = SystemTx::begin(&tools.db, "use a code").await?;
    let first = factors::accept(&mut tx, user_id, factor, step).await?;
    tx.commit().await?;
    if !first {
        // Somebody else was faster with the same code.
        return Err(Error::SecondFactor);
    }
    attempt.succeed(tools).await
}

async fn check_recovery_code(tools: &Tools, user_id: UserId, code: &str) -> Result<(), Error> {
    let (_, secret) = find_confirmed(tools, user_id).await?;
    let attempt = Attempt::begin(tools, &[Guarded::RecoveryCode(user_id)]).await?;
    let (hash, now) = (secret.recovery_hash(code), tools.db.clock().now());
    let mut tx = SystemTx::begin(&tools.db, "use a recovery code").await?;
    let used = factors::use_recovery_code(&mut tx, user_id, &hash, now).await?;
    tx.commit().await?;
    if !used {
        return Err(Error::SecondFactor);
    }
    attempt.succeed(tools).await
}

/// New recovery codes instead of any others.
async fn replace_recovery_codes(
    tx: &mut SystemTx,
    user_id: UserId,
    secret: &TotpSecret,
) -> Result<Vec<SecretString>, Error> {
    let codes = totp::recovery_codes();
    let hashes: Vec<Vec<u8>> = codes
        .iter()
        .map(|code| secret.recovery_hash(code.expose_secret()).to_vec())
        .collect();
    factors::replace_recovery_codes(tx, user_id, &hashes).await?;
    Ok(codes)
}

/// From now on the app that was begun protects the account; since when, and the recovery codes. Other sessions end: they
/// were begun with less.
pub(super) async fn confirm(
    tools: &Tools,
    by: &By<'_>,
    code: &str,
) -> Result<(DateTime<Utc>, Vec<SecretString>), Error> {
    let user_id = by.user_id;
    let (factor, secret) = find(tools, user_id).await?.ok_or(Error::MfaMissing)?;
    if factor.confirmed_at.is_some() {
        return Err(Error::MfaActive);
    }
    use_code(tools, user_id, &factor, &secret, code).await?;
    let now = tools.db.clock().now();
    let mut tx = SystemTx::begin(&tools.db, "confirm a factor").await?;
    by.grounds.lock(&mut tx, user_id).await?;
    let confirmed_at = factors::confirm(&mut tx, user_id, &factor, now)
        .await?
        .ok_or(Error::MfaActive)?;
    let codes = replace_recovery_codes(&mut tx, user_id, &secret).await?;
    changed(&mut tx, by, "mfa.enabled").await?;
    mail::queue(&mut tx, &[Letter::MfaEnabled { user_id }]).await?;
    tx.commit().await?;
    Ok((confirmed_at, codes))
}

/// What follows every change of factors.
async fn changed(tx: &mut SystemTx, by: &By<'_>, action: &'static str) -> Result<(), Error> {
    let (kept, reason) = (by.grounds.session(), EndReason::FactorsChanged);
    person::end_sessions_everywhere(tx, by.user_id, kept, reason, &by.actor).await?;
    person::record_everywhere(tx, by.user_id, &by.actor, by.origin, action).await
}
