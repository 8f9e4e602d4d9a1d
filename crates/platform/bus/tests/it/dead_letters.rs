//! What nobody could process, and what a person does about it.

use bus::dead_letters::{self, DeadLetterError, Decision, Details, Filter, Table};
use futures::StreamExt;
use ids::DeliveryId;
use lapin::{
    options::{BasicConsumeOptions, BasicRejectOptions},
    types::FieldTable,
};
use testkit::eventually;

use crate::stage::{Clerk, ORDERS, Running, SOON, Stage, graveyard, raw_channel};

fn decision() -> Decision {
    Decision {
        by: "operator".to_owned(),
        reason: "the order exists now".to_owned(),
    }
}

/// D-06.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_listed_and_shown_and_its_replay_has_one_effect() {
    let stage = Stage::new().await;
    let clerk = Clerk::default();
    let desk = Running::desk(&stage, stage.config(), clerk.clone()).await;
    let _shop = Running::shop(&stage, stage.config()).await;
    stage.place_orders(&["never", "fine"]).await;
    let all = Filter::default();
    let page = eventually(SOON, || async {
        let page = dead_letters::list(&stage.desk, &all, 0, "")
            .await
            .expect("a page");
        (!page.items.is_empty()).then_some(page)
    })
    .await;
    let letter = dead_letters::get(&stage.desk, page.items[0].id)
        .await
        .expect("it is there");
    assert_eq!(
        (letter.last_error.as_str(), letter.payload.as_slice()),
        ("no such order", &b"never"[..])
    );
    assert!(Table(&page).to_string().contains("no such order"));
    assert!(Details(&letter).to_string().contains(ORDERS.routing_key));

    clerk.heal();
    let this = Filter {
        id: Some(letter.id),
        ..Filter::default()
    };
    assert_eq!(
        dead_letters::replay(&stage.desk, &this, &decision())
            .await
            .expect("replayed"),
        1
    );
    let again = dead_letters::replay(&stage.desk, &this, &decision()).await;
    assert!(
        matches!(again, Err(DeadLetterError::NotFound(_))),
        "{again:?}"
    );
    assert_eq!(stage.wait_for_effects(2).await, ["fine", "never"]);
    desk.stop().await;
    assert_eq!(stage.effects().await, ["fine", "never"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_names_its_author_and_reason_and_an_existing_letter() {
    let stage = Stage::new().await;
    let nameless = Decision {
        by: " ".to_owned(),
        ..decision()
    };
    let refused = dead_letters::discard(&stage.desk, &Filter::default(), &nameless).await;
    assert!(
        matches!(refused, Err(DeadLetterError::DecisionIncomplete)),
        "{refused:?}"
    );
    let id = DeliveryId::generate();
    let unknown = Filter {
        id: Some(id),
        ..Filter::default()
    };
    let refused = dead_letters::discard(&stage.desk, &unknown, &decision()).await;
    assert!(
        matches!(refused, Err(DeadLetterError::NotFound(found)) if found == id),
        "{refused:?}"
    );
}

/// Somebody else's consumer: rejects everything, as ours never does.
async fn reject_all(stage: &Stage, requeue: bool, until_quiet_for: std::time::Duration) {
    let (_connection, channel) = raw_channel(stage).await;
    let mut consumer = channel
        .basic_consume(
            ORDERS.queue.into(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await
        .expect("consume");
    while let Ok(Some(delivery)) = tokio::time::timeout(until_quiet_for, consumer.next()).await {
        let delivery = delivery.expect("a delivery");
        delivery
            .reject(BasicRejectOptions { requeue })
            .await
            .expect("rejected");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_broker_redelivered_too_often_gets_a_chance_alone_and_what_was_rejected_is_dead() {
    let stage = Stage::new().await;
    let quiet = std::time::Duration::from_millis(800);
    Running::start(stage.config(), crate::stage::desk())
        .await
        .stop()
        .await;
    let _shop = Running::shop(&stage, stage.config()).await;
    stage.place_orders(&["innocent"]).await;
    eventually(SOON, || async { stage.unpublished().await == 0 }).await;
    reject_all(&stage, true, quiet).await;
    let rejected = stage.place_orders(&["rejected"]).await;
    eventually(SOON, || async { stage.unpublished().await == 0 }).await;
    reject_all(&stage, false, quiet).await;
    let buried = || async {
        let path = format!("/queues/{{vhost}}/{}", graveyard());
        (stage.broker.get(&path).await?.get("messages")?.as_u64()? == 2).then_some(())
    };
    eventually(SOON, buried).await;

    let desk = Running::desk(&stage, stage.config(), Clerk::default()).await;
    assert_eq!(stage.wait_for_effects(1).await, ["innocent"]);
    let (fate, _attempts, error) = eventually(SOON, || stage.deferred(rejected[0])).await;
    assert_eq!(
        (fate.as_str(), error.contains("rejected")),
        ("dead", true),
        "{error}"
    );
    desk.stop().await;
    assert_eq!(stage.effects().await, ["innocent"]);
}
