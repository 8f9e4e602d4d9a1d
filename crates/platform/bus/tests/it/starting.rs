//! The topology as it is declared, and the refusal to start on another one.

use bus::{Bus, BusConfig, BusError, Object, Topology};
use secrecy::SecretString;
use serde_json::json;
use testkit::{ChaosProxy, Mode, TestBroker};
use tokio_util::sync::CancellationToken;

use crate::stage::{ORDERS, Running, SOON, config, desk, graveyard, parts, shop};

#[tokio::test(flavor = "multi_thread")]
async fn every_queue_has_a_limit_and_a_place_for_what_exceeds_it() {
    let broker = TestBroker::new().await;
    let desk = Running::start(config(&broker.url()), desk()).await;
    let queue = broker
        .get(&format!("/queues/{{vhost}}/{}", ORDERS.queue))
        .await
        .expect("the queue");
    assert_eq!(
        queue.get("arguments"),
        Some(&json!({
            "x-queue-type": "quorum",
            "x-delivery-limit": 8,
            "x-dead-letter-exchange": "desk.dlx",
            "x-dead-letter-routing-key": ORDERS.queue,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }))
    );
    let dead = broker
        .get(&format!("/queues/{{vhost}}/{}", graveyard()))
        .await
        .expect("its graveyard");
    assert_eq!(dead.get("type"), Some(&json!("quorum")));
    let exchange = broker
        .get("/exchanges/{vhost}/shop.events")
        .await
        .expect("the producer's exchange");
    assert_eq!(
        (exchange.get("type"), exchange.get("durable")),
        (Some(&json!("topic")), Some(&json!(true)))
    );
    desk.stop().await;
}

/// Why a service does not go on.
async fn refusal(settings: BusConfig, topology: Topology) -> BusError {
    let bus = Bus::open(settings, topology, parts()).expect("a bus");
    let ended = tokio::time::timeout(SOON, bus.run(CancellationToken::new())).await;
    ended.expect("in time").expect_err("it must not go on")
}

/// D-14.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_without_limit_or_without_dead_letters_refuses_the_start_and_is_named() {
    let without_dead_letters = json!({"x-queue-type": "quorum", "x-delivery-limit": 8});
    let without_limit = json!({
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": "desk.dlx",
        "x-dead-letter-routing-key": ORDERS.queue,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    });
    for (arguments, missing) in [
        (without_dead_letters, "x-dead-letter-exchange"),
        (without_limit, "x-delivery-limit"),
    ] {
        let broker = TestBroker::new().await;
        let path = format!("/queues/{{vhost}}/{}", ORDERS.queue);
        let old = json!({"durable": true, "arguments": arguments});
        assert!(broker.put(&path, &old).await);
        let error = refusal(config(&broker.url()), desk()).await;
        let BusError::Drift(drift) = &error else {
            panic!("{error:?}")
        };
        assert_eq!(
            (drift.object, drift.name.as_str()),
            (Object::Queue, ORDERS.queue)
        );
        let sentence = error.to_string();
        for part in [ORDERS.queue, missing, "delete the queue"] {
            assert!(sentence.contains(part), "{part} is missing in: {sentence}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_of_another_type_refuses_the_start_and_is_named() {
    let broker = TestBroker::new().await;
    let fanout = json!({"type": "fanout", "durable": true});
    assert!(broker.put("/exchanges/{vhost}/shop.events", &fanout).await);
    let error = refusal(config(&broker.url()), shop()).await;
    let BusError::Drift(drift) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (drift.object, drift.name.as_str()),
        (Object::Exchange, "shop.events")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_found_once_the_broker_is_back_ends_a_service_that_started_without_it() {
    let broker = TestBroker::new().await;
    let path = format!("/queues/{{vhost}}/{}", ORDERS.queue);
    assert!(broker.put(&path, &json!({"durable": true})).await);
    let proxy = ChaosProxy::start(&broker.url()).await;
    proxy.set(Mode::Refuse);
    let settings = config(&proxy.route(&broker.url()));
    let returns = async {
        // The first attempt is under way by now.
        tokio::task::yield_now().await;
        proxy.set(Mode::Pass);
    };
    let (error, ()) = tokio::join!(refusal(settings, desk()), returns);
    assert!(matches!(error, BusError::Drift(_)), "{error:?}");
}

#[tokio::test]
async fn unusable_settings_are_refused_before_anything_is_opened() {
    let mut settings = config("amqp://127.0.0.1:1/x");
    settings.url = SecretString::from("not a url");
    settings.prefetch = 0;
    let error = Bus::open(settings, shop(), parts()).expect_err("unusable");
    let BusError::Config(problems) = error else {
        panic!("{error:?}")
    };
    assert!(problems.len() >= 2, "{problems:?}");
}
