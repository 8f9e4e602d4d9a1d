use db::{Db, DbError, SystemTx, TenantTx};
use errors::{Classify, codes};
use ids::{Actor, OrganizationId, TenantScope};

use crate::fixture::{A, Fixture, add_thing};

#[tokio::test]
async fn a_dropped_transaction_leaves_nothing() {
    let fixture = Fixture::new().await;
    let organization = OrganizationId::generate();
    let mut tx = fixture.tenant(organization).await;
    add_thing(&mut tx, "chair").await.expect("insert");
    drop(tx);
    assert_eq!(fixture.count("things").await, 0);
}

#[tokio::test]
async fn an_error_that_was_swallowed_does_not_pass_for_a_commit() {
    let fixture = Fixture::new().await;
    let mut tx = fixture.tenant(OrganizationId::generate()).await;
    add_thing(&mut tx, "chair").await.expect("insert");
    let _swallowed = sqlx::query("select 1 / 0").execute(tx.conn()).await;
    assert!(matches!(tx.commit().await, Err(DbError::Aborted)));
    assert_eq!(fixture.count("things").await, 0);
}

#[tokio::test]
async fn a_connection_is_used_for_one_transaction_after_another_whatever_became_of_them() {
    let fixture = Fixture::new().await;
    let organization = OrganizationId::generate();
    for round in 0..8 {
        let mut tx = fixture.tenant(organization).await;
        add_thing(&mut tx, &format!("kept {round}"))
            .await
            .expect("insert");
        tx.commit().await.expect("commit");
        let mut tx = fixture.tenant(organization).await;
        add_thing(&mut tx, &format!("dropped {round}"))
            .await
            .expect("insert");
        drop(tx);
        let mut tx = fixture.tenant(organization).await;
        let _swallowed = sqlx::query("select 1 / 0").execute(tx.conn()).await;
        assert!(matches!(tx.commit().await, Err(DbError::Aborted)));
    }
    assert_eq!(fixture.count("things").await, 8);
}

#[tokio::test]
async fn a_text_that_can_not_be_stored_is_the_callers_mistake() {
    let fixture = Fixture::new().await;
    let mut tx = fixture.tenant(OrganizationId::generate()).await;
    let error = add_thing(&mut tx, "a\0b").await.expect_err("a NUL");
    assert_eq!(error.code(), &codes::REQUEST_INVALID);
    assert!(error.detail().contains("U+0000"), "{}", error.detail());
}

#[tokio::test]
async fn the_actor_is_known_to_the_database_whatever_its_name() {
    let fixture = Fixture::new().await;
    let scope = TenantScope {
        organization_id: OrganizationId::generate(),
        actor: Actor::Service("o'neil'; drop schema dbtest_a; --".to_owned()),
    };
    let mut tx = TenantTx::begin(&fixture.db, &scope).await.expect("begin");
    let actor: String = sqlx::query_scalar("select current_setting('app.actor')")
        .fetch_one(tx.conn())
        .await
        .expect("the setting");
    assert_eq!(actor, scope.actor.to_string());
}

#[tokio::test]
async fn errors_are_sorted_and_repeat_no_values() {
    let fixture = Fixture::new().await;
    let organization = OrganizationId::generate();
    let mut tx = fixture.tenant(organization).await;
    add_thing(&mut tx, "a secret name").await.expect("insert");
    let error = add_thing(&mut tx, "a secret name")
        .await
        .expect_err("a duplicate");
    assert_eq!(error.constraint(), Some("things_name_key"));
    let mut texts = vec![format!("{error:?} {}", errors::chain(&error))];

    let mut tx = fixture.tenant(organization).await;
    let cast = sqlx::query("select 'a secret name'::text::uuid")
        .execute(tx.conn())
        .await;
    let error = DbError::from(cast.expect_err("not a uuid"));
    assert!(matches!(error, DbError::Statement(_)));
    texts.push(format!("{error:?} {}", errors::chain(&error)));
    for text in texts {
        assert!(!text.contains("secret"), "{text}");
    }
}

#[tokio::test]
async fn the_system_door_is_counted_by_reason() {
    let fixture = Fixture::new().await;
    for _ in 0..3 {
        SystemTx::begin(&fixture.db, "sweep").await.expect("begin");
    }
    let metrics = fixture.db.metrics();
    assert_eq!(metrics.system_transactions, [("sweep", 3)]);
    assert_eq!(metrics.app.max, 4);
}

#[tokio::test]
async fn a_connection_that_died_in_the_pool_fails_nobody() {
    let fixture = Fixture::new().await;
    let organization = OrganizationId::generate();
    let mut transactions = Vec::new();
    for _ in 0..4 {
        transactions.push(fixture.tenant(organization).await);
    }
    drop(transactions);
    sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'dbtest_a_app' and datname = current_database()")
        .execute(&mut fixture.database.admin().await)
        .await
        .expect("terminate");
    let mut tx = fixture.tenant(organization).await;
    add_thing(&mut tx, "chair").await.expect("insert");
    tx.commit().await.expect("commit");
}

#[tokio::test]
async fn a_wrong_configuration_is_refused_before_anything_is_connected() {
    let fixture = Fixture::new().await;
    let mut config = fixture.database.config(A);
    config.max_connections = 0;
    let refused = Db::connect(&config, A, clock::Clock::system())
        .await
        .expect_err("no connections");
    assert!(refused.to_string().contains("max_connections"), "{refused}");
    let refused = Db::connect(&config, "a; drop", clock::Clock::system()).await;
    assert!(refused.is_err());
}
