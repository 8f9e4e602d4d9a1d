use std::time::Duration;

use db::{
    inbox,
    outbox::{self, Cursor, Feed},
    retention::{self, Kept, Table},
};
use ids::OrganizationId;
use testkit::eventually;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::fixture::{Fixture, SOON, event, push};

async fn sweep(fixture: &Fixture, table: Table) -> u64 {
    retention::sweep(
        &fixture.db,
        table,
        table.kept(),
        3,
        &CancellationToken::new(),
    )
    .await
    .expect("sweep")
}

#[tokio::test]
async fn published_events_go_after_a_week_and_cursors_behind_them_are_told() {
    let fixture = Fixture::new().await;
    let organization = OrganizationId::generate();
    let events: Vec<_> = (0..8).map(|_| event(organization, "k")).collect();
    let mut tx = fixture.tenant(organization).await;
    push(&mut tx, &events).await;
    tx.commit().await.expect("commit");
    let page = eventually(SOON, || async {
        let mut tx = fixture.tenant(organization).await;
        let page = Feed::list(&mut tx, organization, Cursor::START, 2)
            .await
            .expect("read");
        (page.events.len() == 2).then_some(page)
    })
    .await;
    let mut tx = fixture.system().await;
    let rows = outbox::unpublished(&mut tx, 100).await.expect("select");
    let published: Vec<i64> = rows.iter().take(7).map(|row| row.seq).collect();
    outbox::mark_published(&mut tx, &published)
        .await
        .expect("mark");
    tx.commit().await.expect("commit");

    fixture.hand.advance(Table::Outbox.kept());
    assert_eq!(sweep(&fixture, Table::Outbox).await, 0);
    fixture.hand.advance(Duration::from_secs(1));
    assert_eq!(sweep(&fixture, Table::Outbox).await, 7);
    assert_eq!(fixture.count("outbox").await, 1);
    let mut tx = fixture.tenant(organization).await;
    let resumed = Feed::list(&mut tx, organization, page.next, 10)
        .await
        .expect("read");
    assert!(resumed.expired);
    let afresh = Feed::list(&mut tx, organization, Cursor::START, 10)
        .await
        .expect("read");
    assert!(!afresh.expired);
}

#[tokio::test]
async fn events_that_can_not_be_published_do_not_stop_the_sweep() {
    let fixture = Fixture::new().await;
    let organization = OrganizationId::generate();
    let events: Vec<_> = (0..10).map(|_| event(organization, "k")).collect();
    let mut tx = fixture.tenant(organization).await;
    push(&mut tx, &events).await;
    tx.commit().await.expect("commit");
    let mut tx = fixture.system().await;
    let rows = outbox::unpublished(&mut tx, 100).await.expect("select");
    // More of them are stuck than one batch of the sweep has.
    let published: Vec<i64> = rows.iter().skip(5).map(|row| row.seq).collect();
    outbox::mark_published(&mut tx, &published)
        .await
        .expect("mark");
    tx.commit().await.expect("commit");
    fixture
        .hand
        .advance(Table::Outbox.kept() + Duration::from_secs(1));
    assert_eq!(sweep(&fixture, Table::Outbox).await, 5);
    assert_eq!(fixture.count("outbox").await, 5);
}

#[tokio::test]
async fn other_tables_keep_what_they_must() {
    let fixture = Fixture::new().await;
    let mut tx = fixture.system().await;
    let events: Vec<Uuid> = (1..=7).map(Uuid::from_u128).collect();
    inbox::claim(&mut tx, "c", &events).await.expect("claim");
    tx.commit().await.expect("commit");
    fixture.hand.advance(Duration::from_hours(13 * 24));
    for table in Table::ALL {
        assert_eq!(sweep(&fixture, table).await, 0, "{table:?}");
    }
    fixture.hand.advance(Duration::from_hours(25));
    assert_eq!(sweep(&fixture, Table::Inbox).await, 7);
}

#[tokio::test]
async fn a_cancelled_sweep_stops_before_the_next_batch() {
    let fixture = Fixture::new().await;
    let cancelled = CancellationToken::new();
    cancelled.cancel();
    let swept = retention::sweep(&fixture.db, Table::Inbox, Duration::ZERO, 3, &cancelled).await;
    assert_eq!(swept.expect("nothing done"), 0);
}

#[tokio::test]
async fn the_loop_keeps_events_as_long_as_told_and_comes_back_every_hour() {
    const DAY: Duration = Duration::from_hours(24);
    let fixture = Fixture::new().await;
    let published = async |key| {
        let organization = OrganizationId::generate();
        let mut tx = fixture.tenant(organization).await;
        push(&mut tx, &[event(organization, key)]).await;
        tx.commit().await.expect("commit");
        let mut tx = fixture.system().await;
        let rows = outbox::unpublished(&mut tx, 1).await.expect("select");
        let seq: Vec<i64> = rows.iter().map(|row| row.seq).collect();
        outbox::mark_published(&mut tx, &seq).await.expect("mark");
        tx.commit().await.expect("commit");
    };
    published("oldest").await;
    fixture.hand.advance(DAY * 20);
    let mut tx = fixture.system().await;
    inbox::claim(&mut tx, "c", &[Uuid::from_u128(1)])
        .await
        .expect("claim");
    tx.commit().await.expect("commit");
    published("younger").await;
    fixture.hand.advance(DAY * 14);

    let stop = CancellationToken::new();
    let kept = Kept {
        published: DAY * 30,
        consumed: Duration::ZERO,
    };
    let sweeping = retention::run(fixture.db.clone(), kept, stop.clone());
    let watching = async {
        // At its start: what is older than 30 days.
        eventually(SOON, || async { fixture.count("outbox").await == 1 }).await;
        assert_eq!(fixture.count("inbox").await, 1, "kept for 14 days");
        // The last table of a pass says nothing, so the clock is moved until the loop has seen it.
        eventually(SOON, || async {
            fixture.hand.advance(Duration::from_hours(1));
            fixture.count("inbox").await == 0
        })
        .await;
        assert_eq!(fixture.count("outbox").await, 1, "kept for 30 days");
        // The pass may still be at its other tables: an hour after its end is not an hour from now.
        fixture.hand.advance(DAY * 16);
        eventually(SOON, || async {
            fixture.hand.advance(Duration::from_hours(1));
            fixture.count("outbox").await == 0
        })
        .await;
        stop.cancel();
    };
    let both = Box::pin(async { tokio::join!(sweeping, watching) });
    tokio::time::timeout(SOON * 3, both)
        .await
        .expect("it ends when told");
}
