use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use clock::Clock;
use db::{Db, TenantTx};
use futures::{StreamExt, stream};
use ids::OrganizationId;
use testkit::{
    TestDb, assert_catalogue_is_tenant_safe, assert_nothing_without_tenant,
    assert_schemas_are_isolated,
};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::fixture::{A, B, Fixture, add_thing, event, migration, migrator, push, tenant};

#[tokio::test]
async fn t01_the_catalogue_gives_no_tenant_a_way_to_another() {
    let fixture = Fixture::new().await;
    assert_catalogue_is_tenant_safe(&fixture.database, A, &[]).await;
}

#[tokio::test]
async fn t01_each_hole_in_the_catalogue_is_found() {
    let mut migrations: Vec<_> = migrator(A).iter().cloned().collect();
    let holes = "
        create table dbtest_a.no_policy (organization_id uuid primary key);
        create table dbtest_a.global_key (organization_id uuid, name text unique);
        call dbtest_a.enforce_tenancy('dbtest_a.global_key');
        create table dbtest_a.plain_reference (
            organization_id uuid, id uuid, thing uuid references dbtest_a.things_by_id (id), primary key (organization_id, id));
        call dbtest_a.enforce_tenancy('dbtest_a.plain_reference');
        create policy generous on dbtest_a.plain_reference for select to dbtest_a_app using (true);
        create table dbtest_a.of_nobody (name text);
        create view dbtest_a.window_to_all as select * from dbtest_a.things;
        create function dbtest_a.strong() returns int language sql security definer as 'select 1';
        grant truncate on dbtest_a.things to dbtest_a_app;
        grant select on dbtest_a.shelves to public;";
    let referenced = "
        create table dbtest_a.things_by_id (organization_id uuid not null, id uuid not null, constraint by_id unique (id));
        create index on dbtest_a.things_by_id (organization_id);
        call dbtest_a.enforce_tenancy('dbtest_a.things_by_id');";
    migrations.push(migration(3, referenced.to_owned()));
    migrations.push(migration(4, holes.to_owned()));
    let leaky = sqlx::migrate::Migrator::with_migrations(migrations);
    let database = TestDb::new("db", &[(A, &leaky)]).await;
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        assert_catalogue_is_tenant_safe(&database, A, &["by_id", "things_pkey"]).await;
    });
    let panic = tasks
        .join_next()
        .await
        .expect("a task")
        .expect_err("holes")
        .into_panic();
    let report = panic.downcast_ref::<String>().expect("a report");
    for finding in [
        "no_policy: row level security is not enabled and forced",
        "global_key_name_key: a unique index does not begin with organization_id",
        "global_key: no index begins with organization_id",
        "plain_reference_thing_fkey: a foreign key",
        "generous on plain_reference: a permissive policy",
        "of_nobody: the app role may use a table without organization_id",
        "window_to_all: is a view that reads with its owner's rights",
        "strong: runs with its owner's rights",
        "things: a login role may TRUNCATE",
        "shelves: is granted to everybody",
        "things_pkey: is exempt without need",
    ] {
        assert!(report.contains(finding), "{finding}, not in {report}");
    }
    assert!(!report.contains("\n  by_id"), "{report}");
}

#[tokio::test]
async fn t02_no_role_reaches_into_another_schema() {
    let database = TestDb::new("db2", &[(A, &migrator(A)), (B, &migrator(B))]).await;
    assert_schemas_are_isolated(&database).await;
}

#[tokio::test]
async fn t03_without_a_tenant_there_is_nothing() {
    let fixture = Fixture::new().await;
    let organization = OrganizationId::generate();
    let mut tx = fixture.tenant(organization).await;
    add_thing(&mut tx, "chair").await.expect("insert");
    push(&mut tx, &[event(organization, "k")]).await;
    tx.commit().await.expect("commit");
    assert_nothing_without_tenant(&fixture.database, A, &["shelves"]).await;
}

#[tokio::test]
async fn a_tenant_can_not_write_for_another_nor_push_its_events() {
    let fixture = Fixture::new().await;
    let (mine, other) = (OrganizationId::generate(), OrganizationId::generate());
    let mut tx = fixture.tenant(mine).await;
    let pushed = db::outbox::push(&mut tx, &[event(other, "k")]).await;
    assert!(pushed.is_err());
    let mut tx = fixture.tenant(mine).await;
    let mut stray = event(mine, "k");
    stray.organization_id = None;
    assert!(db::outbox::push(&mut tx, &[stray]).await.is_err());
}

const TENANTS: usize = 50;
const TRANSACTIONS: usize = 10_000;

