//! One effect for each event, whatever fails around it.

use bus::{Envelope, LinkHealth};
use clock::Clock;
use db::{Db, DbConfig};
use ids::EventId;
use lapin::{
    BasicProperties,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use secrecy::{ExposeSecret, SecretString};
use testkit::{ChaosProxy, Mode, eventually};

use crate::stage::{Clerk, ORDERS, Running, SOON, Stage, raw_channel};

/// D-05: twenty in one prefetch, one of them poison; answers how the poison ended.
async fn twenty_with_one_that_fails(poison: &str) -> String {
    let stage = Stage::new().await;
    let mut bodies: Vec<String> = (0..19).map(|n| format!("{n:02}")).collect();
    bodies.insert(7, poison.to_owned());
    let mut bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    // Published before there is a consumer, so that they come together.
    let declared = Running::start(stage.config(), crate::stage::desk()).await;
    declared.stop().await;
    let _shop = Running::shop(&stage, stage.config()).await;
    let placed = stage.place_orders(&bodies).await;
    eventually(SOON, || async { stage.unpublished().await == 0 }).await;

    let desk = Running::desk(&stage, stage.config(), Clerk::default()).await;
    stage.wait_for_effects(19).await;
    let (fate, _attempts, _error) = eventually(SOON, || stage.deferred(placed[7])).await;
    desk.stop().await;
    bodies.retain(|body| *body != poison);
    assert_eq!(stage.effects().await, bodies);
    assert_eq!(stage.left_with_the_broker().await, 0);
    fate
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_whose_statement_fails_isolates_and_its_neighbours_have_one_effect_each() {
    assert_eq!(twenty_with_one_that_fails("poison").await, "waiting");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_on_which_the_handler_panics_isolates_and_the_process_survives() {
    assert_eq!(twenty_with_one_that_fails("panic").await, "waiting");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undecodable_event_is_dead_at_once_and_its_neighbours_have_one_effect_each() {
    assert_eq!(twenty_with_one_that_fails("undecodable").await, "dead");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_fails_for_a_while_is_retried_from_the_database_and_has_one_effect() {
    let stage = Stage::new().await;
    let clerk = Clerk::default();
    let desk = Running::desk(&stage, stage.config(), clerk.clone()).await;
    let _shop = Running::shop(&stage, stage.config()).await;
    let placed = stage.place_orders(&["later", "neighbour"]).await;
    eventually(SOON, || async { clerk.times_seen("later") >= 2 }).await;
    // Acknowledged although it waits: the broker has no part in the retry.
    desk.stop().await;
    assert_eq!(stage.left_with_the_broker().await, 0);
    let desk = Running::desk(&stage, stage.config(), clerk.clone()).await;
    clerk.heal();
    assert_eq!(stage.wait_for_effects(2).await, ["later", "neighbour"]);
    eventually(SOON, || async { stage.deferred(placed[0]).await.is_none() }).await;
    desk.stop().await;
    assert_eq!(stage.effects().await, ["later", "neighbour"]);
}

/// D-11.
#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_whose_acknowledgement_is_lost_has_one_effect() {
    let stage = Stage::new().await;
    let proxy = std::sync::Arc::new(ChaosProxy::start(&stage.broker.url()).await);
    let clerk = Clerk::default();
    let config = crate::stage::config(&proxy.route(&stage.broker.url()));
    let desk = Running::desk(&stage, config, clerk.clone()).await;
    let _shop = Running::shop(&stage, stage.config()).await;
    // From the end of the handler on nothing reaches the broker: the commit happens, the
    // acknowledgement does not arrive.
    let hole = std::sync::Arc::clone(&proxy);
    clerk.once_before_commit(move || hole.set(Mode::BlackHole));
    stage.place_orders(&["once"]).await;
    stage.wait_for_effects(1).await;
    proxy.cut();
    eventually(SOON, || async {
        desk.bus.health().consuming == LinkHealth::Connecting
    })
    .await;
    proxy.set(Mode::Pass);
    stage.place_orders(&["twice"]).await;
    assert_eq!(stage.wait_for_effects(2).await, ["once", "twice"]);
    assert_eq!(
        clerk.times_seen("once"),
        1,
        "the inbox knew it before the handler saw it again"
    );
    desk.stop().await;
    assert_eq!(stage.effects().await, ["once", "twice"]);
    assert_eq!(stage.left_with_the_broker().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_deliveries_are_held_and_then_handled_once() {
    let stage = Stage::new().await;
    let original = stage.database.config("desk");
    let proxy = ChaosProxy::start(original.url.expose_secret()).await;
    let through = |url: &SecretString| SecretString::from(proxy.route(url.expose_secret()));
    let mut routed = DbConfig::new(through(&original.url), through(&original.system_url));
    routed.acquire_timeout_ms = 500;
    routed.max_connections = 2;
    let db = Db::connect(&routed, "desk", Clock::system())
        .await
        .expect("connect");
    let clerk = Clerk::default();
    let mut desk = Running::start(stage.config(), crate::stage::desk()).await;
    desk.consume(&db, clerk.clone());
    let _shop = Running::shop(&stage, stage.config()).await;
    stage.place_orders(&["before"]).await;
    stage.wait_for_effects(1).await;

    proxy.set(Mode::Refuse);
    proxy.cut();
    let placed = stage.place_orders(&["during", "outage"]).await;
    eventually(SOON, || async { stage.unpublished().await == 0 }).await;
    let held = || async {
        let path = format!("/queues/{{vhost}}/{}", ORDERS.queue);
        let queue = stage.broker.get(&path).await?;
        (queue.get("messages_unacknowledged")?.as_u64()? == 2).then_some(())
    };
    eventually(SOON, held).await;

    proxy.set(Mode::Pass);
    assert_eq!(
        stage.wait_for_effects(3).await,
        ["before", "during", "outage"]
    );
    for event_id in placed {
        assert_eq!(
            stage.deferred(event_id).await,
            None,
            "an outage is no failure of the event"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_no_event_becomes_a_dead_letter_and_blocks_nothing() {
    let stage = Stage::new().await;
    let clerk = Clerk::default();
    let _desk = Running::desk(&stage, stage.config(), clerk).await;
    let _shop = Running::shop(&stage, stage.config()).await;
    let (_connection, channel) = raw_channel(&stage).await;
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await
        .expect("confirms");
    let odd = EventId::generate();
    let properties = BasicProperties::default().with_message_id(odd.to_string().into());
    channel
        .basic_publish(
            ORDERS.exchange.into(),
            ORDERS.routing_key.into(),
            BasicPublishOptions {
                mandatory: true,
                ..BasicPublishOptions::default()
            },
            b"what is this?",
            properties,
        )
        .await
        .expect("sent")
        .await
        .expect("confirmed");
    let (fate, _attempts, error) = eventually(SOON, || stage.deferred(odd)).await;
    assert_eq!(
        (fate.as_str(), error.contains("type")),
        ("dead", true),
        "{error}"
    );
    stage.place_orders(&["next"]).await;
    assert_eq!(stage.wait_for_effects(1).await, ["next"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_everything_fails_the_consumer_slows_down_instead_of_emptying_the_queue() {
    let stage = Stage::new().await;
    let clerk = Clerk::default();
    let desk = Running::desk(&stage, stage.config(), clerk.clone()).await;
    let _shop = Running::shop(&stage, stage.config()).await;
    let placed = stage.place_orders(&["later"; 60]).await;
    eventually(SOON, || async { stage.unpublished().await == 0 }).await;
    eventually(SOON, || async { clerk.times_seen("later") >= 20 }).await;
    let deferred = || async {
        let mut count = 0;
        for event_id in &placed {
            count += usize::from(stage.deferred(*event_id).await.is_some());
        }
        count
    };
    assert!(deferred().await < 60, "most are still with the broker");
    clerk.heal();
    // It recovers by itself. How soon depends on the pauses that were drawn, and on the machine.
    stage.wait_for_effects(60).await;
    desk.stop().await;
    assert_eq!(stage.effects().await.len(), 60);
}

/// What the producer knew about an event is what the consumer's handler is told.
#[tokio::test(flavor = "multi_thread")]
async fn the_envelope_arrives_complete() {
    use bus::{BatchHandler, Consumer, Delivery, HandlerError, ItemOutcome};
    use db::{SystemTx, outbox};
    use std::sync::{Arc, Mutex};

    struct Keep(Arc<Mutex<Vec<Delivery>>>);
    impl BatchHandler for Keep {
        async fn handle(
            &self,
            _tx: &mut SystemTx,
            batch: &[Delivery],
        ) -> Result<Vec<ItemOutcome>, HandlerError> {
            self.0
                .lock()
                .expect("not poisoned")
                .extend_from_slice(batch);
            Ok(vec![ItemOutcome::Done; batch.len()])
        }
    }

    let stage = Stage::new().await;
    let kept = Arc::new(Mutex::new(Vec::new()));
    let mut desk = Running::start(stage.config(), crate::stage::desk()).await;
    let consumer = Consumer::new(
        stage.desk.clone(),
        desk.bus.clone(),
        &ORDERS,
        Keep(Arc::clone(&kept)),
    );
    desk.tasks.spawn(consumer.run(desk.shutdown.clone()));
    let _shop = Running::shop(&stage, stage.config()).await;
    let event = outbox::Event {
        event_id: EventId::generate(),
        organization_id: Some(ids::OrganizationId::generate()),
        event_type: "shop.events.v1.OrderPlaced",
        routing_key: ORDERS.routing_key.to_owned(),
        key: "order-1".to_owned(),
        payload: vec![0, 255, 7],
        headers: outbox::OutboxHeaders {
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
            actor: Some("system:test".to_owned()),
            causation_id: Some(EventId::generate()),
            aggregate_version: Some(4),
        },
        occurred_at: chrono::DateTime::from_timestamp_millis(1_700_000_000_123)
            .expect("a valid time"),
    };
    let mut tx = SystemTx::begin(&stage.shop, "test").await.expect("begin");
    outbox::push(&mut tx, std::slice::from_ref(&event))
        .await
        .expect("push");
    tx.commit().await.expect("commit");
    let delivery = eventually(SOON, || async {
        kept.lock().expect("not poisoned").first().cloned()
    })
    .await;
    assert_eq!(
        delivery.envelope,
        Envelope {
            event_id: event.event_id,
            event_type: event.event_type.to_owned(),
            organization_id: event.organization_id,
            key: event.key,
            occurred_at: event.occurred_at,
            traceparent: event.headers.traceparent,
            causation_id: event.headers.causation_id,
            actor: event.headers.actor,
            aggregate_version: event.headers.aggregate_version,
        }
    );
    assert_eq!(
        (
            delivery.exchange.as_str(),
            delivery.routing_key.as_str(),
            delivery.payload,
            delivery.attempts
        ),
        (ORDERS.exchange, ORDERS.routing_key, event.payload, 0)
    );
}
