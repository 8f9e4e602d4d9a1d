use std::time::Duration;

use db::{
    deferred::{self, Claimed, Decision, Due, Failure, Fate, Filter, MAX_ATTEMPTS},
    page::Pager,
};
use ids::{EventId, OrganizationId};
use serde_json::json;

use crate::fixture::Fixture;

const CONSUMER: &str = "messaging.on-whatsapp-received";
const LEASE: Duration = Duration::from_mins(1);

fn failure(event_id: EventId) -> Failure {
    Failure {
        event_id,
        organization_id: Some(OrganizationId::generate()),
        event_type: "switchboard.edge.events.v1.WhatsappReceived".to_owned(),
        payload: vec![7].into(),
        headers: json!({ "traceparent": "00-1-2-01" }),
        error: "contact is missing".to_owned(),
        permanent: false,
    }
}

async fn record(fixture: &Fixture, failures: &[Failure]) {
    let mut tx = fixture.system().await;
    deferred::record_failures(&mut tx, CONSUMER, failures)
        .await
        .expect("record");
    tx.commit().await.expect("commit");
}

async fn due(fixture: &Fixture) -> Vec<Due> {
    claim(fixture).await.due
}

async fn claim(fixture: &Fixture) -> Claimed {
    let mut tx = fixture.system().await;
    let claimed = deferred::due(&mut tx, CONSUMER, 10, LEASE)
        .await
        .expect("due");
    tx.commit().await.expect("commit");
    claimed
}

async fn fail(fixture: &Fixture, due: &Due) -> Fate {
    let mut tx = fixture.system().await;
    let fate = deferred::record_failure(&mut tx, due, "still missing", false)
        .await
        .expect("record");
    tx.commit().await.expect("commit");
    fate
}

async fn dead(fixture: &Fixture) -> Vec<deferred::DeadLetter> {
    let mut tx = fixture.system().await;
    let page = Pager::new("dead letters", &Filter::default(), 0, "").expect("no token");
    deferred::list(&mut tx, &Filter::default(), &page)
        .await
        .expect("list")
        .items
}

#[tokio::test]
async fn a_failing_event_climbs_the_ladder_and_is_dead_at_its_end() {
    let fixture = Fixture::new().await;
    let event_id = EventId::generate();
    record(&fixture, &[failure(event_id)]).await;
    let mut waits = Vec::new();
    for attempt in 2..=MAX_ATTEMPTS {
        let now = fixture.db.clock().now();
        let handed = due(&fixture).await;
        assert_eq!(handed.len(), 1, "attempt {attempt}");
        assert_eq!(handed[0].attempt, attempt);
        assert_eq!(due(&fixture).await, [], "handed out twice");
        let Fate::RetryAt(at) = fail(&fixture, &handed[0]).await else {
            assert_eq!(attempt, MAX_ATTEMPTS);
            break;
        };
        let wait = (at - now).to_std().expect("later");
        waits.push(wait);
        if !wait.is_zero() {
            fixture.hand.set(at - chrono::TimeDelta::milliseconds(1));
            assert_eq!(due(&fixture).await, [], "too early");
            fixture.hand.set(at);
        }
    }
    // The first retry is at once too: the event was handed out above without moving the clock.
    let expected = [0.0, 0.0, 10.0, 30.0, 120.0, 600.0, 3_600.0];
    assert_eq!(waits.len(), expected.len());
    for (wait, step) in waits.iter().zip(expected) {
        let (low, high) = (step * 0.8, step * 1.2);
        assert!((low..=high).contains(&wait.as_secs_f64()), "{waits:?}");
    }
    fixture.hand.advance(Duration::from_hours(1_000));
    assert_eq!(due(&fixture).await, []);
    let letters = dead(&fixture).await;
    assert_eq!(letters[0].event_id, event_id);
    assert_eq!(letters[0].last_error, "still missing");
    assert_eq!(letters[0].headers["traceparent"], "00-1-2-01");
}

#[tokio::test]
async fn what_can_not_be_decoded_is_dead_at_once_and_its_neighbours_are_not() {
    let fixture = Fixture::new().await;
    let mut broken = failure(EventId::generate());
    broken.permanent = true;
    record(&fixture, &[broken.clone(), failure(EventId::generate())]).await;
    assert_eq!(due(&fixture).await.len(), 1);
    assert_eq!(dead(&fixture).await[0].event_id, broken.event_id);
}