/// What a transaction does after it has looked at the rows.
fn misbehave(number: usize) -> usize {
    // Any order will do that is not the tenants' own.
    number * 7_919 % 8
}

#[tokio::test]
async fn t04_one_connection_never_shows_a_foreign_row() {
    let database = TestDb::new("db", &[(A, &migrator(A))]).await;
    let mut config = database.config(A);
    config.max_connections = 1;
    config.acquire_timeout_ms = 60_000;
    let db = Db::connect(&config, A, Clock::system())
        .await
        .expect("connect");
    let tenants: Vec<OrganizationId> = (0..TENANTS).map(|_| OrganizationId::generate()).collect();
    let mut backends = HashMap::new();
    for organization in &tenants {
        let mut tx = tenant(&db, *organization).await.expect("begin");
        add_thing(&mut tx, "first").await.expect("insert");
        tx.commit().await.expect("commit");
    }
    let mut outcomes = stream::iter(0..TRANSACTIONS)
        .map(|number| {
            let (db, organization) = (db.clone(), tenants[number * 31 % TENANTS]);
            async move {
                // Of its own, because it may panic.
                let mut task = JoinSet::new();
                task.spawn(one_transaction(db, organization, number));
                task.join_next().await.expect("a task")
            }
        })
        .buffer_unordered(16);
    let mut panics = 0;
    while let Some(outcome) = outcomes.next().await {
        match outcome {
            Ok(Some(backend)) => *backends.entry(backend).or_insert(0) += 1,
            Ok(None) => {}
            Err(error) => {
                let reason = error.into_panic();
                assert!(
                    reason.downcast_ref::<&str>() == Some(&"on purpose"),
                    "{reason:?}"
                );
                panics += 1;
            }
        }
    }
    assert!(panics > 1_000, "{panics}");
    // The connection was really shared: only a begin that was dropped half-way costs one.
    let most = backends.values().max().expect("connections");
    assert!(*most > 10, "{backends:?}");
    // What was committed is there, and nothing that was dropped, refused or interrupted.
    let committed = (0..TRANSACTIONS)
        .filter(|number| misbehave(*number) == 1)
        .count();
    let things: i64 = sqlx::query_scalar("select count(*) from dbtest_a.things")
        .fetch_one(&mut database.admin().await)
        .await
        .expect("count");
    assert_eq!(usize::try_from(things), Ok(TENANTS + committed));
}

/// Answers which server process it ran on, if it got that far.
async fn one_transaction(db: Db, organization: OrganizationId, number: usize) -> Option<i32> {
    if misbehave(number) == 0 {
        // Somewhere between asking for a connection and having begun.
        let patience = Duration::from_micros(u64::try_from(number % 500).expect("small"));
        let _dropped = tokio::time::timeout(patience, tenant(&db, organization)).await;
        return None;
    }
    let mut tx = tenant(&db, organization).await.expect("begin");
    let (backend, seen) = look(&mut tx).await;
    assert_eq!(seen, HashSet::from([organization.as_uuid()]));
    match misbehave(number) {
        1 => {
            add_thing(&mut tx, &format!("thing {number}"))
                .await
                .expect("insert");
            tx.commit().await.expect("commit");
        }
        2 => {
            add_thing(&mut tx, &format!("thing {number}"))
                .await
                .expect("insert");
            drop(tx);
        }
        3 => {
            let twice = add_thing(&mut tx, "first").await.expect_err("a duplicate");
            assert_eq!(twice.constraint(), Some("things_name_key"));
        }
        4 => std::panic::resume_unwind(Box::new("on purpose")),
        5 => {
            let sleep = sqlx::query("select pg_sleep(0.002)").execute(tx.conn());
            let _dropped = tokio::time::timeout(Duration::from_micros(300), sleep).await;
        }
        6 => {
            let sleep = "set local statement_timeout = '1ms'; select pg_sleep(1)";
            let error = sqlx::raw_sql(sleep)
                .execute(tx.conn())
                .await
                .expect_err("too slow");
            assert!(matches!(db::DbError::from(error), db::DbError::Timeout(_)));
        }
        _ => tx.commit().await.expect("commit"),
    }
    Some(backend)
}

async fn look(tx: &mut TenantTx) -> (i32, HashSet<Uuid>) {
    let (backend, seen): (i32, Vec<Uuid>) =
        sqlx::query_as("select pg_backend_pid(), array_agg(organization_id) from dbtest_a.things")
            .fetch_one(tx.conn())
            .await
            .expect("look");
    (backend, seen.into_iter().collect())
}
