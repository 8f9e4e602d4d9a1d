use std::time::Duration;

use db::{
    SystemTx,
    outbox::{self, Refusal, Unpublished, Wake},
};
use ids::OrganizationId;
use sqlx::postgres::PgListener;
use testkit::eventually;
use tokio::task::JoinSet;

use crate::fixture::{Fixture, SOON, event, noon, push};

async fn unpublished(fixture: &Fixture) -> Vec<Unpublished> {
    let mut tx = fixture.system().await;
    let rows = outbox::unpublished(&mut tx, 100).await.expect("select");
    tx.commit().await.expect("commit");
    rows
}

fn keys(rows: &[Unpublished]) -> Vec<&str> {
    rows.iter().map(|row| row.key.as_str()).collect()
}

async fn pushed(fixture: &Fixture, keys: &[&str]) -> Vec<outbox::Event> {
    let organization = OrganizationId::generate();
    let events: Vec<_> = keys.iter().map(|key| event(organization, key)).collect();
    let mut tx = fixture.tenant(organization).await;
    push(&mut tx, &events).await;
    tx.commit().await.expect("commit");
    events
}

#[tokio::test]
async fn events_come_out_as_they_went_in_and_in_order() {
    let fixture = Fixture::new().await;
    let organization = OrganizationId::generate();
    let mut first = event(organization, "a");
    first.headers.traceparent = Some("00-1-2-01".to_owned());
    first.headers.aggregate_version = Some(4);
    let mut ours = event(organization, "b");
    ours.organization_id = None;
    let mut tx = fixture.system().await;
    push(&mut tx, &[first.clone(), ours.clone()]).await;
    tx.commit().await.expect("commit");
    let rows = unpublished(&fixture).await;
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].event_id, first.event_id);
    assert_eq!(rows[0].headers, first.headers);
    assert_eq!(
        (rows[0].payload.as_slice(), rows[0].occurred_at),
        (&[1, 2, 3][..], noon())
    );
    assert_eq!(
        (rows[1].event_id, rows[1].organization_id),
        (ours.event_id, None)
    );
}

#[tokio::test]
async fn what_is_marked_is_not_published_again() {
    let fixture = Fixture::new().await;
    pushed(&fixture, &["a", "b", "c"]).await;
    let rows = unpublished(&fixture).await;
    let mut tx = fixture.system().await;
    let marked = outbox::mark_published(&mut tx, &[rows[0].seq, rows[2].seq]).await;
    assert_eq!(marked.expect("mark"), 2);
    // Two relays may mark the same row.
    assert_eq!(
        outbox::mark_published(&mut tx, &[rows[0].seq])
            .await
            .expect("mark"),
        0
    );
    let backlog = outbox::backlog(&mut tx).await.expect("measure");
    assert_eq!((backlog.count, backlog.oldest_at), (1, Some(noon())));
    tx.commit().await.expect("commit");
    assert_eq!(keys(&unpublished(&fixture).await), ["b"]);
}

#[tokio::test]
async fn a_refused_event_holds_back_its_own_key_only() {
    let fixture = Fixture::new().await;
    pushed(&fixture, &["a", "b", "a", "", ""]).await;
    let rows = unpublished(&fixture).await;
    let refusal = |row: &Unpublished| Refusal {
        seq: row.seq,
        error: "no route".to_owned(),
        retry_after: Duration::from_secs(30),
    };
    let mut tx = fixture.system().await;
    outbox::mark_refused(&mut tx, &[refusal(&rows[0]), refusal(&rows[3])])
        .await
        .expect("mark");
    tx.commit().await.expect("commit");
    assert_eq!(keys(&unpublished(&fixture).await), ["b", ""]);
    fixture.hand.advance(Duration::from_secs(30));
    // The second of "a" waits for the first, which may be refused once more.
    let rows = unpublished(&fixture).await;
    assert_eq!(keys(&rows), ["a", "b", "", ""]);
    assert_eq!(rows[0].attempts, 1);
    let mut tx = fixture.system().await;
    outbox::mark_published(&mut tx, &[rows[0].seq])
        .await
        .expect("mark");
    tx.commit().await.expect("commit");
    assert_eq!(keys(&unpublished(&fixture).await), ["b", "a", "", ""]);
}

#[tokio::test]
async fn large_events_make_small_batches() {
    let fixture = Fixture::new().await;
    let organization = OrganizationId::generate();
    let mut events: Vec<_> = ["a", "b", "c", "d"]
        .map(|key| event(organization, key))
        .into();
    for event in &mut events {
        event.payload = vec![0; 6 * 1024 * 1024];
    }
    let mut tx = fixture.tenant(organization).await;
    push(&mut tx, &events).await;
    tx.commit().await.expect("commit");
    assert_eq!(keys(&unpublished(&fixture).await), ["a", "b", "c"]);
}

