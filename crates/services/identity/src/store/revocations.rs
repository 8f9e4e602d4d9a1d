//! Access that ended before its tokens expire.

use auth::{Revocation, Revoked};
use chrono::{DateTime, Utc};
use db::{AsTx, DbError, SystemTx};
use ids::OrganizationId;
use uuid::Uuid;

/// Makes every token void that was issued to the subject until `now`.
#[tracing::instrument(name = "db.revocations.record", skip_all)]
pub(crate) async fn record(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    revoked: &[Revoked],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let kinds: Vec<String> = revoked.iter().map(|one| one.kind().to_owned()).collect();
    let subjects: Vec<Uuid> = revoked.iter().map(Revoked::subject).collect();
    sqlx::query!(
        "insert into identity.revocations (organization_id, kind, subject, issued_until, recorded_at)
         select $1, r.kind, r.subject, $4, $4 from unnest($2::text[], $3::uuid[]) as r(kind, subject)
         order by r.kind, r.subject
         on conflict (organization_id, kind, subject) do update set
             issued_until = greatest(revocations.issued_until, excluded.issued_until),
             recorded_at = greatest(revocations.recorded_at, excluded.recorded_at)",
        organization_id.as_uuid(),
        &kinds,
        &subjects,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What was recorded at `since` or later.
#[tracing::instrument(name = "db.revocations.list", skip_all)]
pub(crate) async fn list_since(
    tx: &mut SystemTx,
    since: DateTime<Utc>,
) -> Result<Vec<Revocation>, DbError> {
    let rows = sqlx::query!(
        r#"select organization_id as "organization_id: OrganizationId", kind, subject, issued_until
           from identity.revocations where recorded_at >= $1"#,
        since,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(Revocation {
                organization_id: row.organization_id,
                revoked: Revoked::from_parts(&row.kind, row.subject)?,
                issued_until: row.issued_until,
            })
        })
        .collect())
}

/// Deletes those that nobody has a token for any more; how many.
#[tracing::instrument(name = "db.revocations.sweep", skip_all)]
pub(crate) async fn sweep(tx: &mut SystemTx, before: DateTime<Utc>) -> Result<u64, DbError> {
    let swept = sqlx::query!(
        "delete from identity.revocations where recorded_at < $1",
        before
    )
    .execute(tx.conn())
    .await?;
    Ok(swept.rows_affected())
}
