use std::time::{Duration, Instant};

use clock::Clock;
use db::{Db, DbError};
use errors::Classify;
use ids::OrganizationId;
use secrecy::SecretString;
use testkit::{ChaosProxy, Mode, TestDb, eventually};

use crate::fixture::{A, SOON, add_thing, migrator, tenant};

async fn behind_a_proxy() -> (TestDb, ChaosProxy, Db) {
    let database = TestDb::new("db", &[(A, &migrator(A))]).await;
    let mut config = database.config(A);
    let proxy = ChaosProxy::start(&database.url("dbtest_a_app")).await;
    config.url = SecretString::from(proxy.route(&database.url("dbtest_a_app")));
    config.acquire_timeout_ms = 700;
    let db = Db::connect(&config, A, Clock::system())
        .await
        .expect("connect");
    (database, proxy, db)
}

#[tokio::test]
async fn after_a_cut_the_next_transaction_works() {
    let (_database, proxy, db) = behind_a_proxy().await;
    let organization = OrganizationId::generate();
    let mut tx = tenant(&db, organization).await.expect("begin");
    proxy.cut();
    let error = add_thing(&mut tx, "chair").await.expect_err("cut");
    assert_eq!(error.code().id, "unavailable");
    drop(tx);
    let mut tx = tenant(&db, organization).await.expect("begin");
    add_thing(&mut tx, "chair").await.expect("insert");
    tx.commit().await.expect("commit");
}

#[tokio::test]
async fn a_silent_network_is_given_up_in_time() {
    let (_database, proxy, db) = behind_a_proxy().await;
    let organization = OrganizationId::generate();
    let mut tx = tenant(&db, organization).await.expect("begin");
    add_thing(&mut tx, "chair").await.expect("insert");
    proxy.set(Mode::BlackHole);
    let asked = Instant::now();
    tx.commit().await.expect_err("nothing comes back");
    let error = tenant(&db, organization)
        .await
        .expect_err("nothing comes back");
    assert!(error.retryable(), "{error}");
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "{:?}",
        asked.elapsed()
    );
    proxy.set(Mode::Pass);
    eventually(SOON, || async { tenant(&db, organization).await.is_ok() }).await;
}

#[tokio::test]
async fn a_commit_without_an_answer_is_neither_a_success_nor_to_be_repeated() {
    let (database, _proxy, db) = behind_a_proxy().await;
    sqlx::raw_sql(
        "create function dbtest_a.slow() returns trigger language plpgsql as $$ begin perform pg_sleep(3); return null; end $$;
         grant execute on function dbtest_a.slow() to dbtest_a_app;
         create constraint trigger slow after insert on dbtest_a.things deferrable initially deferred
             for each row execute function dbtest_a.slow()",
    )
    .execute(&mut database.admin().await)
    .await
    .expect("a slow commit");
    let organization = OrganizationId::generate();
    let mut tx = tenant(&db, organization).await.expect("begin");
    add_thing(&mut tx, "chair").await.expect("insert");
    let error = tx.commit().await.expect_err("too slow");
    assert!(matches!(error, DbError::CommitUnknown(_)), "{error}");
    assert!(!error.retryable());
    // In truth it was committed.
    eventually(SOON, || async {
        let mut tx = tenant(&db, organization).await.expect("begin");
        add_thing(&mut tx, "chair")
            .await
            .is_err_and(|error| error.constraint().is_some())
    })
    .await;
}

#[tokio::test]
async fn a_request_given_up_on_a_silent_network_does_not_keep_its_connection() {
    let (_database, proxy, db) = behind_a_proxy().await;
    let mut tx = tenant(&db, OrganizationId::generate())
        .await
        .expect("begin");
    proxy.set(Mode::BlackHole);
    let statement = add_thing(&mut tx, "chair");
    assert!(
        tokio::time::timeout(Duration::from_millis(50), statement)
            .await
            .is_err()
    );
    assert_eq!(db.metrics().app.used, 1);
    drop(tx);
    eventually(SOON, || async { db.metrics().app.used == 0 }).await;
}

#[tokio::test]
async fn a_server_that_refuses_is_unavailable_and_then_back() {
    let (_database, proxy, db) = behind_a_proxy().await;
    proxy.set(Mode::Refuse);
    proxy.cut();
    let organization = OrganizationId::generate();
    let error = eventually(SOON, || async { tenant(&db, organization).await.err() }).await;
    assert!(
        matches!(error, DbError::Unavailable(_) | DbError::Timeout(_)),
        "{error}"
    );
    assert!(db.ping().await.is_err());
    proxy.set(Mode::Pass);
    eventually(SOON, || async { db.ping().await.is_ok() }).await;
}
