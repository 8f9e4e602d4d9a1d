use std::time::Duration;

use serde_json::json;
use sqlx::migrate::Migrator;
use testkit::{TestBroker, TestDb, eventually};
use tokio::task::JoinSet;

const SCHEMA: &str = "testkit";
const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn databases_of_one_template_do_not_see_each_other_and_go_in_the_end() {
    let nothing = Migrator::with_migrations(Vec::new());
    let first = TestDb::new("testkit", &[(SCHEMA, &nothing)]).await;
    let second = TestDb::new("testkit", &[(SCHEMA, &nothing)]).await;
    let claim = "insert into testkit.inbox values ('c', gen_random_uuid(), now())";
    sqlx::query(claim)
        .execute(&mut first.login("testkit_system").await)
        .await
        .expect("insert");
    let count = "select count(*) from testkit.inbox";
    let seen: i64 = sqlx::query_scalar(count)
        .fetch_one(&mut second.admin().await)
        .await
        .expect("count");
    assert_eq!(seen, 0);
    let mut admin = second.admin().await;
    let name = first
        .url("postgres")
        .rsplit('/')
        .next()
        .expect("a name")
        .to_owned();
    drop(first);
    eventually(SOON, async || {
        let left: i64 = sqlx::query_scalar("select count(*) from pg_database where datname = $1")
            .bind(&name)
            .fetch_one(&mut admin)
            .await
            .expect("count");
        left == 0
    })
    .await;
}

#[tokio::test]
async fn a_database_is_kept_when_its_test_fails() {
    let nothing = Migrator::with_migrations(Vec::new());
    let database = TestDb::new("testkit", &[(SCHEMA, &nothing)]).await;
    let url = database.url("postgres");
    let mut failing = JoinSet::new();
    failing.spawn(async move {
        let _database = database;
        panic!("as a test does");
    });
    assert!(failing.join_next().await.expect("a task").is_err());
    let name = url.rsplit('/').next().expect("a name").to_owned();
    let other = TestDb::new("testkit", &[(SCHEMA, &nothing)]).await;
    let mut admin = other.admin().await;
    let kept: Option<String> = sqlx::query_scalar(
        "select shobj_description(oid, 'pg_database') from pg_database where datname = $1",
    )
    .bind(&name)
    .fetch_one(&mut admin)
    .await
    .expect("it exists");
    assert_eq!(kept.as_deref(), Some("kept"));
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("drop database {name}")))
        .execute(&mut admin)
        .await
        .expect("clean up");
}

#[tokio::test]
async fn a_virtual_host_has_its_own_queues() {
    let (first, second) = (TestBroker::new().await, TestBroker::new().await);
    assert_ne!(first.url(), second.url());
    assert!(
        first
            .put("/queues/{vhost}/work", &json!({ "durable": true }))
            .await
    );
    assert!(first.get("/queues/{vhost}/work").await.is_some());
    assert!(second.get("/queues/{vhost}/work").await.is_none());
    assert!(first.delete("/queues/{vhost}/work").await);
    assert!(first.get("/queues/{vhost}/work").await.is_none());
    let gone = first.vhost().to_owned();
    drop(first);
    eventually(SOON, async || {
        second.get(&format!("/vhosts/{gone}")).await.is_none()
    })
    .await;
}
