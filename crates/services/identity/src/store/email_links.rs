//! Links that were sent by e-mail.

use chrono::{DateTime, Utc};
use db::{DbError, SystemTx};
use ids::{LinkId, UserId};

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    ResetPassword,
    VerifyEmail,
}

impl Purpose {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ResetPassword => "reset_password",
            Self::VerifyEmail => "verify_email",
        }
    }
}

/// A link that is still good.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) id: LinkId,
    pub(crate) user_id: UserId,
    pub(crate) expires_at: DateTime<Utc>,
}

/// A new link to the person's present address. Earlier ones of the purpose are void from now on.
#[tracing::instrument(name = "db.email_links.insert", skip_all)]
pub(crate) async fn replace(
    tx: &mut SystemTx,
    link: &Link,
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    close(tx, link.user_id, purpose, now).await?;
    sqlx::query!(
        "insert into identity.email_links (id, user_id, purpose, email_key, created_at, expires_at)
         select $1, u.id, $3, u.email_key, $4, $5 from identity.users u where u.id = $2",
        link.id.as_uuid(),
        link.user_id.as_uuid(),
        purpose.as_str(),
        now,
        link.expires_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The link, locked behind its person, if it can still be used: not used or replaced, not expired, and the person still has
/// the address that it was sent to.
#[tracing::instrument(name = "db.email_links.lock", skip_all)]
pub(crate) async fn lock(
    tx: &mut SystemTx,
    id: LinkId,
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<Option<UserId>, DbError> {
    let user_id = sqlx::query_scalar!(
        r#"select u.id as "id: UserId"
           from identity.email_links l join identity.users u on u.id = l.user_id and u.email_key = l.email_key
           where l.id = $1 and l.purpose = $2 and l.closed_at is null and l.expires_at > $3
           for update of u for update of l"#,
        id.as_uuid(),
        purpose.as_str(),
        now,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(user_id)
}

/// Makes the person's links of a purpose void.
#[tracing::instrument(name = "db.email_links.close", skip_all)]
pub(crate) async fn close(
    tx: &mut SystemTx,
    user_id: UserId,
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "update identity.email_links set closed_at = $3 where user_id = $1 and purpose = $2 and closed_at is null",
        user_id.as_uuid(),
        purpose.as_str(),
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Deletes up to `batch` links that expired before `before`; how many.
#[tracing::instrument(name = "db.email_links.sweep", skip_all)]
pub(crate) async fn sweep(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    batch: i64,
) -> Result<u64, DbError> {
    let swept = sqlx::query!(
        "delete from identity.email_links where ctid = any(array(
             select ctid from identity.email_links where expires_at < $1 order by expires_at limit $2))",
        before,
        batch,
    )
    .execute(tx.conn())
    .await?;
    Ok(swept.rows_affected())
}
