//! `switchboard bench`: the budgets, measured, in one table.
//!
//! Everything runs here: the platform, the provider sandbox, the load generator. The database and
//! the virtual host are the run's own and are removed at its end. `docs/performance.md` says what
//! each figure means.

mod accept;
mod figures;
mod inbox;
mod live;
mod load;
mod logins;
mod machine;
mod pipeline;
mod processes;
mod reads;
mod report;
mod revocation;
mod scratch;
mod seed;
mod sends;
mod sizes;
mod usage;
mod wait;
mod webhook;
mod wire;
mod world;

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use tokio::time::Instant;

use self::{
    load::Generator,
    report::{Report, Section},
    scratch::{Management, Scratch},
    sizes::Sizes,
    world::World,
};
use crate::{backing::Backing, platform::Options};

/// Nothing that is asked once takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// What to measure and what to print.
#[derive(Debug, Clone, Args)]
pub struct Flags {
    /// Only these measurements.
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Tiny sizes: shows that everything works, measures nothing.
    #[arg(long)]
    quick: bool,
    /// Print the table for docs/performance.md.
    #[arg(long)]
    markdown: bool,
}

/// One of the measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Webhooks a second, and how long Meta waits.
    Accept,
    /// From the edge to a stored conversation.
    Pipeline,
    /// From the edge to an open inbox.
    Live,
    /// Through one number.
    Sends,
    /// The list of conversations through the gateway.
    Reads,
    /// What an inbox asks, and the inbound pipeline, in a database with ten tenants' past.
    Inbox,
    /// Tokens, decisions and logins.
    Logins,
    /// Memory and start of each service.
    Processes,
}

impl Flags {
    fn want(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}

/// What all measurements share.
#[derive(Debug)]
struct Bench {
    options: Options,
    sizes: Sizes,
    generator: Generator,
    management: Management,
    /// RabbitMQ's process.
    broker: Option<u32>,
}

/// Measures everything and prints the table. A budget that is missed is said, and is no error.
///
/// # Errors
/// When something could not be measured; what was measured before is printed anyway.
pub async fn run(options: Options, stack_env: &Path, flags: Flags) -> Result<()> {
    let management = Management::new(Backing::management_url(stack_env)?)?;
    let stack = options.backing.clone();
    scratch::sweep(&stack, &management)
        .await
        .context("remove what earlier runs left")?;
    let alone = Scratch::create(&stack, &management, "edge").await?;
    let whole = Scratch::create(&stack, &management, "all").await;

    let mut report = None;
    let measured = match &whole {
        Ok(whole) => tokio::select! {
            measured = Box::pin(measure(options, management, &flags, [&alone, whole], &mut report)) => measured,
            interrupted = tokio::signal::ctrl_c() => {
                interrupted.context("listen for Ctrl-C").and_then(|()| bail!("interrupted"))
            }
        },
        Err(_) => Ok(()),
    };
    let removed = [Some(&alone), whole.as_ref().ok()];
    for scratch in removed.into_iter().flatten() {
        scratch.remove().await.context("remove the scratch")?;
    }
    if let Some(report) = report {
        println!(
            "{}",
            if flags.markdown {
                report.markdown()
            } else {
                report.text()
            }
        );
    }
    whole?;
    measured
}

async fn measure(
    options: Options,
    management: Management,
    flags: &Flags,
    [alone, whole]: [&Scratch; 2],
    report: &mut Option<Report>,
) -> Result<()> {
    let machine = machine::look(&mut whole.admin().await?, &management).await?;
    for warning in &machine.warnings {
        eprintln!("WARNING: {warning}");
    }
    let report = report.insert(Report {
        facts: machine.facts,
        warnings: machine.warnings,
        sections: Vec::new(),
    });
    if flags.quick {
        let words = "tiny sizes (--quick): the figures mean nothing";
        report.warnings.push(words.to_owned());
    }
    let bench = Bench {
        options,
        sizes: if flags.quick {
            Sizes::QUICK
        } else {
            Sizes::FULL
        },
        generator: Generator::start()?,
        management,
        broker: machine.broker,
    };
    let sections = &mut report.sections;
    if flags.want(Part::Accept) {
        let edge = Box::pin(accept::measure(&bench, alone));
        sections.push(step("webhooks accepted", edge).await?);
        // Now, so that nobody tidies it up while something else is measured.
        alone.remove().await.context("remove the scratch")?;
    }
    let parts = [
        Part::Pipeline,
        Part::Live,
        Part::Sends,
        Part::Reads,
        Part::Inbox,
        Part::Logins,
    ];
    if parts.iter().any(|part| flags.want(*part)) {
        let starting = Box::pin(World::start(&bench, whole));
        let mut world = step("starting the platform", starting).await?;
        let in_world = Box::pin(in_world(&bench, flags, &mut world, sections)).await;
        world.stop(&bench).await?;
        in_world?;
    }
    if flags.want(Part::Processes) {
        let processes = Box::pin(processes::measure(&bench, whole));
        sections.push(step("memory and start of each service", processes).await?);
    }
    Ok(())
}

async fn in_world(
    bench: &Bench,
    flags: &Flags,
    world: &mut World,
    sections: &mut Vec<Section>,
) -> Result<()> {
    let mut empty = None;
    if flags.want(Part::Inbox) {
        let storing = Box::pin(inbox::store(bench, world));
        empty = Some(step("inbound pipeline, empty database", storing).await?);
    }
    let seeding = Box::pin(world.seed(bench.sizes.past));
    step("writing a tenant's past", seeding).await?;
    if flags.want(Part::Pipeline) {
        let pipeline = Box::pin(pipeline::measure(bench, world));
        sections.push(step("inbound pipeline", pipeline).await?);
    }
    if flags.want(Part::Live) {
        let live = Box::pin(live::measure(bench, world));
        sections.push(step("webhook to open inbox", live).await?);
    }
    if flags.want(Part::Sends) {
        let sends = Box::pin(sends::measure(bench, world));
        sections.push(step("sending", sends).await?);
    }
    if flags.want(Part::Reads) {
        let reads = Box::pin(reads::measure(bench, world));
        sections.push(step("reading", reads).await?);
    }
    if flags.want(Part::Logins) {
        let logins = Box::pin(logins::measure(bench, world));
        sections.push(step("logging in", logins).await?);
        let revocation = Box::pin(revocation::measure(world));
        sections.push(step("revoking", revocation).await?);
    }
    // Last: it fills the database.
    if let Some(empty) = empty {
        let others = world.seed_others(bench.sizes.others, bench.sizes.past_of_others);
        step("writing other tenants' past", Box::pin(others)).await?;
        let inbox = Box::pin(inbox::measure(bench, world, &empty));
        sections.push(step("reading a full inbox", inbox).await?);
    }
    Ok(())
}

/// Says what is going on; the table comes last.
async fn step<T>(what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    eprint!("{what} …");
    let started = Instant::now();
    let result = work.await.with_context(|| format!("measure: {what}"));
    eprintln!(" {:.1} s", started.elapsed().as_secs_f64());
    result
}
