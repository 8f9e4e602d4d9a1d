//! Authenticator apps and recovery codes.

use chrono::{DateTime, Utc};
use db::{DbError, SystemTx};
use ids::UserId;
use uuid::Uuid;

/// An authenticator app.
pub(crate) struct Factor {
    /// Sealed.
    pub(crate) secret: Vec<u8>,
    pub(crate) confirmed_at: Option<DateTime<Utc>>,
    pub(crate) last_step: Option<i64>,
}

#[tracing::instrument(name = "db.totp_factors.select", skip_all)]
pub(crate) async fn find(tx: &mut SystemTx, user_id: UserId) -> Result<Option<Factor>, DbError> {
    let factor = sqlx::query_as!(
        Factor,
        "select secret, confirmed_at, last_step from identity.totp_factors where user_id = $1",
        user_id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(factor)
}

/// Whether an app protects the account of one of these people.
#[tracing::instrument(name = "db.totp_factors.select", skip_all)]
pub(crate) async fn protects_any(tx: &mut SystemTx, people: &[UserId]) -> Result<bool, DbError> {
    let people: Vec<Uuid> = people.iter().map(|id| id.as_uuid()).collect();
    let protects = sqlx::query_scalar!(
        r#"select exists (select from identity.totp_factors
               where user_id = any($1) and confirmed_at is not null) as "protects!""#,
        &people,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(protects)
}

/// Whether without this person's app an organization that requires single sign-on has no owner left who gets in when its
/// provider is broken.
#[tracing::instrument(name = "db.totp_factors.select", skip_all)]
pub(crate) async fn is_last_break_glass(
    tx: &mut SystemTx,
    user_id: UserId,
) -> Result<bool, DbError> {
    let is_last = sqlx::query_scalar!(
        r#"select exists (
               select from identity.memberships m
               join identity.organizations o on o.organization_id = m.organization_id
               where m.user_id = $1 and m.role = 'owner' and m.state = 'active' and o.sso_required and not exists (
                   select from identity.memberships other
                   join identity.totp_factors f on f.user_id = other.user_id and f.confirmed_at is not null
                   where other.organization_id = m.organization_id and other.role = 'owner' and other.state = 'active'
                     and other.user_id <> $1)) as "is_last!""#,
        user_id.as_uuid(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(is_last)
}

/// Begins to set one up, instead of one that was begun and not confirmed. False when there is a confirmed one, which
/// stays.
#[tracing::instrument(name = "db.totp_factors.insert", skip_all)]
pub(crate) async fn begin(
    tx: &mut SystemTx,
    user_id: UserId,
    secret: &[u8],
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let begun = sqlx::query!(
        "insert into identity.totp_factors (user_id, secret, created_at) values ($1, $2, $3)
         on conflict (user_id) do update set secret = excluded.secret, created_at = excluded.created_at
         where totp_factors.confirmed_at is null",
        user_id.as_uuid(),
        secret,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(begun.rows_affected() == 1)
}

/// Takes note that a code of this step was accepted. False when that or a later one was accepted meanwhile, or the app is
/// another one now.
#[tracing::instrument(name = "db.totp_factors.accept", skip_all)]
pub(crate) async fn accept(
    tx: &mut SystemTx,
    user_id: UserId,
    factor: &Factor,
    step: i64,
) -> Result<bool, DbError> {
    let accepted = sqlx::query!(
        "update identity.totp_factors set last_step = $3
         where user_id = $1 and secret = $2 and (last_step is null or last_step < $3)",
        user_id.as_uuid(),
        factor.secret,
        step,
    )
    .execute(tx.conn())
    .await?;
    Ok(accepted.rows_affected() == 1)
}

/// From now on the app protects the account; since when. `None` when one did already, or another one was begun meanwhile.
#[tracing::instrument(name = "db.totp_factors.confirm", skip_all)]
pub(crate) async fn confirm(
    tx: &mut SystemTx,
    user_id: UserId,
    factor: &Factor,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, DbError> {
    let confirmed_at = sqlx::query_scalar!(
        r#"update identity.totp_factors set confirmed_at = $3
           where user_id = $1 and secret = $2 and confirmed_at is null
           returning confirmed_at as "confirmed_at!""#,
        user_id.as_uuid(),
        factor.secret,
        now,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(confirmed_at)
}

/// Removes the app and the recovery codes. False when there was no app.
#[tracing::instrument(name = "db.totp_factors.delete", skip_all)]
pub(crate) async fn delete(tx: &mut SystemTx, user_id: UserId) -> Result<bool, DbError> {
    sqlx::query!(
        "delete from identity.recovery_codes where user_id = $1",
        user_id.as_uuid()
    )
    .execute(tx.conn())
    .await?;
    let deleted = sqlx::query!(
        "delete from identity.totp_factors where user_id = $1",
        user_id.as_uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(deleted.rows_affected() == 1)
}

/// These recovery codes instead of any others.
#[tracing::instrument(name = "db.recovery_codes.replace", skip_all)]
pub(crate) async fn replace_recovery_codes(
    tx: &mut SystemTx,
    user_id: UserId,
    hashes: &[Vec<u8>],
) -> Result<(), DbError> {
    sqlx::query!(
        "delete from identity.recovery_codes where user_id = $1",
        user_id.as_uuid()
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into identity.recovery_codes (user_id, number, hash)
         select $1, c.number::smallint, c.hash from unnest($2::bytea[]) with ordinality as c(hash, number)",
        user_id.as_uuid(),
        hashes,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Uses a recovery code up. False when the person has none with this hash, or not any more.
#[tracing::instrument(name = "db.recovery_codes.use", skip_all)]
pub(crate) async fn use_recovery_code(
    tx: &mut SystemTx,
    user_id: UserId,
    hash: &[u8],
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let used = sqlx::query!(
        "update identity.recovery_codes set used_at = $3 where user_id = $1 and hash = $2 and used_at is null",
        user_id.as_uuid(),
        hash,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(used.rows_affected() == 1)
}

#[tracing::instrument(name = "db.recovery_codes.count", skip_all)]
pub(crate) async fn count_recovery_codes(
    tx: &mut SystemTx,
    user_id: UserId,
) -> Result<u32, DbError> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from identity.recovery_codes where user_id = $1 and used_at is null"#,
        user_id.as_uuid(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}
