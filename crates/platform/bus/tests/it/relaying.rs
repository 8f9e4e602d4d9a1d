//! From the outbox to the broker.

use db::SystemTx;
use testkit::eventually;

use crate::stage::{Clerk, ORDERS, Running, SOON, Stage, shop};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_committed_is_published_and_marked_and_has_its_effect() {
    let stage = Stage::new().await;
    let desk = Running::desk(&stage, stage.config(), Clerk::default()).await;
    let shop = Running::shop(&stage, stage.config()).await;
    stage.place_orders(&["a", "b", "c"]).await;
    assert_eq!(stage.wait_for_effects(3).await, ["a", "b", "c"]);
    eventually(SOON, || async { stage.unpublished().await == 0 }).await;
    shop.stop().await;
    desk.stop().await;
}

/// D-04, the queue.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_whose_queue_was_deleted_is_kept_and_arrives_when_the_queue_is_back() {
    let stage = Stage::new().await;
    Running::start(stage.config(), crate::stage::desk())
        .await
        .stop()
        .await;
    let _shop = Running::shop(&stage, stage.config()).await;
    assert!(
        stage
            .broker
            .delete(&format!("/queues/{{vhost}}/{}", ORDERS.queue))
            .await
    );

    let placed = stage.place_orders(&["kept"]).await;
    let (attempts, error) = eventually(SOON, || async {
        let row = stage.publishing_of(placed[0]).await;
        (row.0 > 0).then_some(row)
    })
    .await;
    assert!(attempts >= 1 && error.is_some_and(|error| error.contains("NO_ROUTE")));
    assert_eq!(stage.unpublished().await, 1);

    let _desk = Running::desk(&stage, stage.config(), Clerk::default()).await;
    assert_eq!(stage.wait_for_effects(1).await, ["kept"]);
    eventually(SOON, || async { stage.unpublished().await == 0 }).await;
}

/// D-04, the exchange: with it go the bindings of all consumers.
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_exchange_comes_back_with_its_bindings_and_nothing_is_lost() {
    let stage = Stage::new().await;
    let mut config = stage.config();
    config.topology_check_s = 1;
    let _desk = Running::desk(&stage, config, Clerk::default()).await;
    let _shop = Running::shop(&stage, stage.config()).await;
    stage.place_orders(&["before"]).await;
    stage.wait_for_effects(1).await;

    assert!(stage.broker.delete("/exchanges/{vhost}/shop.events").await);
    stage.place_orders(&["during"]).await;
    assert_eq!(stage.wait_for_effects(2).await, ["before", "during"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_event_holds_back_its_key_and_nothing_else() {
    let stage = Stage::new().await;
    let _desk = Running::desk(&stage, stage.config(), Clerk::default()).await;
    let blocked = stage
        .push("shop.order.lost.v1", &[("k".to_owned(), "first")])
        .await;
    let _shop = Running::shop(&stage, stage.config()).await;
    eventually(SOON, || async {
        stage.publishing_of(blocked[0]).await.0 > 0
    })
    .await;

    let behind = [("k".to_owned(), "second"), ("other".to_owned(), "other")];
    let ids = stage.push(ORDERS.routing_key, &behind).await;
    assert_eq!(stage.wait_for_effects(1).await, ["other"]);
    // Also when the first is tried again and refused once more.
    eventually(SOON, || async {
        stage.publishing_of(blocked[0]).await.0 > 1
    })
    .await;
    assert_eq!(
        stage.publishing_of(ids[0]).await.0,
        0,
        "it waits for the first of its key"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_nobody_subscribes_to_by_design_counts_as_published() {
    let stage = Stage::new().await;
    let topology = shop().unsubscribed(&["shop.basket.#"]);
    let mut shop = Running::start(stage.config(), topology).await;
    shop.relay(&stage.shop);
    stage
        .push("shop.basket.filled.v1", &[("k".to_owned(), "nobody cares")])
        .await;
    eventually(SOON, || async { stage.unpublished().await == 0 }).await;
}

/// D-09.
#[tokio::test(flavor = "multi_thread")]
async fn two_relays_race_and_no_event_is_lost_or_has_two_effects() {
    let stage = Stage::new().await;
    let clerk = Clerk::default();
    let desk = Running::desk(&stage, stage.config(), clerk.clone()).await;
    let first = Running::shop(&stage, stage.config()).await;
    let second = Running::shop(&stage, stage.config()).await;
    let bodies: Vec<String> = (0..40).map(|n| format!("{n:03}")).collect();
    let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    for some in bodies.chunks(4).take(5) {
        stage.place_orders(some).await;
    }
    // The one that leads may be either; its crash must not stop the other.
    drop(first);
    for some in bodies.chunks(4).skip(5) {
        stage.place_orders(some).await;
    }
    assert_eq!(stage.wait_for_effects(40).await, bodies);
    eventually(SOON, || async { stage.unpublished().await == 0 }).await;
    second.stop().await;
    desk.stop().await;
    assert_eq!(stage.effects().await, bodies);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_lost_its_leadership_takes_part_in_the_election_again() {
    const KILL: &str = "select pg_terminate_backend(pid) from pg_stat_activity
         where application_name = $1 and datname = current_database()";
    let stage = Stage::new().await;
    let _desk = Running::desk(&stage, stage.config(), Clerk::default()).await;
    let _shop = Running::shop(&stage, stage.config()).await;
    stage.place_orders(&["a"]).await;
    stage.wait_for_effects(1).await;
    // The lock and the wake-up have a connection each; the second is made when there is nothing left to publish.
    for name in ["shop:relay", "shop:wake"] {
        eventually(SOON, || async {
            let mut admin = stage.database.admin().await;
            let killed: Vec<bool> = sqlx::query_scalar(KILL)
                .bind(name)
                .fetch_all(&mut admin)
                .await
                .expect("kill");
            killed == [true]
        })
        .await;
    }
    stage.place_orders(&["b"]).await;
    assert_eq!(stage.wait_for_effects(2).await, ["a", "b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_stops_publishes_what_its_consumers_wrote_last() {
    let stage = Stage::new().await;
    let clerk = Clerk::default();
    let topology = crate::stage::desk().unsubscribed(&["desk.#"]);
    let mut both = Running::start(stage.config(), topology).await;
    both.relay(&stage.desk);
    both.consume(&stage.desk, clerk.clone());
    let _shop = Running::shop(&stage, stage.config()).await;
    // Told to stop in the middle of a batch, which has an event of its own to publish.
    let shutdown = both.shutdown.clone();
    clerk.once_before_commit(move || shutdown.cancel());
    stage.place_orders(&["echo"]).await;
    eventually(SOON, || async { both.shutdown.is_cancelled() }).await;
    both.stop().await;
    assert_eq!(stage.effects().await, ["echo"]);
    let mut tx = SystemTx::begin(&stage.desk, "test").await.expect("begin");
    let published: Vec<bool> =
        sqlx::query_scalar("select published_at is not null from desk.outbox")
            .fetch_all(tx.conn())
            .await
            .expect("the outbox");
    assert_eq!(published, [true]);
    assert_eq!(stage.left_with_the_broker().await, 0);
}
