//! How many times a second the gateway lists the newest 25 conversations of a large tenant.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{
    Bench,
    figures::{grouped, milliseconds, per_second},
    load::{Outcome, Plan, Write, send},
    report::{Row, Section},
    wire::Connection,
    world::World,
};

const BUDGET: u32 = 5_000;
const P99: Duration = Duration::from_millis(25);
const PAGE: usize = 25;

pub(super) async fn measure(bench: &Bench, world: &mut World) -> Result<Section> {
    let request = format!(
        "GET /v1/conversations?pageSize={PAGE} HTTP/1.1\r\nhost: {}\r\naccept: application/json\r\n\
         authorization: Bearer {}\r\n\r\n",
        world.gateway,
        world.log_in().await?.token(),
    );
    let bytes = check(world, &request).await?;
    let write: Write = Arc::new(move |_, buffer| buffer.extend_from_slice(request.as_bytes()));
    drop(ask(bench, world, &write, None, bench.sizes.warm).await?);

    let what = format!(
        "list {PAGE} of {} conversations with {} messages, through the gateway",
        grouped(bench.sizes.past.conversations.into()),
        grouped(bench.sizes.past.messages.into()),
    );
    let before = world.meter.now().await?;
    let most = ask(bench, world, &write, None, bench.sizes.lasts).await?;
    let note = world.meter.since(before, &what, most.done).await?;
    let rate = per_second(most.done, most.took);
    let row = Row::rate(what, rate, BUDGET).spoiled_by(most.failed, most.failure.as_deref());

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and the budget"
    )]
    let steady = (rate * 0.8).min(f64::from(BUDGET)).max(1.0) as u32;
    let mut steady = ask(bench, world, &write, Some(steady), bench.sizes.lasts).await?;
    let path = format!(
        "… caller waits at {}/s, p99",
        grouped(per_second(steady.done, steady.took))
    );
    let p99 = Row::time(path, steady.latencies.p99(), P99);
    let notes = vec![
        note,
        format!(
            "an answer has {bytes} bytes; a caller's wait, p50: {}",
            milliseconds(steady.latencies.p50())
        ),
    ];
    Ok(Section {
        rows: vec![
            row,
            p99.spoiled_by(steady.failed, steady.failure.as_deref()),
        ],
        notes,
    })
}

async fn ask(
    bench: &Bench,
    world: &World,
    write: &Write,
    rate: Option<u32>,
    lasts: Duration,
) -> Result<Outcome> {
    let plan = Plan {
        address: world.gateway,
        connections: 32,
        rate,
        count: u64::MAX,
        lasts,
    };
    bench.generator.run(send(plan, Arc::clone(write))).await?
}

/// The answer is the one we think we measure; its size.
async fn check(world: &World, request: &str) -> Result<usize> {
    let mut connection = Connection::open(world.gateway)
        .await
        .context("connect to the gateway")?;
    let answer = connection
        .call(request.as_bytes())
        .await
        .context("ask the gateway")?;
    ensure!(
        answer.status == 200,
        "the gateway answered {}",
        answer.status
    );
    let body = connection.body(&answer);
    let page: Value = serde_json::from_slice(body).context("read the page")?;
    let found = page["conversations"].as_array().map_or(0, Vec::len);
    ensure!(found == PAGE, "the page has {found} conversations");
    Ok(body.len())
}