#[tokio::test]
async fn a_mark_does_not_wait_for_the_disk() {
    let fixture = Fixture::new().await;
    pushed(&fixture, &["a", "b"]).await;
    let rows = unpublished(&fixture).await;
    let refusal = Refusal {
        seq: rows[1].seq,
        error: "no route".to_owned(),
        retry_after: SOON,
    };
    let mut tx = durable(&fixture).await;
    outbox::mark_published(&mut tx, &[rows[0].seq])
        .await
        .expect("mark");
    assert_eq!(synchronous_commit(&mut tx).await, "off");
    drop(tx);
    let mut tx = durable(&fixture).await;
    outbox::mark_refused(&mut tx, &[refusal])
        .await
        .expect("mark");
    assert_eq!(synchronous_commit(&mut tx).await, "off");
}

/// As in production: the servers of tests never wait for the disk.
async fn durable(fixture: &Fixture) -> SystemTx {
    let mut tx = fixture.system().await;
    sqlx::query("set local synchronous_commit = on")
        .execute(tx.conn())
        .await
        .expect("set");
    assert_eq!(synchronous_commit(&mut tx).await, "on");
    tx
}

async fn synchronous_commit(tx: &mut SystemTx) -> String {
    sqlx::query_scalar("select current_setting('synchronous_commit')")
        .fetch_one(tx.conn())
        .await
        .expect("the setting")
}

/// Whether a relay of this database sleeps: it then holds the one advisory lock that is not shared.
async fn asleep(fixture: &Fixture) -> bool {
    sqlx::query_scalar(
        "select exists (select 1 from pg_locks l join pg_database d on d.oid = l.database
                        where d.datname = current_database() and l.locktype = 'advisory' and l.mode = 'ExclusiveLock')",
    )
    .fetch_one(&mut fixture.database.admin().await)
    .await
    .expect("look")
}

#[tokio::test]
async fn writers_notify_a_relay_that_sleeps_and_only_then() {
    let fixture = Fixture::new().await;
    let mut heard = PgListener::connect(&fixture.database.url("postgres"))
        .await
        .expect("listen");
    heard.listen("dbtest_a_outbox").await.expect("listen");
    // Nobody sleeps.
    pushed(&fixture, &["a"]).await;
    sqlx::query("select pg_notify('dbtest_a_outbox', 'marker')")
        .execute(&mut fixture.database.admin().await)
        .await
        .expect("notify");
    assert_eq!(
        heard.recv().await.expect("a notification").payload(),
        "marker"
    );

    let mut wake = Wake::relay(&fixture.db);
    let mut relay = JoinSet::new();
    relay.spawn(async move {
        loop {
            wake.wait().await;
        }
    });
    eventually(SOON, || asleep(&fixture)).await;
    pushed(&fixture, &["b"]).await;
    assert_eq!(heard.recv().await.expect("a notification").payload(), "");
}

#[tokio::test]
async fn a_relay_does_not_sleep_while_a_writer_that_saw_it_awake_is_about_to_commit() {
    let fixture = Fixture::new().await;
    let organization = OrganizationId::generate();
    let mut writer = fixture.tenant(organization).await;
    push(&mut writer, &[event(organization, "a")]).await;
    let mut wake = Wake::relay(&fixture.db);
    for _ in 0..5 {
        wake.wait().await;
        assert!(!asleep(&fixture).await);
    }
    writer.commit().await.expect("commit");
    wake.wait().await;
    assert!(asleep(&fixture).await);
    // It returned without waiting for a notification, so the relay looks once more.
    assert_eq!(unpublished(&fixture).await.len(), 1);
}

#[tokio::test]
async fn readers_of_the_feed_are_told_by_the_relay() {
    let fixture = Fixture::new().await;
    let mut told = PgListener::connect(&fixture.database.url("postgres"))
        .await
        .expect("listen");
    told.listen("dbtest_a_feed").await.expect("listen");
    pushed(&fixture, &["a"]).await;
    unpublished(&fixture).await;
    told.recv().await.expect("a notification");
}

#[tokio::test]
async fn readers_of_the_feed_listen_to_writers_and_to_the_relay() {
    let fixture = Fixture::new().await;
    let mut reader = Wake::feed(&fixture.db);
    reader.wait().await;
    let last: String = sqlx::query_scalar(
        "select query from pg_stat_activity
         where application_name = 'dbtest_a:wake' and datname = current_database()",
    )
    .fetch_one(&mut fixture.database.admin().await)
    .await
    .expect("the reader");
    for channel in ["dbtest_a_outbox", "dbtest_a_feed"] {
        assert!(last.contains(channel), "{last}");
    }
}

#[tokio::test]
async fn a_waiter_that_lost_its_connection_goes_on() {
    let fixture = Fixture::new().await;
    let mut wake = Wake::relay(&fixture.db);
    eventually(SOON, async || {
        wake.wait().await;
        asleep(&fixture).await
    })
    .await;
    sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'dbtest_a:wake' and datname = current_database()")
        .execute(&mut fixture.database.admin().await)
        .await
        .expect("terminate");
    eventually(SOON, || async { !asleep(&fixture).await }).await;
    let mut relay = JoinSet::new();
    relay.spawn(async move {
        loop {
            wake.wait().await;
        }
    });
    eventually(SOON, || asleep(&fixture)).await;
}
