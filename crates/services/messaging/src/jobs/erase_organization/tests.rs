use std::time::Duration;

use bus::{BatchHandler, Delivery, Envelope, ItemOutcome};
use ids::EventId;
use prost::Message;
use proto::{events::DomainEvent, identity::events::v1::OrganizationErased};

use super::*;
use crate::{
    events::on_organization_erased::{OnOrganizationErased, SUBSCRIPTION},
    fixture::Fixture,
};

fn delivery(fixture: &Fixture, organization_id: &str) -> Delivery {
    let event = OrganizationErased {
        organization_id: organization_id.to_owned(),
        erased_at: None,
    };
    Delivery {
        envelope: Envelope {
            event_id: EventId::generate_at(fixture.db.clock().unix_ms()),
            event_type: OrganizationErased::SPEC.event_type.to_owned(),
            organization_id: None,
            key: organization_id.to_owned(),
            occurred_at: fixture.now(),
            traceparent: None,
            causation_id: None,
            actor: None,
            aggregate_version: None,
        },
        exchange: SUBSCRIPTION.exchange.to_owned(),
        routing_key: SUBSCRIPTION.routing_key.to_owned(),
        payload: event.encode_to_vec(),
        attempts: 0,
    }
}

async fn hear(fixture: &Fixture, organization_id: &str) -> Vec<ItemOutcome> {
    let handler = OnOrganizationErased {
        clock: fixture.db.clock().clone(),
    };
    let mut tx = fixture.system().await;
    let batch = [delivery(fixture, organization_id)];
    let outcomes = handler.handle(&mut tx, &batch).await.expect("outcomes");
    tx.commit().await.expect("commit");
    outcomes
}

/// Tables of tenants, and how many rows of the organization each has.
async fn rows(fixture: &Fixture, id: OrganizationId) -> Vec<(String, i64)> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.table_name::text from information_schema.columns c
         join pg_class t on t.oid = format('messaging.%I', c.table_name)::regclass
         where c.table_schema = 'messaging' and c.column_name = 'organization_id' and not t.relispartition
         order by 1",
    )
    .fetch_all(&mut fixture.admin().await)
    .await
    .expect("tables");
    let mut rows = Vec::new();
    for table in tables {
        let of = format!("{table} where organization_id = '{}'", id.as_uuid());
        let count = fixture.count(&of).await;
        rows.push((table, count));
    }
    rows
}

async fn work_until_done(fixture: &Fixture) {
    while pass(&fixture.engine).await.expect("a pass") {}
}

/// A number, a customer, a message on its way, and people who work on it.
async fn busy(fixture: &Fixture) {
    let thread = fixture.conversation("4930").await;
    let (of, conversation) = (fixture.route.organization_id.as_uuid(), thread.id.as_uuid());
    let inbox = format!(
        "insert into messaging.agents values ('{of}', '{of}', true, now());
         insert into messaging.teams values ('{of}', '{of}', false, now());
         insert into messaging.team_agents values ('{of}', '{of}', '{of}');
         insert into messaging.labels values ('{of}', '{of}', 'VIP', '#000000', now());
         insert into messaging.conversation_labels values ('{of}', '{conversation}', '{of}');
         insert into messaging.conversation_participants values ('{of}', '{conversation}', '{of}', now());
         insert into messaging.conversation_reads values ('{of}', '{conversation}', '{of}', 1, now());
         insert into messaging.mentions values ('{of}', '{of}', '{of}', '{conversation}');
         insert into messaging.views values ('{of}', '{of}', '{of}', false, 'n', '{{}}', now(), now());
         insert into messaging.canned_replies values ('{of}', '{of}', 'hi', 't', 'b', now(), now());"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(inbox))
        .execute(&mut fixture.admin().await)
        .await
        .expect("the inbox");
    let message = fixture.queue(thread, Duration::from_hours(1)).await;
    let lease = fixture.lease().await;
    fixture.begin(&lease, message).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_an_erased_organization_and_others_keep_everything() {
    let mut fixture = Fixture::new().await;
    busy(&fixture).await;
    let erased = fixture.route.organization_id;
    fixture.add_tenant("1002").await;
    let other = fixture.route.organization_id;
    let before = rows(&fixture, other).await;
    let outcomes = hear(&fixture, &erased.to_string()).await;
    assert!(matches!(outcomes[..], [ItemOutcome::Done]));
    work_until_done(&fixture).await;

    for (table, left) in rows(&fixture, erased).await {
        match table.as_str() {
            // Events end with their retention; destroyed keys stay as such.
            "outbox" => {}
            "data_keys" => assert_eq!(left, 1),
            _ => assert_eq!(left, 0, "{table}"),
        }
    }
    let readable = format!(
        "data_keys where wrapped is not null and organization_id = '{}'",
        erased.as_uuid()
    );
    assert_eq!(fixture.count(&readable).await, 0);
    assert_eq!(rows(&fixture, other).await, before);
}

/// A file of the organization, with a row and without.
async fn keep_files(fixture: &Fixture) {
    let store = &fixture.engine.files.store;
    let of = fixture.route.organization_id;
    for text in ["named", "nobody's"] {
        let mut file = store.spool_bytes(text.as_bytes()).await.expect("a file");
        store.keep(of, &mut file).await.expect("kept");
    }
    let mut tx = fixture.tenant().await;
    let (id, now) = (ids::MediaId::generate(), fixture.now());
    crate::store::media::insert_upload(tx.conn(), of, id, "image", "", now)
        .await
        .expect("a row");
    tx.commit().await.expect("commit");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_an_erased_organization_go_and_those_of_others_stay() {
    use futures::TryStreamExt as _;

    let mut fixture = Fixture::new().await;
    keep_files(&fixture).await;
    let erased = fixture.route.organization_id;
    fixture.add_tenant("1002").await;
    keep_files(&fixture).await;
    hear(&fixture, &erased.to_string()).await;
    work_until_done(&fixture).await;

    let kept = fixture.engine.files.store.list();
    let kept: Vec<blobs::Kept> = kept.try_collect().await.expect("files");
    let others = fixture.route.organization_id;
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|kept| kept.organization_id == others));
    assert_eq!(fixture.count("media").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_for_one_lease_goes_with_the_next() {
    let fixture = Fixture::new().await;
    let id = fixture.route.organization_id;
    let keys = i64::try_from(STEPS).expect("a number") * ROWS;
    let many = format!(
        "insert into messaging.message_keys
         select '{}', '{}', n::text, gen_random_uuid() from generate_series(0, {keys}) n",
        id.as_uuid(),
        fixture.route.channel_id.as_uuid(),
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(many))
        .execute(&mut fixture.admin().await)
        .await
        .expect("many rows");
    hear(&fixture, &id.to_string()).await;
    assert!(pass(&fixture.engine).await.expect("a pass"));
    assert!(fixture.count("message_keys").await > 0);
    work_until_done(&fixture).await;
    assert_eq!(fixture.count("message_keys").await, 0);
    assert_eq!(fixture.count("channels").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_names_no_organization_is_dead_and_does_nothing() {
    let fixture = Fixture::new().await;
    let outcomes = hear(&fixture, "ch_1").await;
    assert!(!matches!(outcomes[..], [ItemOutcome::Done]));
    assert_eq!(fixture.count("jobs").await, 0);
    assert_eq!(fixture.count("channels").await, 1);
}
