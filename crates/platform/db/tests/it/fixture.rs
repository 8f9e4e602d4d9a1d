//! Two small services.

use std::time::Duration;

use chrono::{DateTime, Utc};
use clock::{Clock, Hand};
use db::{
    AsTx, Db, DbError, SystemTx, TenantTx,
    outbox::{self, Event, OutboxHeaders},
};
use ids::{EventId, OrganizationId, TenantScope};
use sqlx::{
    AssertSqlSafe, SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};
use testkit::TestDb;

pub(crate) const A: &str = "dbtest_a";
pub(crate) const B: &str = "dbtest_b";

/// Longer than anything here takes, even on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) fn migrator(schema: &'static str) -> Migrator {
    Migrator::with_migrations(vec![
        migration(
            1,
            format!(
                "create table {schema}.shelves (
                     organization_id uuid not null, id uuid not null, primary key (organization_id, id));
                 call {schema}.enforce_tenancy('{schema}.shelves')"
            ),
        ),
        migration(
            2,
            format!(
                "create table {schema}.things (
                     organization_id uuid not null,
                     id uuid not null default gen_random_uuid(),
                     name text not null,
                     shelf_id uuid,
                     primary key (organization_id, id),
                     constraint things_name_key unique (organization_id, name),
                     foreign key (organization_id, shelf_id) references {schema}.shelves (organization_id, id));
                 call {schema}.enforce_tenancy('{schema}.things')"
            ),
        ),
    ])
}

pub(crate) fn migration(version: i64, sql: String) -> Migration {
    Migration::new(
        version,
        "a step".into(),
        MigrationType::Simple,
        AssertSqlSafe(sql).into_sql_str(),
        false,
    )
}

/// A database with one service, and time that stands until it is moved.
pub(crate) struct Fixture {
    pub(crate) db: Db,
    pub(crate) hand: Hand,
    // Last: dropped after the pools.
    pub(crate) database: TestDb,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let database = TestDb::new("db", &[(A, &migrator(A))]).await;
        let (clock, hand) = Clock::manual(noon());
        let db = database.db_at(A, clock).await;
        Self { db, hand, database }
    }

    pub(crate) async fn system(&self) -> SystemTx {
        SystemTx::begin(&self.db, "test").await.expect("begin")
    }

    pub(crate) async fn tenant(&self, organization: OrganizationId) -> TenantTx {
        tenant(&self.db, organization).await.expect("begin")
    }

    /// A table's rows, past all policies.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {A}.{table}")))
            .fetch_one(&mut self.database.admin().await)
            .await
            .expect("count")
    }
}

pub(crate) fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_268_800, 0).expect("a valid time")
}

pub(crate) async fn tenant(db: &Db, organization: OrganizationId) -> Result<TenantTx, DbError> {
    TenantTx::begin(db, &TenantScope::system(organization, "test")).await
}

pub(crate) fn event(organization: OrganizationId, key: &str) -> Event {
    Event {
        event_id: EventId::generate(),
        organization_id: Some(organization),
        event_type: "switchboard.test.events.v1.ThingMoved",
        routing_key: "test.thing.moved.v1".to_owned(),
        key: key.to_owned(),
        payload: vec![1, 2, 3],
        headers: OutboxHeaders::default(),
        occurred_at: noon(),
    }
}

pub(crate) async fn push(tx: &mut impl AsTx, events: &[Event]) {
    outbox::push(tx, events).await.expect("push");
}

pub(crate) async fn add_thing(tx: &mut TenantTx, name: &str) -> Result<(), DbError> {
    let organization = tx.organization_id().as_uuid();
    sqlx::query("insert into dbtest_a.things (organization_id, name) values ($1, $2)")
        .bind(organization)
        .bind(name)
        .execute(tx.conn())
        .await?;
    Ok(())
}
