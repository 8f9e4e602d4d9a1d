//! How many webhooks a second the edge makes durable, and how long a sender waits.
//!
//! The edge alone, as one replica of it runs. What it takes in goes to a queue nobody reads: what
//! happens behind the edge is another measurement.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result};
use chassis::{Base, Drain, Environment, Host, HostOptions, Mode, Telemetry};
use reqwest::Method;
use serde_json::json;

use super::{
    Bench,
    figures::{grouped, milliseconds, per_second},
    load::{Outcome, Plan, send},
    report::{Row, Section},
    scratch::{Management, Scratch},
    usage::Meter,
    webhook::Webhooks,
};
use crate::{platform::edge_config, whatsapp::Number};

const BUDGET: u32 = 8_000;
const P99: Duration = Duration::from_millis(50);
/// Meta asks for this median.
const P50: Duration = Duration::from_millis(250);
/// Where the events go, in place of the messaging service's queue.
const QUEUE: &str = "bench.on-whatsapp-received";

pub(super) async fn measure(bench: &Bench, scratch: &Scratch) -> Result<Section> {
    db::migrate::apply(&scratch.backing.db("edge")?, "edge", &edge::MIGRATOR)
        .await
        .context("migrate the edge")?;
    let mut meter = Meter::new(scratch.admin().await?, bench.broker).await?;
    let mut section = Section::default();

    // A replica that also publishes: one of all replicas does.
    let (host, address) = start(bench, scratch, Mode::ALL).await?;
    let measured = relaying(bench, scratch, address, &mut meter, &mut section).await;
    host.shutdown().await;
    measured?;
    // Every other replica.
    let intake_only = Mode {
        requests: true,
        work: false,
    };
    let (host, address) = start(bench, scratch, intake_only).await?;
    let measured = intake(bench, address, &mut meter, &mut section).await;
    host.shutdown().await;
    measured?;
    Ok(section)
}

async fn relaying(
    bench: &Bench,
    scratch: &Scratch,
    address: SocketAddr,
    meter: &mut Meter,
    section: &mut Section,
) -> Result<()> {
    bind_queue(&bench.management, scratch.vhost()).await?;
    let most = burst(bench, address, "warm", bench.sizes.warm).await?;
    drop(most);
    let before = meter.now().await?;
    let most = burst(bench, address, "relayed", bench.sizes.lasts).await?;
    let note = meter
        .since(before, "accepting and publishing", most.done)
        .await?;
    section.notes.push(note);
    let rate = per_second(most.done, most.took);
    let path = "webhooks accepted: signed, durable, published meanwhile";
    let row = Row::rate(path, rate, BUDGET).spoiled_by(most.failed, most.failure.as_deref());
    section.rows.push(row);

    let mut steady = steady(bench, address, rate).await?;
    let latencies = &mut steady.latencies;
    let share = format!(
        "… sender waits at {}/s",
        grouped(per_second(steady.done, steady.took))
    );
    let spoiled = |row: Row| row.spoiled_by(steady.failed, steady.failure.as_deref());
    let p50 = Row::time(format!("{share}, p50 (Meta's limit)"), latencies.p50(), P50);
    let p99 = Row::time(format!("{share}, p99"), latencies.p99(), P99);
    section.rows.extend([spoiled(p50), spoiled(p99)]);
    let tail = latencies.quantile(999);
    section
        .notes
        .push(format!("a sender's wait, p99.9: {}", milliseconds(tail)));
    Ok(())
}

async fn intake(
    bench: &Bench,
    address: SocketAddr,
    meter: &mut Meter,
    section: &mut Section,
) -> Result<()> {
    let before = meter.now().await?;
    let most = burst(bench, address, "intake", bench.sizes.lasts).await?;
    let note = meter
        .since(before, "accepting without publishing", most.done)
        .await?;
    section.notes.push(note);
    let path = "webhooks accepted by a replica that does not publish";
    let row = Row::rate(path, per_second(most.done, most.took), BUDGET);
    section
        .rows
        .push(row.spoiled_by(most.failed, most.failure.as_deref()));
    Ok(())
}

/// As many as the edge takes.
async fn burst(
    bench: &Bench,
    address: SocketAddr,
    label: &'static str,
    lasts: Duration,
) -> Result<Outcome> {
    let plan = Plan {
        address,
        connections: 128,
        rate: None,
        count: u64::MAX,
        lasts,
    };
    let write = webhooks(bench, label, address).writer();
    bench.generator.run(send(plan, write)).await?
}

/// At the budget's rate, each at its time; at four fifths of what the edge takes if that is less.
async fn steady(bench: &Bench, address: SocketAddr, most: f64) -> Result<Outcome> {
    let rate = (most * 0.8).min(f64::from(BUDGET)).max(1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and the budget"
    )]
    let rate = rate as u32;
    let plan = Plan {
        address,
        connections: 256,
        rate: Some(rate),
        count: u64::MAX,
        lasts: bench.sizes.lasts,
    };
    let write = webhooks(bench, "steady", address).writer();
    bench.generator.run(send(plan, write)).await?
}

fn webhooks(bench: &Bench, label: &'static str, edge: SocketAddr) -> Webhooks {
    Webhooks {
        label,
        edge,
        number: Number::of_sandbox(),
        unix_seconds: bench.options.clock.now().timestamp(),
        messages: 1,
        customers: 10_000,
        first_phone: 15_550_000_000,
    }
}

async fn start(bench: &Bench, scratch: &Scratch, mode: Mode) -> Result<(Host, SocketAddr)> {
    let mut host = Host::start(HostOptions {
        environment: Environment::Development,
        clock: bench.options.clock.clone(),
        telemetry: Telemetry::local(),
        admin: None,
        drain: Drain::immediate(),
        mode,
    })
    .await?;
    let config = edge_config(&scratch.backing)?;
    let added = host.add::<edge::App>(&Base::for_tests(), config).await?;
    let address = added.http.context("the edge serves HTTP")?;
    Ok((host, address))
}

/// The queue must take as much trouble as the real one: durable and replicated.
async fn bind_queue(management: &Management, vhost: &str) -> Result<()> {
    let exchange = json!({ "type": "topic", "durable": true });
    let path = format!("/exchanges/{vhost}/edge.events");
    management.call(Method::PUT, &path, &exchange).await?;
    let queue = json!({ "durable": true, "arguments": { "x-queue-type": "quorum" } });
    management
        .call(Method::PUT, &format!("/queues/{vhost}/{QUEUE}"), &queue)
        .await?;
    let binding = json!({ "routing_key": "edge.whatsapp.received.v1" });
    let path = format!("/bindings/{vhost}/e/edge.events/q/{QUEUE}");
    management.call(Method::POST, &path, &binding).await?;
    Ok(())
}
