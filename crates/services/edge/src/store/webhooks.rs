//! The receipts: `edge.webhooks` and `edge.identified_webhooks`.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use db::{DbError, SystemTx};
use ids::EventId;
use uuid::Uuid;

use crate::domain::webhook::Origin;

/// A row: the receipt of an accepted webhook.
#[derive(Debug)]
pub(crate) struct Receipt {
    pub(crate) origin: Origin,
    pub(crate) size_bytes: i32,
    pub(crate) event_id: EventId,
    pub(crate) received_at: DateTime<Utc>,
}

/// Columns of rows.
#[derive(Debug, Default)]
struct Columns<'r> {
    sizes: Vec<i32>,
    events: Vec<Uuid>,
    times: Vec<DateTime<Utc>>,
    /// Of `edge.webhooks`.
    apps: Vec<&'r str>,
    hashes: Vec<&'r [u8]>,
    /// Of `edge.identified_webhooks`.
    sources: Vec<&'static str>,
    delivery_ids: Vec<&'r str>,
}

impl<'r> Columns<'r> {
    fn add(&mut self, receipt: &'r Receipt) {
        self.sizes.push(receipt.size_bytes);
        self.events.push(receipt.event_id.as_uuid());
        self.times.push(receipt.received_at);
    }
}

/// Writes the receipts of what was not received before, and answers their events. Two equal ones in `receipts` count
/// as a repeat too.
///
/// A repeat waits here until the transaction that has the first one ends; tables and rows are written in one order
/// everywhere, so that two transactions can't wait for each other.
///
/// What is answered with 200 must survive a crash of the server, so this transaction's commit is durable even where
/// the server's default is another one.
#[tracing::instrument(name = "db.webhooks.insert", level = "debug", skip_all, fields(db.rows = receipts.len()))]
pub(crate) async fn insert_new(
    tx: &mut SystemTx,
    receipts: &[Receipt],
) -> Result<HashSet<EventId>, DbError> {
    let (mut bodies, mut identified) = (Columns::default(), Columns::default());
    for receipt in receipts {
        match &receipt.origin {
            Origin::WhatsApp { app, body_sha256 } => {
                bodies.apps.push(app);
                bodies.hashes.push(body_sha256);
                bodies.add(receipt);
            }
            Origin::Resend { delivery_id } => {
                identified.sources.push("resend");
                identified.delivery_ids.push(delivery_id);
                identified.add(receipt);
            }
        }
    }
    let mut new = HashSet::with_capacity(receipts.len());
    if !bodies.events.is_empty() {
        new.extend(insert_bodies(tx, &bodies).await?);
    }
    if !identified.events.is_empty() {
        new.extend(insert_identified(tx, &identified).await?);
    }
    Ok(new)
}

async fn insert_bodies(
    tx: &mut SystemTx,
    columns: &Columns<'_>,
) -> Result<impl Iterator<Item = EventId> + use<>, DbError> {
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
        &columns.apps as _,
        &columns.hashes as _,
        &columns.sizes,
        &columns.events,
        &columns.times,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(inserted.into_iter().map(EventId::from_uuid))
}

async fn insert_identified(
    tx: &mut SystemTx,
    columns: &Columns<'_>,
) -> Result<impl Iterator<Item = EventId> + use<>, DbError> {
    let inserted = sqlx::query_scalar!(
        r#"with durable as materialized (
               select case when current_setting('synchronous_commit') in ('off', 'local', 'remote_write')
                           then set_config('synchronous_commit', 'on', true) end
           )
           insert into edge.identified_webhooks (source, delivery_id, size_bytes, event_id, received_at)
           select r.source, r.delivery_id, r.size_bytes, r.event_id, r.received_at
           from durable
           cross join unnest($1::text[], $2::text[], $3::int4[], $4::uuid[], $5::timestamptz[])
               as r (source, delivery_id, size_bytes, event_id, received_at)
           order by r.source, r.delivery_id
           on conflict (source, delivery_id) do nothing
           returning event_id"#,
        &columns.sources as _,
        &columns.delivery_ids as _,
        &columns.sizes,
        &columns.events,
        &columns.times,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(inserted.into_iter().map(EventId::from_uuid))
}

/// Deletes receipts older than `before`, at most `limit` of each table, and answers how many went.
#[tracing::instrument(name = "db.webhooks.delete", level = "debug", skip_all)]
pub(crate) async fn delete_before(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<u64, DbError> {
    let bodies = sqlx::query!(
        "delete from edge.webhooks
         where ctid = any(array(select ctid from edge.webhooks where received_at < $1 limit $2))",
        before,
        limit,
    )
    .execute(tx.conn())
    .await?;
    let identified = sqlx::query!(
        "delete from edge.identified_webhooks
         where ctid = any(array(select ctid from edge.identified_webhooks where received_at < $1 limit $2))",
        before,
        limit,
    )
    .execute(tx.conn())
    .await?;
    Ok(bodies.rows_affected() + identified.rows_affected())
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
            drop(tx);
            let body = Origin::WhatsApp {
                app: "a".into(),
                body_sha256: [0; 32],
            };
            let identified = Origin::Resend {
                delivery_id: "msg_1".into(),
            };
            for origin in [body, identified] {
                let receipt = Receipt {
                    origin,
                    size_bytes: 0,
                    event_id: EventId::generate(),
                    received_at: Clock::system().now(),
                };
                let mut tx = SystemTx::begin(&db, "test").await.expect("begin");
                insert_new(&mut tx, &[receipt]).await.expect("insert");
                assert_eq!(synchronous_commit(tx.conn()).await, expected);
            }
            db.close().await;
        }
        admin.close().await.expect("goodbye");
    }
}
