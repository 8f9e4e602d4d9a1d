use std::collections::HashSet;

use db::inbox;
use testkit::eventually;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::fixture::{Fixture, SOON};

fn events(count: u128) -> Vec<Uuid> {
    (1..=count).map(Uuid::from_u128).collect()
}

#[tokio::test]
async fn a_consumer_gets_an_event_once_and_another_consumer_gets_it_too() {
    let fixture = Fixture::new().await;
    let mut tx = fixture.system().await;
    // One twice in the same batch.
    let mut batch = events(2);
    batch.push(Uuid::from_u128(1));
    let new = inbox::claim(&mut tx, "billing.usage", &batch)
        .await
        .expect("claim");
    assert_eq!(new, events(2).into_iter().collect::<HashSet<_>>());
    tx.commit().await.expect("commit");
    let mut tx = fixture.system().await;
    let new = inbox::claim(&mut tx, "billing.usage", &events(3))
        .await
        .expect("claim");
    assert_eq!(new, HashSet::from([Uuid::from_u128(3)]));
    let new = inbox::claim(&mut tx, "crm.sync", &events(3))
        .await
        .expect("claim");
    assert_eq!(new.len(), 3);
}

#[tokio::test]
async fn a_claim_that_rolled_back_is_new_again() {
    let fixture = Fixture::new().await;
    let mut tx = fixture.system().await;
    inbox::claim(&mut tx, "c", &events(2)).await.expect("claim");
    drop(tx);
    let mut tx = fixture.system().await;
    assert_eq!(
        inbox::claim(&mut tx, "c", &events(2))
            .await
            .expect("claim")
            .len(),
        2
    );
}

#[tokio::test]
async fn two_consumers_of_one_redelivered_batch_do_not_both_get_it() {
    let fixture = Fixture::new().await;
    let mut first = fixture.system().await;
    assert_eq!(
        inbox::claim(&mut first, "c", &events(3))
            .await
            .expect("claim")
            .len(),
        3
    );
    let mut second = JoinSet::new();
    let mut tx = fixture.system().await;
    second.spawn(async move { inbox::claim(&mut tx, "c", &events(3)).await.expect("claim") });
    eventually(SOON, || async {
        let waiting: bool = sqlx::query_scalar(
            "select exists (select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')",
        )
        .fetch_one(&mut fixture.database.admin().await)
        .await
        .expect("look");
        waiting
    })
    .await;
    first.commit().await.expect("commit");
    let claimed = second.join_next().await.expect("a task").expect("no panic");
    assert!(claimed.is_empty());
}
