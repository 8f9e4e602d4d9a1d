//! Lost connections. The broker is shared with other tests, so its restart is played by a proxy that
//! resets every connection.

use std::time::Duration;

use futures::FutureExt;
use testkit::{ChaosProxy, Mode, eventually};

use crate::stage::{self, Clerk, Running, SOON, Stage, config};

/// D-03: the broker has the message, we never hear of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_confirm_is_lost_is_published_again_and_has_one_effect() {
    let stage = Stage::new().await;
    let clerk = Clerk::default();
    let desk = Running::desk(&stage, stage.config(), clerk.clone()).await;
    let proxy = ChaosProxy::start(&stage.broker.url()).await;
    let mut settings = config(&proxy.route(&stage.broker.url()));
    settings.heartbeat_s = 30;
    let shop = Running::shop(&stage, settings).await;
    shop.wait_until_up().await;
    stage.place_orders(&["warm"]).await;
    stage.wait_for_effects(1).await;
    eventually(SOON, || async { stage.unpublished().await == 0 }).await;

    // The message takes this long to the broker and its confirm as long on the way back: when the
    // effect is seen, the confirm is still on its way.
    proxy.set(Mode::Delay(Duration::from_millis(700)));
    let placed = stage.place_orders(&["once"]).await;
    stage.wait_for_effects(2).await;
    assert_eq!(
        stage.unpublished().await,
        1,
        "not confirmed, so not published"
    );
    proxy.cut();
    proxy.set(Mode::Pass);

    eventually(SOON, || async { stage.unpublished().await == 0 }).await;
    assert_eq!(stage.publishing_of(placed[0]).await, (1, None));
    stage.place_orders(&["witness"]).await;
    stage.wait_for_effects(3).await;
    shop.stop().await;
    desk.stop().await;
    assert_eq!(stage.effects().await, ["once", "warm", "witness"]);
    assert_eq!(stage.left_with_the_broker().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn under_load_with_connections_cut_again_and_again_every_event_has_one_effect() {
    let stage = Stage::new().await;
    let proxy = ChaosProxy::start(&stage.broker.url()).await;
    let through = || config(&proxy.route(&stage.broker.url()));
    let desk = Running::desk(&stage, through(), Clerk::default()).await;
    let shop = Running::shop(&stage, through()).await;
    let bodies: Vec<String> = (0..600).map(|n| format!("{n:04}")).collect();
    let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    for (round, some) in bodies.chunks(100).enumerate() {
        stage.place_orders(some).await;
        stage.wait_for_effects(round * 100 + 20).await;
        proxy.cut();
    }
    stage.wait_for_effects(600).await;
    eventually(SOON, || async { stage.unpublished().await == 0 }).await;
    shop.stop().await;
    desk.stop().await;
    assert_eq!(stage.effects().await, bodies);
    assert_eq!(stage.left_with_the_broker().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_fell_silent_is_noticed_by_heartbeat_and_replaced() {
    let stage = Stage::new().await;
    let proxy = ChaosProxy::start(&stage.broker.url()).await;
    let through = || config(&proxy.route(&stage.broker.url()));
    let _desk = Running::desk(&stage, through(), Clerk::default()).await;
    let shop = Running::shop(&stage, through()).await;
    stage.place_orders(&["before"]).await;
    stage.wait_for_effects(1).await;

    proxy.set(Mode::BlackHole);
    stage.place_orders(&["during"]).await;
    // Nobody is told that these connections are dead.
    eventually(SOON, || async {
        let health = shop.bus.health();
        health.publishing == bus::LinkHealth::Connecting
    })
    .await;
    proxy.set(Mode::Pass);
    assert_eq!(stage.wait_for_effects(2).await, ["before", "during"]);
}

/// Intake and API stay up: what is written meanwhile waits in the outbox.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_broker_a_service_starts_and_catches_up_when_there_is_one() {
    let stage = Stage::new().await;
    let proxy = ChaosProxy::start(&stage.broker.url()).await;
    proxy.set(Mode::Refuse);
    let through = || config(&proxy.route(&stage.broker.url()));
    let mut desk = Running::launch(through(), stage::desk());
    desk.consume(&stage.desk, Clerk::default());
    let mut shop = Running::launch(through(), stage::shop());
    for (name, task) in bus::background(&stage.shop, &shop.bus, &shop.shutdown) {
        if name != "bus" {
            shop.tasks.spawn(task.map(|ended| ended.expect(name)));
        }
    }
    let probe = shop.bus.probe();
    assert_eq!(probe().await, Err("not connected"));
    stage.place_orders(&["early"]).await;
    assert_eq!(stage.unpublished().await, 1);
    proxy.set(Mode::Pass);
    eventually(SOON, || async { probe().await.is_ok() }).await;
    assert_eq!(stage.wait_for_effects(1).await, ["early"]);
}
