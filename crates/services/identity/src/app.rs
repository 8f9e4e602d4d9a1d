//! Composition: the only file that knows every part.

use std::sync::{Arc, Mutex};

use auth::{Authorizer, GrpcLayer, Jwks, Policy, Verifier};
use bus::{Bus, Jitter, Parts, Topology};
use chassis::{
    Deps, Grpc, Ports, Service,
    anyhow::{self, Context},
};
use db::Db;
use proto::identity::v1::{
    IdentityServiceValidated, identity_service_server::IdentityServiceServer,
};
use sqlx::migrate::Migrator;

use crate::{Config, grpc, jobs, keys::KeyRing, ops, ops::Tools, passwords::Passwords};

/// The schema's migrations.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../../migrations/identity");

/// Our events that no service subscribes to yet; they are read from the feed.
const UNSUBSCRIBED: &[&str] = &["identity.#"];

/// The identity service.
#[derive(Debug)]
pub struct App {
    tools: Tools,
    authorizer: Authorizer,
    bus: Bus,
    /// Taken when the background work starts.
    supervisor: Mutex<Option<bus::Supervisor>>,
}

impl Service for App {
    const NAME: &'static str = "identity";
    const ABOUT: &'static str =
        "Organizations, people, sessions, API keys and the keys that sign tokens";
    const PORTS: Ports = Ports::from(8086);

    type Config = Config;

    async fn build(config: Config, deps: Deps) -> anyhow::Result<Self> {
        let db = open_database(&config, &deps).await?;
        let vault = config
            .vault
            .open(deps.clock.clone())
            .context("open the vault")?;
        let sessions = config.sessions.limits();
        let keys = KeyRing::open(db.clone(), vault, sessions.lasts)
            .await
            .context("load signing keys")?;
        ops::replace_service_clients::replace_service_clients(&db, &config.service_clients)
            .await
            .context("configure service clients")?;
        let policy = Policy::load().await?;
        let jwks = Jwks::new(Arc::new(keys.clone()), deps.clock.clone());
        let verifier = Verifier::new(jwks, deps.clock.clone());
        let topology = Topology::new(Self::NAME, &[]).unsubscribed(UNSUBSCRIBED);
        let parts = Parts {
            clock: deps.clock.clone(),
            jitter: Jitter::from_os(),
            meter: deps.meter.clone(),
        };
        let (bus, supervisor) = Bus::connect(config.bus, topology, parts)
            .await
            .context("open the broker")?;
        Ok(Self {
            tools: Tools {
                db,
                clock: deps.clock,
                keys,
                passwords: Passwords::new().await.context("prepare password hashing")?,
                policy: Arc::new(policy.clone()),
                sessions,
            },
            authorizer: Authorizer::new(verifier, policy),
            bus,
            supervisor: Mutex::new(Some(supervisor)),
        })
    }

    fn grpc(&self) -> Option<Grpc> {
        let service = grpc::Service {
            tools: self.tools.clone(),
        };
        let server = IdentityServiceServer::new(IdentityServiceValidated(service));
        let layer = GrpcLayer::new(self.authorizer.clone());
        Some(Grpc::new(proto::DESCRIPTORS).add(server).layer(layer))
    }

    fn start(&self, deps: &Deps) {
        let (tasks, db, bus) = (&deps.tasks, &self.tools.db, &self.bus);
        let stop = deps.shutdown.soft.clone();
        if let Some(supervisor) = self
            .supervisor
            .lock()
            .ok()
            .and_then(|mut supervisor| supervisor.take())
        {
            tasks.spawn("bus", supervisor.run(stop.clone()));
        }
        tasks.spawn(
            "relay",
            bus::relay::run(db.clone(), bus.clone(), stop.clone()),
        );
        let (keys, clock) = (self.tools.keys.clone(), deps.clock.clone());
        tasks.spawn("keep-keys", jobs::keep_keys::run(keys, clock, stop.clone()));
        let kept = proto::events::retention(Self::NAME);
        tasks.spawn(
            "retention",
            db::retention::run(db.clone(), kept, stop.clone()),
        );
        tasks.spawn(
            "sweep-sessions",
            jobs::sweep_sessions::run(db.clone(), stop),
        );
    }

    async fn finish(self) {
        self.tools.db.close().await;
    }

    async fn migrate(config: Config, _deps: Deps) -> anyhow::Result<()> {
        db::migrate::apply(&config.db, Self::NAME, &MIGRATOR)
            .await
            .context("migrate the schema")?;
        Ok(())
    }
}

async fn open_database(config: &Config, deps: &Deps) -> anyhow::Result<Db> {
    let db = Db::connect(&config.db, App::NAME, deps.clock.clone())
        .await
        .context("open the database")?;
    let pending = db::migrate::pending(&db, &MIGRATOR)
        .await
        .context("compare the schema")?;
    anyhow::ensure!(
        pending.is_empty(),
        "the schema is behind: run `migrate` first ({})",
        pending.join(", ")
    );
    let probe = db.clone();
    deps.health.probe("db", move || {
        let db = probe.clone();
        async move { db.ping().await }
    });
    Ok(db)
}
