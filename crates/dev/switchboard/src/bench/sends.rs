//! How many messages a second go out through one number, until the last status is applied.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Utc};

use super::{
    Bench,
    figures::{grouped, per_second},
    report::{Row, Section},
    seed,
    wait::Rows,
    world::World,
};

const BUDGET: u32 = 1_000;
const MOST: Duration = Duration::from_secs(45);
/// 50 is "read", the last status the sandbox reports.
const READ: &str = "select count(*) from messaging.messages
    where organization_id = $1 and id >= $2 and id < $3 and status = 50";
/// When the first attempt began and the last was settled.
const CALLS: &str = "select min(started_at), max(finished_at) from messaging.attempts
    where organization_id = $1 and message_id >= $2 and message_id < $3 and state = 'accepted'";

pub(super) async fn measure(bench: &Bench, world: &mut World) -> Result<Section> {
    let mut section = Section::default();
    let paced = run(bench, world, bench.sizes.sends / 4, &mut section).await?;
    // Nobody's number is faster; without the pacing we see what we could do.
    sqlx::query("update messaging.channels set throughput_per_second = 100000 where id = $1")
        .bind(world.tenant.channel_id.as_uuid())
        .execute(world.meter.admin())
        .await
        .context("lift the number's ceiling")?;
    let free = run(bench, world, bench.sizes.sends, &mut section).await?;

    let row = Row::rate(
        "sending through one number, all statuses applied",
        per_second(free.read, free.until_read),
        BUDGET,
    );
    section
        .rows
        .push(row.spoiled_by(free.lost, Some("not read in 45 s")));
    let fact = |path: &str, rate: f64| Row::fact(path, format!("{}/s", grouped(rate)));
    section.rows.push(fact(
        "… accepted by WhatsApp",
        per_second(free.read, free.until_accepted),
    ));
    section.rows.push(fact(
        "… with Meta's ceiling of 1,000/s, of which pacing uses 97 %",
        per_second(paced.read, paced.until_accepted),
    ));
    Ok(section)
}

struct Sent {
    read: u64,
    lost: u64,
    until_accepted: Duration,
    until_read: Duration,
}

async fn run(
    bench: &Bench,
    world: &mut World,
    messages: i32,
    section: &mut Section,
) -> Result<Sent> {
    let before = world.meter.now().await?;
    let now = world.clock.now();
    let queued = seed::queue(world.meter.admin(), world.tenant, messages, now).await?;
    ensure!(queued.count > 0, "nobody to send to");
    let rows = Rows {
        sql: READ,
        organization: world.tenant.organization_id.as_uuid(),
        first: queued.first,
        end: queued.last,
    };
    let read = rows.wait(world.meter.admin(), queued.count, MOST).await?;
    let ended = bench.options.clock.now();
    let (began, settled): (Option<DateTime<Utc>>, Option<DateTime<Utc>>) = sqlx::query_as(CALLS)
        .bind(rows.organization)
        .bind(rows.first)
        .bind(rows.end)
        .fetch_one(world.meter.admin())
        .await
        .context("read the attempts")?;
    let began = began.unwrap_or(now);
    let since = |at: DateTime<Utc>| (at - began).to_std().unwrap_or_default();
    let what = format!("sending {}", grouped(f64::from(messages)));
    section
        .notes
        .push(world.meter.since(before, &what, read).await?);
    Ok(Sent {
        read,
        lost: queued.count - read.min(queued.count),
        until_accepted: since(settled.unwrap_or(ended)),
        until_read: since(ended),
    })
}
