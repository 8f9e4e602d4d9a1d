//! How many messages a second go from the edge's door to a row in a conversation.

use std::time::Duration;

use anyhow::{Context, Result};
use ids::MessageId;
use sqlx::types::Uuid;

use super::{
    Bench,
    figures::per_second,
    load::{Plan, send},
    report::{Row, Section},
    wait::Rows,
    world::World,
};

const BUDGET: u32 = 3_000;
const MOST: Duration = Duration::from_secs(40);
/// What counts as stored: visible to a reader of the inbox.
const STORED: &str = "select count(*) from messaging.messages
    where organization_id = $1 and id >= $2 and id < $3 and direction = 1";

/// Meta sends one message per webhook as long as we keep up, and gathers them when we don't.
pub(super) async fn measure(bench: &Bench, world: &mut World) -> Result<Section> {
    let mut section = Section::default();
    run(bench, world, &mut section, "single", 1).await?;
    run(bench, world, &mut section, "gathered", 10).await?;
    Ok(section)
}

async fn run(
    bench: &Bench,
    world: &mut World,
    section: &mut Section,
    label: &'static str,
    messages: u64,
) -> Result<()> {
    let what = match messages {
        1 => "edge to stored conversation, one message per webhook".to_owned(),
        more => format!("edge to stored conversation, {more} messages per webhook"),
    };
    let before = world.meter.now().await?;
    let stored = store(bench, world, label, messages, messages).await?;
    section
        .notes
        .push(world.meter.since(before, &what, stored.count).await?);
    let row = Row::rate(what, stored.rate, BUDGET);
    section.rows.push(stored.spoil(row));
    section.rows.push(Row::fact(
        "… webhooks accepted meanwhile",
        format!("{}/s", super::figures::grouped(stored.accepted)),
    ));
    Ok(())
}

/// What became of one load of webhooks.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) count: u64,
    /// Messages stored a second, and webhooks accepted.
    pub(super) rate: f64,
    accepted: f64,
    lost: u64,
    failure: Option<String>,
}

impl Stored {
    pub(super) fn spoil(&self, row: Row) -> Row {
        let why = self.failure.as_deref().unwrap_or("not stored in 40 s");
        row.spoiled_by(self.lost, Some(why))
    }
}

/// Sends as fast as it is taken, from customers of their own `block`, and waits until all of it is stored.
pub(super) async fn store(
    bench: &Bench,
    world: &mut World,
    label: &'static str,
    block: u64,
    messages: u64,
) -> Result<Stored> {
    let mut webhooks = world.webhooks(label, block);
    webhooks.messages = messages;
    let total = bench.sizes.pipeline;
    let plan = Plan {
        address: world.edge,
        connections: 64,
        rate: None,
        count: total / messages,
        lasts: MOST,
    };
    let rows = Rows {
        sql: STORED,
        organization: world.tenant.organization_id.as_uuid(),
        first: MessageId::min_at(world.clock.unix_ms()).as_uuid(),
        end: Uuid::max(),
    };
    let started = tokio::time::Instant::now();
    let sending = bench.generator.run(send(plan, webhooks.writer()));
    let (sent, stored) = tokio::join!(sending, rows.wait(world.meter.admin(), total, MOST));
    let (sent, count) = (sent??, stored.context("wait for the messages")?);
    Ok(Stored {
        count,
        rate: per_second(count, started.elapsed()),
        accepted: per_second(sent.done, sent.took),
        lost: total.saturating_sub(count),
        failure: sent.failure,
    })
}
