use std::collections::{HashMap, HashSet};

use db::{
    SystemTx, TenantTx,
    outbox::{Cursor, Feed, FeedPage},
};
use ids::{EventId, OrganizationId};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use testkit::eventually;

use crate::fixture::{Fixture, SOON, event, push};

async fn read(
    fixture: &Fixture,
    organization: OrganizationId,
    after: Cursor,
    limit: u32,
) -> FeedPage {
    let mut tx = fixture.tenant(organization).await;
    Feed::list(&mut tx, organization, after, limit)
        .await
        .expect("read the feed")
}

fn ids(page: &FeedPage) -> Vec<EventId> {
    page.events.iter().map(|event| event.event_id).collect()
}

#[tokio::test]
async fn d10_a_slow_transaction_with_a_low_number_is_not_skipped() {
    let fixture = Fixture::new().await;
    let organization = OrganizationId::generate();
    let (slow, fast) = (event(organization, "a"), event(organization, "b"));

    let mut slow_tx = fixture.tenant(organization).await;
    push(&mut slow_tx, std::slice::from_ref(&slow)).await;
    let mut fast_tx = fixture.tenant(organization).await;
    push(&mut fast_tx, std::slice::from_ref(&fast)).await;
    fast_tx.commit().await.expect("commit");

    // The fast one is committed and has the higher number: a reader that took it would never come back for the other.
    let before = read(&fixture, organization, Cursor::START, 10).await;
    assert!(before.events.is_empty(), "{before:?}");
    assert!(before.behind);

    slow_tx.commit().await.expect("commit");
    // Transactions of other tests hold the horizon back as well.
    let after = eventually(SOON, || async {
        let page = read(&fixture, organization, before.next, 10).await;
        (page.events.len() == 2).then_some(page)
    })
    .await;
    assert_eq!(ids(&after), [slow.event_id, fast.event_id]);
    assert!(!after.behind);
}

#[tokio::test]
async fn d10_a_transaction_that_began_first_and_pushed_last_is_not_skipped() {
    let fixture = Fixture::new().await;
    let organization = OrganizationId::generate();
    let (late, early) = (event(organization, "a"), event(organization, "b"));

    let mut late_tx = fixture.tenant(organization).await;
    // Its transaction number is the lower one, its sequence number will be the higher one.
    sqlx::query("select pg_current_xact_id()")
        .execute(late_tx.conn())
        .await
        .expect("a number");
    let mut early_tx = fixture.tenant(organization).await;
    push(&mut early_tx, std::slice::from_ref(&early)).await;
    early_tx.commit().await.expect("commit");
    let before = read(&fixture, organization, Cursor::START, 10).await;
    assert!(before.events.is_empty(), "{before:?}");
    push(&mut late_tx, std::slice::from_ref(&late)).await;
    late_tx.commit().await.expect("commit");
    let after = eventually(SOON, || async {
        let page = read(&fixture, organization, before.next, 10).await;
        (page.events.len() == 2).then_some(page)
    })
    .await;
    assert_eq!(ids(&after), [late.event_id, early.event_id]);
}

#[tokio::test]
async fn a_quiet_cursor_moves_on_and_a_full_page_stops_at_its_last_event() {
    let fixture = Fixture::new().await;
    let (mine, other) = (OrganizationId::generate(), OrganizationId::generate());
    let events: Vec<_> = (0..5).map(|_| event(mine, "k")).collect();
    let mut tx = fixture.tenant(mine).await;
    push(&mut tx, &events).await;
    tx.commit().await.expect("commit");
    let page = eventually(SOON, || async {
        let page = read(&fixture, mine, Cursor::START, 2).await;
        (page.events.len() == 2).then_some(page)
    })
    .await;
    assert!(page.full);
    assert_eq!(page.next, page.events[1].cursor);

    let mut tx = fixture.system().await;
    let pages = Feed::list_many(&mut tx, &[(other, Cursor::START), (mine, page.next)], 10)
        .await
        .expect("read both feeds");
    assert!(pages[0].events.is_empty());
    assert!(pages[0].next > Cursor::START);
    assert_eq!(
        ids(&pages[1]),
        events[2..]
            .iter()
            .map(|event| event.event_id)
            .collect::<Vec<_>>()
    );
    let now = Feed::now(&mut tx).await.expect("the present");
    assert!(now >= pages[1].events[2].cursor);
}

