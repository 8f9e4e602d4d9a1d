//! Composition: the only file that knows every part.

use std::sync::Arc;

use auth::{Authorizer, GrpcLayer, Jwks, Policy, Verifier};
use bus::{Bus, Parts, Topology};
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
}

impl Service for App {
    const NAME: &'static str = "identity";
    const ABOUT: &'static str =
        "Organizations, people, sessions, API keys and the keys that sign tokens";
    const PORTS: Ports = Ports::from(8086).without_http();

    type Config = Config;

    async fn build(config: Config, deps: Deps) -> anyhow::Result<Self> {
        let db = Db::open(&config.db, Self::NAME, deps.clock.clone(), &MIGRATOR)
            .await
            .context("open the database")?;
        deps.health.probe("db", db.probe());
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
        let parts = Parts::new(deps.clock.clone(), deps.meter.clone());
        let bus = Bus::open(config.bus, topology, parts).context("open the broker")?;
        deps.health.watch("rabbitmq", bus.probe());
        Ok(Self {
            tools: Tools {
                db,
                keys,
                passwords: Passwords::new().await.context("prepare password hashing")?,
                policy: Arc::new(policy.clone()),
                sessions,
            },
            authorizer: Authorizer::new(verifier, policy),
            bus,
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
        let (tasks, db, stop) = (&deps.tasks, &self.tools.db, &deps.shutdown.soft);
        for (name, task) in bus::background(db, &self.bus, stop) {
            tasks.spawn(name, task);
        }
        let (keys, clock) = (self.tools.keys.clone(), db.clock().clone());
        tasks.spawn("keep-keys", jobs::keep_keys::run(keys, clock, stop.clone()));
        tasks.spawn(
            "sweep-sessions",
            jobs::sweep_sessions::run(db.clone(), stop.clone()),
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
