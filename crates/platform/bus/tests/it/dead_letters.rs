//! What nobody could process, and what a person does about it.

use bus::dead_letters::{self, CommandError, DeadLetterError, Decision, Details, Filter, Table};
use db::{SystemTx, deferred};
use futures::StreamExt;
use ids::{DeliveryId, EventId};
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
        (letter.last_error.as_str(), letter.payload_bytes),
        ("no such order", 5)
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

/// What the words after `dead-letters` print.
async fn command(stage: &Stage, words: &[&str]) -> Result<String, CommandError> {
    let words = ["dead-letters"].iter().chain(words);
    let arguments = dead_letters::command()
        .try_get_matches_from(words)
        .expect("understood");
    dead_letters::execute(&stage.desk, &arguments).await
}

async fn dies(stage: &Stage, consumer: &str, error: &str) {
    let failure = deferred::Failure {
        event_id: EventId::generate(),
        organization_id: None,
        event_type: "shop.events.v1.OrderPlaced".to_owned(),
        payload: b"what a customer wrote".to_vec().into(),
        headers: serde_json::json!({}),
        error: error.to_owned(),
        permanent: true,
    };
    let mut tx = SystemTx::begin(&stage.desk, "test").await.expect("begin");
    deferred::record_failures(&mut tx, consumer, &[failure])
        .await
        .expect("recorded");
    tx.commit().await.expect("commit");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_lists_shows_replays_and_discards_from_the_command_line() {
    let stage = Stage::new().await;
    for (consumer, error) in [("a", "first"), ("a", "second"), ("b", "third")] {
        dies(&stage, consumer, error).await;
    }
    let run = async |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        command(&stage, &words).await
    };

    let page = run("list --consumer a --limit 1").await.expect("a page");
    let (first, more) = page.split_once("\nmore: --token ").expect("two pages");
    let next = format!("list --consumer a --limit 1 --token {}", more.trim());
    let next = run(&next).await.expect("the next page");
    assert!(
        first.contains("first") && next.contains("second"),
        "{page}{next}"
    );
    assert!(!next.contains("more:"), "{next}");
    let other = format!("list --token {}", more.trim());
    let other = run(&other).await;
    assert!(
        matches!(
            other,
            Err(CommandError::DeadLetters(DeadLetterError::PageToken(_)))
        ),
        "{other:?}"
    );

    let id = first.split(' ').next().expect("an id");
    let shown = run(&format!("show {id}")).await.expect("it is there");
    assert!(
        shown.contains("21 bytes") && !shown.contains("wrote"),
        "{shown}"
    );

    let discarded = run(&format!("discard {id} --reason duplicate --by ada")).await;
    assert_eq!(discarded.expect("discarded"), "1 discarded\n");
    let gone = run(&format!("show {id}")).await;
    assert!(
        matches!(
            gone,
            Err(CommandError::DeadLetters(DeadLetterError::NotFound(_)))
        ),
        "{gone:?}"
    );

    let replayed = run("replay --consumer a --reason fixed").await;
    assert_eq!(
        replayed.expect("replayed"),
        "1 handed to the consumer again\n"
    );
    let left = run("list").await.expect("a page");
    assert!(
        left.contains("third") && left.lines().count() == 1,
        "{left}"
    );
    assert_eq!(
        decisions(&stage).await,
        [
            ("first", "discarded", "ada", "duplicate"),
            ("second", "waiting", "operator", "fixed"),
        ]
        .map(|(error, state, by, reason)| [error, state, by, reason].map(str::to_owned))
    );
}

/// Error, state, author and reason of what was decided.
async fn decisions(stage: &Stage) -> Vec<[String; 4]> {
    let mut tx = SystemTx::begin(&stage.desk, "test").await.expect("begin");
    let rows: Vec<(String, String, String, String)> = sqlx::query_as(
        "select last_error, state, decided_by, decided_reason from desk.deferred_deliveries
         where decided_at is not null order by last_error",
    )
    .fetch_all(tx.conn())
    .await
    .expect("rows");
    rows.into_iter()
        .map(|(error, state, by, reason)| [error, state, by, reason])
        .collect()
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
