use bus::Envelope;
use chrono::TimeDelta;
use serde_json::{Value, json};
use testkit::TestDb;

use super::*;
use crate::domain::suppression::Reason;

fn day(day: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_760_000_000, 0).unwrap() + TimeDelta::days(day)
}

struct Stage {
    database: TestDb,
    handler: OnResendReceived,
}

impl Stage {
    async fn new() -> Self {
        Self {
            database: TestDb::new("identity", &[("identity", &crate::MIGRATOR)]).await,
            handler: OnResendReceived {
                addresses: AddressKey::random(),
            },
        }
    }

    async fn handle(&self, batch: &[Delivery]) -> Vec<ItemOutcome> {
        let db = self.database.db("identity").await;
        let mut tx = SystemTx::begin(&db, "test").await.unwrap();
        let outcomes = self.handler.handle(&mut tx, batch).await.unwrap();
        tx.commit().await.unwrap();
        outcomes
    }

    async fn reports(&self, address: &str) -> Reports {
        let db = self.database.db("identity").await;
        let mut tx = SystemTx::begin(&db, "test").await.unwrap();
        let address = self.handler.addresses.hash(&EmailKey::new(address));
        suppressions::find(&mut tx, &address).await.unwrap()
    }

    async fn proved(&self, address: &str, at: DateTime<Utc>) {
        let db = self.database.db("identity").await;
        let mut tx = SystemTx::begin(&db, "test").await.unwrap();
        let address = self.handler.addresses.hash(&EmailKey::new(address));
        let proof = Reports {
            proved: Some(at),
            ..Reports::default()
        };
        suppressions::add(&mut tx, &address, &proof).await.unwrap();
        tx.commit().await.unwrap();
    }
}

fn webhook(kind: &str, to: &str, at: DateTime<Utc>, more: &Value) -> Vec<u8> {
    let mut data = json!({"email_id": "1", "to": [to], "tags": {"letter": "invitation"}});
    let more = more.as_object().unwrap().clone();
    data.as_object_mut().unwrap().extend(more);
    let body = json!({"type": kind, "created_at": at.to_rfc3339(), "data": data});
    body.to_string().into_bytes()
}

fn delivery(body: Vec<u8>) -> Delivery {
    let received = ResendReceived {
        webhook_id: "wh_1".to_owned(),
        delivery_id: "msg_1".to_owned(),
        body,
        received_at: Some(day(9).into()),
    };
    let event = bus::event(&received, None, None, day(9));
    Delivery {
        envelope: Envelope {
            event_id: event.event_id,
            event_type: event.event_type.to_owned(),
            organization_id: None,
            key: event.key,
            occurred_at: day(9),
            traceparent: None,
            causation_id: None,
            actor: None,
            aggregate_version: None,
        },
        exchange: SUBSCRIPTION.exchange.to_owned(),
        routing_key: event.routing_key,
        payload: event.payload,
        attempts: 0,
    }
}

fn bounce(kind: &str, to: &str, at: DateTime<Utc>) -> Delivery {
    let more = json!({"bounce": {"type": kind, "subType": "General", "message": "550"}});
    delivery(webhook("email.bounced", to, at, &more))
}

fn complaint(to: &str, at: DateTime<Utc>) -> Delivery {
    delivery(webhook("email.complained", to, at, &json!({})))
}

#[tokio::test(flavor = "multi_thread")]
async fn only_bounces_for_good_complaints_and_refusals_stop_mail() {
    let stage = Stage::new().await;
    let other = |kind, to| delivery(webhook(kind, to, day(0), &json!({})));
    let batch = [
        bounce("Permanent", "Gone@Example.com", day(0)),
        bounce("Transient", "full@example.com", day(0)),
        bounce("Undetermined", "odd@example.com", day(0)),
        complaint("angry@example.com", day(0)),
        other("email.suppressed", "refused@example.com"),
        other("email.delivered", "fine@example.com"),
        other("email.delivery_delayed", "slow@example.com"),
        other("domain.updated", "x@example.com"),
    ];
    assert_eq!(stage.handle(&batch).await, vec![ItemOutcome::Done; 8]);
    for (address, expected) in [
        ("gone@example.com", Some(Reason::Bounced)),
        ("refused@example.com", Some(Reason::Bounced)),
        ("angry@example.com", Some(Reason::Complained)),
        ("full@example.com", None),
        ("odd@example.com", None),
        ("fine@example.com", None),
        ("slow@example.com", None),
    ] {
        assert_eq!(
            stage.reports(address).await.stops(day(1)),
            expected,
            "{address}"
        );
    }
    let rows: i64 = sqlx::query_scalar("select count(*) from identity.mail_suppressions")
        .fetch_one(&mut stage.database.admin().await)
        .await
        .unwrap();
    assert_eq!(rows, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_and_late_events_change_nothing() {
    let stage = Stage::new().await;
    let (ada, bob) = ("ada@example.com", "bob@example.com");
    let batch = |to| {
        [
            bounce("Permanent", to, day(2)),
            complaint(to, day(1)),
            bounce("Permanent", to, day(0)),
            bounce("Permanent", to, day(2)),
        ]
    };
    stage.handle(&batch(ada)).await;
    let mut backwards = batch(bob).to_vec();
    backwards.reverse();
    for one in backwards {
        stage.handle(&[one]).await;
    }
    let reports = stage.reports(ada).await;
    assert_eq!(
        (reports.bounced, reports.complained),
        (Some(day(2)), Some(day(1)))
    );
    assert_eq!(stage.reports(bob).await, reports);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bounce_from_before_a_proof_stops_nothing_however_late_it_comes() {
    let stage = Stage::new().await;
    let ada = "ada@example.com";
    stage.proved(ada, day(2)).await;
    stage.handle(&[bounce("Permanent", ada, day(1))]).await;
    assert_eq!(stage.reports(ada).await.stops(day(3)), None);
    stage.handle(&[bounce("Permanent", ada, day(3))]).await;
    let stops = stage.reports(ada).await.stops(day(3));
    assert_eq!(stops, Some(Reason::Bounced));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_lies_ahead_counts_as_the_time_we_heard_of_it() {
    let stage = Stage::new().await;
    stage
        .handle(&[bounce("Permanent", "ada@example.com", day(400))])
        .await;
    let reports = stage.reports("ada@example.com").await;
    assert_eq!(reports.bounced, Some(day(9)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_read_is_dead_and_takes_nothing_along() {
    let stage = Stage::new().await;
    let mut broken = complaint("eve@example.com", day(0));
    broken.payload = vec![0xff];
    let batch = [
        delivery(b"not json".to_vec()),
        broken,
        bounce("Permanent", "gone@example.com", day(0)),
    ];
    let outcomes = stage.handle(&batch).await;
    let dead: Vec<bool> = outcomes
        .iter()
        .map(|outcome| matches!(outcome, ItemOutcome::Dead(_)))
        .collect();
    assert_eq!(dead, [true, true, false]);
    let printed = format!("{outcomes:?}");
    assert!(
        !printed.contains("not json") && !printed.contains('@'),
        "{printed}"
    );
    assert!(stage.reports("gone@example.com").await.bounced.is_some());
}
