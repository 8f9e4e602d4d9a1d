//! What a publisher says about its messages.

use bus::{BusError, Envelope, LinkHealth, Outgoing, PublishOutcome};
use clock::Clock;
use ids::EventId;
use testkit::{ChaosProxy, Mode, TestBroker, eventually};

use crate::stage::{ORDERS, Running, SOON, config, desk, shop};

fn envelopes(count: usize) -> Vec<Envelope> {
    let make = |_index| Envelope {
        event_id: EventId::generate(),
        event_type: "shop.events.v1.OrderPlaced".to_owned(),
        organization_id: None,
        key: String::new(),
        occurred_at: Clock::system().now(),
        traceparent: None,
        causation_id: None,
        actor: None,
        aggregate_version: None,
    };
    (0..count).map(make).collect()
}

fn outgoing(
    envelopes: &[Envelope],
    routing_key: impl Fn(usize) -> &'static str,
) -> Vec<Outgoing<'_>> {
    let address = |(index, envelope)| Outgoing {
        exchange: ORDERS.exchange,
        routing_key: routing_key(index),
        envelope,
        payload: b"an order",
    };
    envelopes.iter().enumerate().map(address).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn among_many_messages_in_flight_exactly_the_unroutable_ones_are_returned() {
    let broker = TestBroker::new().await;
    let desk = Running::start(config(&broker.url()), desk()).await;
    let shop = Running::start(config(&broker.url()), shop()).await;
    shop.wait_until_up().await;
    let nobody = |index| index % 7 == 3;
    let key = |index| {
        if nobody(index) {
            "shop.order.lost.v1"
        } else {
            ORDERS.routing_key
        }
    };
    let mut publisher = shop.bus.publisher();
    for _round in 0..4 {
        let envelopes = envelopes(500);
        let outcomes = publisher
            .publish(&outgoing(&envelopes, key))
            .await
            .expect("sent");
        for (index, outcome) in outcomes.iter().enumerate() {
            let returned =
                matches!(outcome, PublishOutcome::Returned(reason) if reason == "NO_ROUTE");
            assert!(returned == nobody(index), "{index}: {outcome:?}");
            assert!(
                returned || *outcome == PublishOutcome::Confirmed,
                "{index}: {outcome:?}"
            );
        }
    }
    shop.stop().await;
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_a_confirm_in_time_is_unknown_and_the_next_ones_are_not_confused() {
    let broker = TestBroker::new().await;
    let _desk = Running::start(config(&broker.url()), desk()).await;
    let proxy = ChaosProxy::start(&broker.url()).await;
    let mut settings = config(&proxy.route(&broker.url()));
    settings.confirm_timeout_ms = 300;
    settings.heartbeat_s = 30;
    let shop = Running::start(settings, shop()).await;
    shop.wait_until_up().await;
    let mut publisher = shop.bus.publisher();
    let first = envelopes(3);
    let routed = |_index: usize| ORDERS.routing_key;
    publisher
        .publish(&outgoing(&first, routed))
        .await
        .expect("sent");

    proxy.set(Mode::BlackHole);
    let lost = envelopes(3);
    let outcomes = publisher
        .publish(&outgoing(&lost, routed))
        .await
        .expect("sent");
    assert_eq!(outcomes, vec![PublishOutcome::Unknown; 3]);

    proxy.set(Mode::Pass);
    let next = envelopes(20);
    let outcomes = eventually(SOON, || async {
        let mut publisher = shop.bus.publisher();
        publisher.publish(&outgoing(&next, routed)).await.ok()
    })
    .await;
    assert_eq!(outcomes, vec![PublishOutcome::Confirmed; 20]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_while_there_is_no_connection() {
    let broker = TestBroker::new().await;
    let proxy = ChaosProxy::start(&broker.url()).await;
    let shop = Running::start(config(&proxy.route(&broker.url())), shop()).await;
    shop.wait_until_up().await;
    proxy.set(Mode::Refuse);
    proxy.cut();
    eventually(SOON, || async {
        shop.bus.health().publishing == LinkHealth::Connecting
    })
    .await;
    let envelopes = envelopes(1);
    let refused = shop
        .bus
        .publisher()
        .publish(&outgoing(&envelopes, |_| ORDERS.routing_key))
        .await;
    assert!(
        matches!(refused, Err(BusError::NotConnected)),
        "{refused:?}"
    );
}
