//! Composition: the only file that knows every part.

use std::sync::Arc;

use axum::Router;
use bus::{Bus, Parts, Topology};
use chassis::{
    Deps, Ports, Service,
    anyhow::{self, Context},
};
use clock::Jitter;
use db::Db;
use sqlx::migrate::Migrator;
use tokio::sync::{Mutex, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Config,
    http::{self, BodyTerms, Door, Edge},
    jobs::{
        sweep_receipts,
        write_webhooks::{self, Writer},
    },
    metrics::Metrics,
    ops::receive_webhook::Intake,
};

/// The schema's migrations.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../../migrations/edge");

/// The edge.
#[derive(Debug)]
pub struct App {
    db: Db,
    bus: Bus,
    edge: Arc<Edge>,
    writer: Writer,
    writers: u32,
    /// The writers that run.
    writing: TaskTracker,
}

impl Service for App {
    const NAME: &'static str = "edge";
    const ABOUT: &'static str = "Accepts the webhooks of providers";
    const PORTS: Ports = Ports::from(8089).without_grpc();

    type Config = Config;

    async fn build(config: Config, deps: Deps) -> anyhow::Result<Self> {
        let db = Db::open(&config.db, Self::NAME, deps.clock.clone(), &MIGRATOR)
            .await
            .context("open the database")?;
        deps.health.probe("db", db.probe());
        // Nothing waits for the broker: while it is away, events wait in the outbox.
        let parts = Parts::new(deps.clock.clone(), deps.meter.clone());
        let bus = Bus::open(config.bus.clone(), Topology::new(Self::NAME, &[]), parts)
            .context("open the broker")?;
        deps.health.watch("rabbitmq", bus.probe());
        let (edge, writer) = intake(&config, &db, &deps)?;
        Ok(Self {
            db,
            bus,
            edge: Arc::new(edge),
            writer,
            writers: config.intake.writers,
            writing: TaskTracker::new(),
        })
    }

    fn http(&self) -> Option<Router> {
        Some(http::router(Arc::clone(&self.edge)))
    }

    fn serve(&self, deps: &Deps) {
        for _ in 0..self.writers {
            let writing = self.writer.clone().run(deps.shutdown.soft.clone());
            deps.tasks
                .spawn("writer", self.writing.track_future(writing));
        }
    }

    fn start(&self, deps: &Deps) {
        let (tasks, stop) = (&deps.tasks, &deps.shutdown.soft);
        // The relay ends behind the last writer: what came in while the service stopped is published, too.
        let written = CancellationToken::new();
        let last_writer =
            write_webhooks::ended(self.writing.clone(), stop.clone(), written.clone());
        tasks.spawn("last-writer", last_writer);
        for (name, task) in bus::background(&self.db, &self.bus, &written) {
            tasks.spawn(name, task);
        }
        let sweep = sweep_receipts::run(self.db.clone(), Jitter::from_os(), stop.clone());
        tasks.spawn("sweep-receipts", sweep);
    }

    async fn finish(self) {
        self.db.close().await;
    }

    async fn migrate(config: Config, _deps: Deps) -> anyhow::Result<()> {
        db::migrate::apply(&config.db, Self::NAME, &MIGRATOR)
            .await
            .context("migrate the schema")
    }
}

/// What requests share, and a writer that they wait for.
fn intake(config: &Config, db: &Db, deps: &Deps) -> anyhow::Result<(Edge, Writer)> {
    let settings = &config.intake;
    let metrics = Metrics::new(&deps.meter);
    let (intake, queue) = Intake::new(
        deps.clock.clone(),
        settings.queue,
        settings.answer_timeout(),
    );
    let writer = Writer {
        db: db.clone(),
        queue: Arc::new(Mutex::new(queue)),
        under_way: intake.under_way().clone(),
        metrics: metrics.clone(),
        batch_max: settings.batch_max,
        timeout: settings.answer_timeout(),
    };
    let edge = Edge {
        apps: config.whatsapp.apps().context("whatsapp.apps")?,
        resend: config.resend.secrets().context("resend.secrets")?,
        door: Arc::new(Door::new(
            settings.max_unverified,
            settings.max_unverified_per_address,
        )),
        body: BodyTerms {
            timeout: settings.body_timeout(),
            min_bytes_per_second: settings.min_bytes_per_second,
            room: Arc::new(Semaphore::new(settings.max_buffered_bytes as usize)),
        },
        trusted_proxies: settings.trusted_proxies.clone(),
        intake,
        metrics,
    };
    Ok((edge, writer))
}
