//! `quarantined_items`: webhook content that belongs to nobody we know.

use chrono::{DateTime, Utc};
use ids::QuarantineId;
use sqlx::PgConnection;
use uuid::Uuid;

/// Why an item is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Malformed,
    UnknownNumber,
    UnknownAccount,
    /// Signed by a Meta app that is not the channel's.
    WrongApp,
}

impl Reason {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownNumber => "unknown_number",
            Self::UnknownAccount => "unknown_account",
            Self::WrongApp => "wrong_app",
        }
    }
}

/// An item to keep.
#[derive(Debug, Clone)]
pub(crate) struct NewItem {
    pub(crate) id: QuarantineId,
    pub(crate) reason: Reason,
    pub(crate) phone_number_id: Option<String>,
    pub(crate) dedupe_key: String,
    pub(crate) raw: Vec<u8>,
}

/// A kept item.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) id: QuarantineId,
    pub(crate) reason: String,
    pub(crate) phone_number_id: Option<String>,
    pub(crate) raw: Vec<u8>,
    pub(crate) received_at: DateTime<Utc>,
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    items: &[NewItem],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = items.iter().map(|item| item.id.as_uuid()).collect();
    let reasons: Vec<String> = items
        .iter()
        .map(|item| item.reason.as_str().to_owned())
        .collect();
    let numbers: Vec<Option<String>> = items
        .iter()
        .map(|item| item.phone_number_id.clone())
        .collect();
    let keys: Vec<String> = items.iter().map(|item| item.dedupe_key.clone()).collect();
    let raws: Vec<Vec<u8>> = items.iter().map(|item| item.raw.clone()).collect();
    sqlx::query!(
        "insert into messaging.quarantined_items (id, reason, phone_number_id, dedupe_key, raw, received_at)
         select i, r, n, k, b, $6 from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[])
             as q(i, r, n, k, b)
         order by k
         on conflict do nothing",
        &ids,
        &reasons,
        &numbers as &[Option<String>],
        &keys,
        &raws,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Newest first, before `before`.
pub(crate) async fn list(
    conn: &mut PgConnection,
    before: Option<QuarantineId>,
    limit: i64,
) -> sqlx::Result<Vec<Item>> {
    sqlx::query_as!(
        Item,
        r#"select id as "id: QuarantineId", reason, phone_number_id, raw, received_at
           from messaging.quarantined_items where ($1::uuid is null or id < $1) order by id desc limit $2"#,
        before.map(QuarantineId::as_uuid),
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Deletes items received before then; returns how many. Ids are made when an item is received.
pub(crate) async fn delete_before(
    conn: &mut PgConnection,
    before: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<u64> {
    let gone = sqlx::query!(
        "delete from messaging.quarantined_items
         where id in (select id from messaging.quarantined_items where id < $1 order by id limit $2
                      for update skip locked)",
        QuarantineId::min_at(clock::unix_ms(before)).as_uuid(),
        limit,
    )
    .execute(conn)
    .await?;
    Ok(gone.rows_affected())
}
