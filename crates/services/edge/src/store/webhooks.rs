//! The table `edge.webhooks`.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use db::{DbError, SystemTx};
use ids::EventId;
use uuid::Uuid;

/// A row: the receipt of an accepted webhook.
#[derive(Debug)]
pub(crate) struct Receipt {
    pub(crate) app: std::sync::Arc<str>,
    pub(crate) body_sha256: [u8; 32],
    pub(crate) size_bytes: i32,
    pub(crate) event_id: EventId,
    pub(crate) received_at: DateTime<Utc>,
}

/// Writes the receipts of bodies that were not received before, and answers their events. Two equal ones in
/// `receipts` count as a repeat too.
///
/// A repeat waits here until the transaction that has the first one ends; rows are written in one order everywhere, so
/// that two transactions can't wait for each other.
///
/// What is answered with 200 must survive a crash of the server, so this transaction's commit is durable even where
/// the server's default is another one.
#[tracing::instrument(name = "db.webhooks.insert", level = "debug", skip_all, fields(db.rows = receipts.len()))]
pub(crate) async fn insert_new(
    tx: &mut SystemTx,
    receipts: &[Receipt],
) -> Result<HashSet<EventId>, DbError> {
    let apps: Vec<&str> = receipts.iter().map(|receipt| &*receipt.app).collect();
    let hashes: Vec<&[u8]> = receipts
        .iter()
        .map(|receipt| receipt.body_sha256.as_slice())
        .collect();
    let sizes: Vec<i32> = receipts.iter().map(|receipt| receipt.size_bytes).collect();
    let events: Vec<Uuid> = receipts
        .iter()
        .map(|receipt| receipt.event_id.as_uuid())
        .collect();
    let times: Vec<DateTime<Utc>> = receipts.iter().map(|receipt| receipt.received_at).collect();
    let inserted = sqlx::query_scalar!(
        r#"with durable as materialized (
               select case when current_setting('synchronous_commit') in ('off', 'local', 'remote_write')
                           then set_config('synchronous_commit', 'on', true) end
           )
           insert into edge.webhooks (app, body_sha256, size_bytes, event_id, received_at)
           select r.app, r.body_sha256, r.size_bytes, r.event_id, r.received_at
           from durable
           cross join unnest($1::text[], $2::bytea[], $3::int4[], $4::uuid[], $5::timestamptz[])
               as r (app, body_sha256, size_bytes, event_id, received_at)
           order by r.app, r.body_sha256
           on conflict (app, body_sha256) do nothing
           returning event_id"#,
        &apps as _,
        &hashes as _,
        &sizes,
        &events,
        &times,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(inserted.into_iter().map(EventId::from_uuid).collect())
}

/// Deletes receipts older than `before`, at most `limit`, and answers how many went.
#[tracing::instrument(name = "db.webhooks.delete", level = "debug", skip_all)]
pub(crate) async fn delete_before(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<u64, DbError> {
    let gone = sqlx::query!(
        "delete from edge.webhooks
         where ctid = any(array(select ctid from edge.webhooks where received_at < $1 limit $2))",
        before,
        limit,
    )
    .execute(tx.conn())
    .await?;
    Ok(gone.rows_affected())
}

#[cfg(test)]
mod tests {
    use clock::Clock;
    use sqlx::{Connection, PgConnection};
    use testkit::TestDb;

    use super::*;

    async fn synchronous_commit(connection: &mut PgConnection) -> String {
        sqlx::query_scalar("select current_setting('synchronous_commit')")
            .fetch_one(connection)
            .await
            .expect("the setting")
    }

    #[tokio::test]
    async fn the_commit_is_durable_whatever_the_default_of_the_server() {
        let database = TestDb::new("edge", &[("edge", &crate::MIGRATOR)]).await;
        let mut admin = database.admin().await;
        for (default, expected) in [
            ("off", "on"),
            ("local", "on"),
            ("on", "on"),
            ("remote_apply", "remote_apply"),
        ] {
            let name: String = sqlx::query_scalar("select current_database()")
                .fetch_one(&mut admin)
                .await
                .expect("a name");
            let set = format!("alter database {name} set synchronous_commit = {default}");
            sqlx::raw_sql(sqlx::AssertSqlSafe(set))
                .execute(&mut admin)
                .await
                .expect("the default");
            let db = database.db("edge").await;
            let mut tx = SystemTx::begin(&db, "test").await.expect("begin");
            assert_eq!(synchronous_commit(tx.conn()).await, default);
            let receipt = Receipt {
                app: "a".into(),
                body_sha256: [0; 32],
                size_bytes: 0,
                event_id: EventId::generate(),
                received_at: Clock::system().now(),
            };
            insert_new(&mut tx, &[receipt]).await.expect("insert");
            assert_eq!(synchronous_commit(tx.conn()).await, expected);
            drop(tx);
            db.close().await;
        }
        admin.close().await.expect("goodbye");
    }
}