/// What happens next in a random history.
#[derive(Debug, Clone)]
enum Step {
    /// A writer pushes events, beginning a transaction if it has none.
    Push { writer: usize, events: usize },
    /// It commits.
    Commit { writer: usize },
    /// It rolls back.
    Rollback { writer: usize },
    /// The reader goes on from its cursor.
    Read { limit: u32 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let writer = 0usize..4;
    let step = prop_oneof![
        4 => (writer.clone(), 1usize..4).prop_map(|(writer, events)| Step::Push { writer, events }),
        3 => writer.clone().prop_map(|writer| Step::Commit { writer }),
        1 => writer.prop_map(|writer| Step::Rollback { writer }),
        3 => (1u32..5).prop_map(|limit| Step::Read { limit }),
    ];
    prop::collection::vec(step, 1..40)
}

struct History<'f> {
    fixture: &'f Fixture,
    organization: OrganizationId,
    writers: HashMap<usize, (SystemTx, Vec<EventId>)>,
    committed: HashSet<EventId>,
    cursor: Cursor,
    seen: Vec<EventId>,
}

impl History<'_> {
    async fn step(&mut self, step: Step) {
        match step {
            Step::Push { writer, events } => {
                if !self.writers.contains_key(&writer) {
                    self.writers
                        .insert(writer, (self.fixture.system().await, Vec::new()));
                }
                let (tx, pushed) = self.writers.get_mut(&writer).expect("just begun");
                let events: Vec<_> = (0..events).map(|_| event(self.organization, "k")).collect();
                push(tx, &events).await;
                pushed.extend(events.iter().map(|event| event.event_id));
            }
            Step::Commit { writer } => {
                if let Some((tx, pushed)) = self.writers.remove(&writer) {
                    tx.commit().await.expect("commit");
                    self.committed.extend(pushed);
                }
            }
            Step::Rollback { writer } => drop(self.writers.remove(&writer)),
            Step::Read { limit } => {
                let page = read(self.fixture, self.organization, self.cursor, limit).await;
                assert!(page.next >= self.cursor);
                self.cursor = page.next;
                self.seen.extend(ids(&page));
            }
        }
    }

    async fn finish(mut self) {
        let writers: Vec<usize> = self.writers.keys().copied().collect();
        for writer in writers {
            self.step(Step::Commit { writer }).await;
        }
        let deadline = std::time::Instant::now() + SOON;
        while self.seen.len() < self.committed.len() && std::time::Instant::now() < deadline {
            self.step(Step::Read { limit: 3 }).await;
        }
        let seen: HashSet<EventId> = self.seen.iter().copied().collect();
        assert_eq!(seen.len(), self.seen.len(), "an event came twice");
        assert_eq!(seen, self.committed);
    }
}

#[test]
fn a_reader_sees_every_committed_event_once_however_transactions_interleave() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let fixture = runtime.block_on(Fixture::new());
    let mut runner = TestRunner::new(Config {
        cases: 60,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&steps(), |steps| {
        runtime.block_on(async {
            let mut history = History {
                fixture: &fixture,
                organization: OrganizationId::generate(),
                writers: HashMap::new(),
                committed: HashSet::new(),
                cursor: Cursor::START,
                seen: Vec::new(),
            };
            for step in steps {
                history.step(step).await;
            }
            history.finish().await;
        });
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    // The pools end on their runtime.
    runtime.block_on(async move { drop(fixture) });
}

#[tokio::test]
async fn a_tenant_reads_its_own_feed_only() {
    let fixture = Fixture::new().await;
    let (mine, other) = (OrganizationId::generate(), OrganizationId::generate());
    let mut tx: TenantTx = fixture.tenant(other).await;
    push(&mut tx, &[event(other, "k")]).await;
    tx.commit().await.expect("commit");
    let settled = || async {
        let mut tx = fixture.system().await;
        let page = Feed::list(&mut tx, other, Cursor::START, 10)
            .await
            .expect("read");
        !page.events.is_empty()
    };
    eventually(SOON, settled).await;
    let mut tx = fixture.tenant(mine).await;
    let page = Feed::list(&mut tx, other, Cursor::START, 10)
        .await
        .expect("read");
    assert!(page.events.is_empty());
}
