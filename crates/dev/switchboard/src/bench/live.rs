//! How long it takes from a webhook's arrival until an open inbox has the event.

use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt};
use tokio::time::{Instant, timeout_at};

use super::{
    Bench, PATIENCE,
    figures::{Latencies, milliseconds},
    load::{self, Outcome, Plan, Write, send},
    report::{Row, Section},
    webhook::TEXT,
    world::World,
};
use crate::api::{Api, Event};

const P50: Duration = Duration::from_millis(20);
const P99: Duration = Duration::from_millis(100);

pub(super) async fn measure(bench: &Bench, world: &mut World) -> Result<Section> {
    let rate = bench.sizes.live_rate;
    let plan = Plan {
        address: world.edge,
        connections: 64,
        rate: Some(rate),
        count: u64::from(rate) * bench.sizes.live_seconds,
        lasts: Duration::from_secs(bench.sizes.live_seconds),
    };
    let write = world.webhooks("live", 20).writer();
    let api = world.log_in().await?;
    let (before, began) = (world.meter.now().await?, world.clock.now());
    let watching = bench.generator.run(watch(api, plan, write));
    let (mut sent, arrived) = watching.await??;

    // The first second fills caches and plans.
    let mut latencies = Latencies::default();
    for (number, at) in arrived.iter().filter(|(number, _)| *number >= rate.into()) {
        let due = sent.started + load::after(*number, rate);
        latencies.push(at.saturating_duration_since(due));
    }
    let what = format!("webhook to event in an open inbox, at {rate}/s");
    let count = arrived.len() as u64;
    let mut notes = vec![world.meter.since(before, &what, count).await?];
    notes.push(format!(
        "{what}: the 200 to Meta after p50 {}, p99 {}; the event p99.9 {}",
        milliseconds(sent.latencies.p50()),
        milliseconds(sent.latencies.p99()),
        milliseconds(latencies.quantile(999)),
    ));
    notes.push(format!("{what}: {}", on_the_way(world, began).await?));
    let failure = sent.failure.take();
    let lost = (sent.done + sent.failed).saturating_sub(count);
    let spoiled = |row: Row| row.spoiled_by(lost, failure.as_deref().or(Some("no event came")));
    let rows = vec![
        spoiled(Row::time(format!("{what}, p50"), latencies.p50(), P50)),
        spoiled(Row::time(format!("{what}, p99"), latencies.p99(), P99)),
    ];
    Ok(Section { rows, notes })
}

/// Times of webhooks that came since `$1`: edge, until its relay had published; until messaging
/// began with it; and of messaging's event, until its relay had published.
const ON_THE_WAY: &str = "
    with half as (select percentile_cont(0.5) within group (order by published_at - occurred_at) as published,
                         percentile_cont(0.5) within group (order by taken.received_at - occurred_at) as taken
                  from edge.outbox join messaging.inbox as taken using (event_id)
                  where occurred_at >= $1),
         other as (select percentile_cont(0.5) within group (order by published_at - occurred_at) as published
                   from messaging.outbox
                   where occurred_at >= $1 and event_type like '%.MessageReceived')
    select coalesce(extract(epoch from half.published)::float8, 0), coalesce(extract(epoch from taken)::float8, 0),
           coalesce(extract(epoch from other.published)::float8, 0)
    from half, other";

/// Where between webhook and client the time is lost, by the rows' own times.
async fn on_the_way(world: &mut World, began: DateTime<Utc>) -> Result<String> {
    let seconds: (f64, f64, f64) = sqlx::query_as(ON_THE_WAY)
        .bind(began)
        .fetch_one(world.meter.admin())
        .await
        .context("read the times on the way")?;
    let [published, taken, event] = [seconds.0, seconds.1, seconds.2]
        .map(|time| milliseconds(Duration::from_secs_f64(time.max(0.0))));
    Ok(format!(
        "on the way (medians) the edge had published after {published}, messaging began with it after {taken}, \
         and had published its event {event} after that"
    ))
}

/// Opens the stream, sends, and notes when the event of each message came.
async fn watch(api: Api, plan: Plan, write: Write) -> Result<(Outcome, Vec<(u64, Instant)>)> {
    let mut events = api.events(None).await.context("open the event stream")?;
    let opened = Instant::now() + PATIENCE;
    loop {
        let event = timeout_at(opened, events.next())
            .await
            .context("no heartbeat in time")?;
        if event.context("the stream ended")?.kind == "heartbeat" {
            break;
        }
    }
    let deadline = Instant::now() + plan.lasts + PATIENCE;
    let (sent, arrived) = tokio::join!(
        send(plan, write),
        collect(&mut events, plan.count, deadline)
    );
    Ok((sent?, arrived))
}

async fn collect(
    events: &mut (impl Stream<Item = Event> + Unpin),
    expected: u64,
    deadline: Instant,
) -> Vec<(u64, Instant)> {
    let mut arrived = Vec::new();
    while (arrived.len() as u64) < expected {
        let Ok(Some(event)) = timeout_at(deadline, events.next()).await else {
            break;
        };
        arrived.extend(number(&event).map(|number| (number, Instant::now())));
    }
    arrived
}

fn number(event: &Event) -> Option<u64> {
    let text = event.data["messageReceived"]["content"]["text"]["body"].as_str()?;
    text.strip_prefix(TEXT)?.parse().ok()
}
