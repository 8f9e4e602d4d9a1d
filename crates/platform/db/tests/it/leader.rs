use db::leader::Leader;
use testkit::eventually;

use crate::fixture::{Fixture, SOON};

#[tokio::test]
async fn there_is_one_leader_and_another_after_it() {
    let fixture = Fixture::new().await;
    let mut first = Leader::try_elect(&fixture.db, "relay")
        .await
        .expect("ask")
        .expect("elected");
    assert!(
        Leader::try_elect(&fixture.db, "relay")
            .await
            .expect("ask")
            .is_none()
    );
    assert!(
        Leader::try_elect(&fixture.db, "sweep")
            .await
            .expect("ask")
            .is_some()
    );
    first.confirm().await.expect("still leading");
    first.resign().await.expect("resign");
    eventually(SOON, || async {
        Leader::try_elect(&fixture.db, "relay").await.expect("ask")
    })
    .await;
}

#[tokio::test]
async fn a_leader_that_lost_its_connection_notices() {
    let fixture = Fixture::new().await;
    let mut leader = Leader::try_elect(&fixture.db, "relay")
        .await
        .expect("ask")
        .expect("elected");
    sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'dbtest_a:relay' and datname = current_database()")
        .execute(&mut fixture.database.admin().await)
        .await
        .expect("terminate");
    assert!(leader.confirm().await.is_err());
    eventually(SOON, || async {
        Leader::try_elect(&fixture.db, "relay").await.expect("ask")
    })
    .await;
}
