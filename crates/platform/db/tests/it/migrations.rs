use clock::Clock;
use db::{Db, DbConfig, migrate};
use secrecy::SecretString;
use sqlx::migrate::Migrator;
use testkit::TestDb;
use tokio::task::JoinSet;

use crate::fixture::{A, Fixture, migration, migrator};

const FRESH: &str = "dbtest_fresh";

/// Of a database in which the schema does not exist yet.
fn config(database: &TestDb) -> DbConfig {
    database.config(FRESH)
}

#[tokio::test]
async fn migrating_twice_at_once_and_again_is_fine() {
    let fixture = Fixture::new().await;
    let config = config(&fixture.database);
    let mut processes = JoinSet::new();
    for _ in 0..4 {
        let config = config.clone();
        processes.spawn(async move { migrate::apply(&config, FRESH, &migrator(FRESH)).await });
    }
    for outcome in processes.join_all().await {
        outcome.expect("migrate");
    }
    migrate::apply(&config, FRESH, &migrator(FRESH))
        .await
        .expect("nothing to do");
    let db = Db::connect(&config, FRESH, Clock::system())
        .await
        .expect("connect");
    assert_eq!(
        migrate::pending(&db, &migrator(FRESH))
            .await
            .expect("compare"),
        [""; 0]
    );
    testkit::assert_catalogue_is_tenant_safe(&fixture.database, FRESH, &[]).await;
}

#[tokio::test]
async fn pending_migrations_are_named_and_unknown_newer_ones_tolerated() {
    let fixture = Fixture::new().await;
    let mut migrations: Vec<_> = migrator(A).iter().cloned().collect();
    migrations.push(migration(3, "create table dbtest_a.lamps ()".to_owned()));
    let newer = Migrator::with_migrations(migrations);
    assert_eq!(
        migrate::pending(&fixture.db, &newer)
            .await
            .expect("compare"),
        ["0003 a step"]
    );
    let refused = Db::open(&fixture.database.config(A), A, Clock::system(), &newer)
        .await
        .expect_err("the schema is behind");
    let sentence = refused.to_string();
    assert!(
        sentence.contains("run `migrate` first (0003 a step)"),
        "{sentence}"
    );

    let url = SecretString::from(fixture.database.url("postgres"));
    migrate::run(&url, A, &newer).await.expect("migrate");
    let db = Db::open(&fixture.database.config(A), A, Clock::system(), &newer)
        .await
        .expect("open");
    db.probe()().await.expect("a healthy database");
    // The release before, rolled back to.
    migrate::run(&url, A, &migrator(A))
        .await
        .expect("nothing to do");
    assert_eq!(
        migrate::pending(&fixture.db, &migrator(A))
            .await
            .expect("compare"),
        [""; 0]
    );
}

#[tokio::test]
async fn an_applied_migration_must_not_change() {
    let fixture = Fixture::new().await;
    let changed = Migrator::with_migrations(vec![migration(1, "select 1".to_owned())]);
    let url = SecretString::from(fixture.database.url("postgres"));
    let error = migrate::run(&url, A, &changed).await.expect_err("changed");
    assert!(
        errors::chain(&error).contains("has been modified"),
        "{}",
        errors::chain(&error)
    );
}

#[tokio::test]
async fn a_failed_migration_leaves_nothing_behind() {
    let fixture = Fixture::new().await;
    let mut migrations: Vec<_> = migrator(A).iter().cloned().collect();
    migrations.push(migration(
        3,
        "create table dbtest_a.lamps (); select 1 / 0".to_owned(),
    ));
    let url = SecretString::from(fixture.database.url("postgres"));
    migrate::run(&url, A, &Migrator::with_migrations(migrations))
        .await
        .expect_err("division by zero");
    migrate::run(&url, A, &migrator(A))
        .await
        .expect("as before");
    assert_eq!(fixture.count("things").await, 0);
    let lamps: bool = sqlx::query_scalar("select to_regclass('dbtest_a.lamps') is not null")
        .fetch_one(&mut fixture.database.admin().await)
        .await
        .expect("look");
    assert!(!lamps);
}

#[tokio::test]
async fn urls_must_name_the_roles_that_the_policies_are_made_for() {
    let fixture = Fixture::new().await;
    let mut config = config(&fixture.database);
    config.url = SecretString::from(fixture.database.url("postgres"));
    let error = migrate::apply(&config, FRESH, &migrator(FRESH))
        .await
        .expect_err("a superuser");
    assert_eq!(
        error.to_string(),
        "url: the login role must be `dbtest_fresh_app`"
    );
}