#[tokio::test]
async fn an_event_that_kills_its_consumer_is_counted_and_dead_in_the_end() {
    let fixture = Fixture::new().await;
    record(&fixture, &[failure(EventId::generate())]).await;
    for _ in 2..=MAX_ATTEMPTS {
        assert_eq!(due(&fixture).await.len(), 1);
        fixture.hand.advance(LEASE);
    }
    let Claimed { due, exhausted } = claim(&fixture).await;
    assert_eq!((due.len(), exhausted.len()), (0, 1), "its death is told");
    let letters = dead(&fixture).await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].event_id, exhausted[0].event_id);
    assert!(
        letters[0].last_error.contains("never ended"),
        "{}",
        letters[0].last_error
    );
    assert_eq!(letters[0].payload_bytes, 1);
}

#[tokio::test]
async fn a_processed_event_is_gone_and_a_late_worker_is_told() {
    let fixture = Fixture::new().await;
    record(&fixture, &[failure(EventId::generate())]).await;
    let slow = due(&fixture).await;
    fixture.hand.advance(LEASE);
    let fast = due(&fixture).await;
    let mut tx = fixture.system().await;
    assert!(!deferred::resolve(&mut tx, &slow[0]).await.expect("resolve"));
    assert_eq!(fail(&fixture, &slow[0]).await, Fate::Taken);
    assert!(deferred::resolve(&mut tx, &fast[0]).await.expect("resolve"));
    tx.commit().await.expect("commit");
    assert_eq!(fixture.count("deferred_deliveries").await, 0);
}

#[tokio::test]
async fn a_dead_letter_is_replayed_once_and_the_decision_is_kept() {
    let fixture = Fixture::new().await;
    let mut broken = failure(EventId::generate());
    broken.permanent = true;
    record(&fixture, &[broken.clone()]).await;
    let letter = dead(&fixture).await.remove(0);
    let decision = Decision {
        by: "user:usr_1".to_owned(),
        reason: "fixed in the last release".to_owned(),
    };
    let only = Filter {
        id: Some(letter.id),
        ..Filter::default()
    };
    for replayed in [1, 0] {
        let mut tx = fixture.system().await;
        assert_eq!(
            deferred::replay(&mut tx, &only, &decision)
                .await
                .expect("replay"),
            replayed
        );
        tx.commit().await.expect("commit");
    }
    let handed = due(&fixture).await;
    assert_eq!(
        (handed[0].attempt, handed[0].event_id),
        (1, broken.event_id)
    );
    let mut tx = fixture.system().await;
    assert!(
        deferred::resolve(&mut tx, &handed[0])
            .await
            .expect("resolve")
    );
    tx.commit().await.expect("commit");
    let (state, by): (String, String) =
        sqlx::query_as("select state, decided_by from dbtest_a.deferred_deliveries")
            .fetch_one(&mut fixture.database.admin().await)
            .await
            .expect("the row stays");
    assert_eq!((state.as_str(), by.as_str()), ("replayed", "user:usr_1"));
}

#[tokio::test]
async fn filters_choose_what_is_discarded_and_a_discarded_one_stays_so() {
    let fixture = Fixture::new().await;
    let mut letters: Vec<Failure> = (0..3).map(|_| failure(EventId::generate())).collect();
    for letter in &mut letters {
        letter.permanent = true;
    }
    record(&fixture, &letters).await;
    let decision = Decision {
        by: "service:ops".to_owned(),
        reason: "test data".to_owned(),
    };
    let of_one_tenant = Filter {
        consumer: Some(CONSUMER.to_owned()),
        organization_id: letters[1].organization_id,
        ..Filter::default()
    };
    let mut tx = fixture.system().await;
    assert_eq!(
        deferred::discard(&mut tx, &of_one_tenant, &decision)
            .await
            .expect("discard"),
        1
    );
    tx.commit().await.expect("commit");
    assert_eq!(dead(&fixture).await.len(), 2);
    // The broker delivers it again.
    record(&fixture, &[failure(letters[1].event_id)]).await;
    assert_eq!(due(&fixture).await, []);
    let mut tx = fixture.system().await;
    let id = dead(&fixture).await[0].id;
    assert!(deferred::find(&mut tx, id).await.expect("find").is_some());
}

#[tokio::test]
async fn dead_letters_are_listed_page_by_page() {
    let fixture = Fixture::new().await;
    for _ in 0..5 {
        let mut letter = failure(EventId::generate());
        letter.permanent = true;
        record(&fixture, &[letter]).await;
        fixture.hand.advance(Duration::from_secs(1));
    }
    let (mut token, mut seen) = (String::new(), Vec::new());
    loop {
        let page = Pager::new("dead letters", &Filter::default(), 2, &token)
            .expect("a token of this list");
        let mut tx = fixture.system().await;
        let page = deferred::list(&mut tx, &Filter::default(), &page)
            .await
            .expect("list");
        assert!(page.items.len() <= 2);
        seen.extend(page.items.into_iter().map(|letter| letter.first_failed_at));
        match page.next {
            Some(next) => token = next,
            None => break,
        }
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted());
}
