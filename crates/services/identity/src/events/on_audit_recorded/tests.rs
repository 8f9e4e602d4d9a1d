use bus::Envelope;
use chrono::{DateTime, Utc};
use testkit::TestDb;

use super::*;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_760_000_000, 0).unwrap()
}

/// A database with one organization.
async fn stage() -> (TestDb, OrganizationId) {
    let database = TestDb::new("identity", &[("identity", &crate::MIGRATOR)]).await;
    let id = OrganizationId::generate();
    sqlx::query(
        "insert into identity.organizations (organization_id, name, created_at) values ($1, 'Kopi', $2)",
    )
    .bind(id.as_uuid())
    .bind(now())
    .execute(&mut database.admin().await)
    .await
    .unwrap();
    (database, id)
}

fn connected(target: &str) -> AuditRecorded {
    AuditRecorded {
        target: target.to_owned(),
        record: Some(AuditRecord {
            action: "channel.connected".to_owned(),
            after: r#"{"name":"Support","big":1e15}"#.to_owned(),
            address: "203.0.113.9".to_owned(),
            ..AuditRecord::default()
        }),
    }
}

fn delivery(organization_id: Option<OrganizationId>, recorded: &AuditRecorded) -> Delivery {
    let actor = Some("user:usr_1".to_owned());
    let event = bus::event(recorded, organization_id, actor.clone(), now());
    Delivery {
        envelope: Envelope {
            event_id: event.event_id,
            event_type: event.event_type.to_owned(),
            organization_id,
            key: event.key,
            occurred_at: now(),
            traceparent: None,
            causation_id: None,
            actor,
            aggregate_version: None,
        },
        exchange: SUBSCRIPTION.exchange.to_owned(),
        routing_key: event.routing_key,
        payload: event.payload,
        attempts: 0,
    }
}

async fn handle(database: &TestDb, batch: &[Delivery]) -> Vec<ItemOutcome> {
    let db = database.db("identity").await;
    let mut tx = SystemTx::begin(&db, "test").await.unwrap();
    let outcomes = OnAuditRecorded.handle(&mut tx, batch).await.unwrap();
    tx.commit().await.unwrap();
    outcomes
}

async fn targets(database: &TestDb) -> Vec<String> {
    sqlx::query_scalar("select target from identity.audit_entries order by seq")
        .fetch_all(&mut database.admin().await)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_adds_one_entry_however_often_it_comes() {
    let (database, id) = stage().await;
    let batch = [
        delivery(Some(id), &connected("ch_1")),
        delivery(Some(id), &connected("ch_2")),
    ];
    for _ in 0..2 {
        assert_eq!(
            handle(&database, &batch).await,
            [ItemOutcome::Done, ItemOutcome::Done]
        );
    }
    assert_eq!(targets(&database).await, ["ch_1", "ch_2"]);
    let actors: Vec<String> =
        sqlx::query_scalar("select distinct actor from identity.audit_entries")
            .fetch_all(&mut database.admin().await)
            .await
            .unwrap();
    assert_eq!(actors, ["user:usr_1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_the_database_writes_otherwise_breaks_no_chain() {
    use crate::domain::audit::Checkpoint;
    use ids::{Actor, TenantScope};

    let (database, id) = stage().await;
    handle(&database, &[delivery(Some(id), &connected("ch_1"))]).await;
    let db = database.db("identity").await;
    let scope = TenantScope {
        organization_id: id,
        actor: Actor::System("test"),
    };
    let mut tx = db::TenantTx::begin(&db, &scope).await.unwrap();
    let links = audit::walk(&mut tx, 0, 10).await.unwrap();
    assert!(Checkpoint::GENESIS.advance(&links[0]).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_become_an_entry_is_dead_and_takes_nothing_along() {
    let (database, id) = stage().await;
    let with = |change: fn(&mut AuditRecorded)| {
        let mut recorded = connected("ch_broken");
        change(&mut recorded);
        delivery(Some(id), &recorded)
    };
    let batch = [
        delivery(Some(id), &connected("ch_1")),
        delivery(None, &connected("ch_2")),
        with(|one| one.record = None),
        with(|one| one.record.as_mut().unwrap().after = "{".to_owned()),
        with(|one| one.record.as_mut().unwrap().after = r#"{"a":["\u0000"]}"#.to_owned()),
        with(|one| one.target = "\0".to_owned()),
        // Its organization is gone: nobody is left to read it.
        delivery(Some(OrganizationId::generate()), &connected("ch_3")),
    ];
    let dead: Vec<bool> = handle(&database, &batch)
        .await
        .iter()
        .map(|outcome| matches!(outcome, ItemOutcome::Dead(_)))
        .collect();
    assert_eq!(dead, [false, true, true, true, true, true, false]);
    assert_eq!(targets(&database).await, ["ch_1"]);
}
