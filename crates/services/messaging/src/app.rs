//! Composition: the only file that knows every part.

use std::sync::Arc;

use auth::{Authorizer, GrpcLayer, Jwks, Policy, RemoteKeys, Verifier};
use bus::{Bus, Jitter, Parts, Topology};
use chassis::{
    Deps, Grpc, Ports, Service,
    anyhow::{self, Context},
    clap,
};
use db::Db;
use proto::{
    identity::v1::identity_service_client::IdentityServiceClient,
    messaging::v1::{MessagingServiceValidated, messaging_service_server::MessagingServiceServer},
};
use sqlx::migrate::Migrator;
use whatsapp::CallbackKey;

use crate::{
    Config,
    events::on_whatsapp_received::{self, OnWhatsAppReceived},
    grpc::{service, watch::Hub},
    jobs::{keep_partitions, reconcile_attempt},
    outbound::{self, Engine},
};

/// The schema's migrations.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../../migrations/messaging");

/// Our events that no service subscribes to yet; they are read from the feed.
const UNSUBSCRIBED: &[&str] = &["messaging.#"];

/// The messaging service.
#[derive(Debug)]
pub struct App {
    db: Db,
    bus: Bus,
    supervisor: std::sync::Mutex<Option<bus::Supervisor>>,
    engine: Arc<Engine>,
    hub: Hub,
    authorizer: Authorizer,
}

impl Service for App {
    const NAME: &'static str = "messaging";
    const ABOUT: &'static str = "WhatsApp numbers, contacts, conversations and messages";
    const PORTS: Ports = Ports::from(8083);

    type Config = Config;

    async fn build(config: Config, deps: Deps) -> anyhow::Result<Self> {
        let db = Db::connect(&config.db, Self::NAME, deps.clock.clone())
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
        let topology = Topology::new(Self::NAME, &[on_whatsapp_received::SUBSCRIPTION])
            .unsubscribed(UNSUBSCRIBED);
        let parts = Parts {
            clock: deps.clock.clone(),
            jitter: Jitter::from_os(),
            meter: deps.meter.clone(),
        };
        let (bus, supervisor) = Bus::connect(config.bus, topology, parts)
            .await
            .context("open the broker")?;

        let probe = db.clone();
        deps.health.probe("db", move || {
            let db = probe.clone();
            async move { db.ping().await }
        });
        let authorizer = authorizer(&config.identity, &deps).await?;
        let engine = Engine {
            vault: config
                .vault
                .open(deps.clock.clone())
                .context("open the vault")?,
            whatsapp: client(&config.whatsapp, &deps)?,
            callback: CallbackKey::new(&config.whatsapp.callback_secret),
            replica: ids::JobId::generate().to_string(),
            db: db.clone(),
        };
        Ok(Self {
            hub: Hub::new(db.clone()),
            engine: Arc::new(engine),
            supervisor: std::sync::Mutex::new(Some(supervisor)),
            db,
            bus,
            authorizer,
        })
    }

    fn grpc(&self) -> Option<Grpc> {
        let service = service::Service {
            engine: Arc::clone(&self.engine),
            hub: self.hub.clone(),
        };
        let server = MessagingServiceServer::new(MessagingServiceValidated(service));
        let layer = GrpcLayer::new(self.authorizer.clone());
        Some(Grpc::new(proto::DESCRIPTORS).add(server).layer(layer))
    }

    fn start(&self, deps: &Deps) {
        let stop = deps.shutdown.soft.clone();
        let (tasks, db, bus) = (&deps.tasks, &self.db, &self.bus);
        let supervisor = self
            .supervisor
            .lock()
            .ok()
            .and_then(|mut supervisor| supervisor.take());
        if let Some(supervisor) = supervisor {
            tasks.spawn("bus", supervisor.run(stop.clone()));
        }
        tasks.spawn(
            "relay",
            bus::relay::run(db.clone(), bus.clone(), stop.clone()),
        );
        let handler = OnWhatsAppReceived {
            clock: deps.clock.clone(),
            callback: self.engine.callback.clone(),
        };
        let (consumer_db, consumer_bus, consumer_stop) = (db.clone(), bus.clone(), stop.clone());
        tasks.spawn("on-whatsapp-received", async move {
            let subscription = on_whatsapp_received::SUBSCRIPTION;
            let consuming = bus::consumer::run(
                consumer_db,
                consumer_bus,
                &subscription,
                handler,
                consumer_stop,
            );
            Box::pin(consuming).await;
        });
        tasks.spawn(
            "lanes",
            outbound::run(Arc::clone(&self.engine), stop.clone()),
        );
        tasks.spawn("feed", self.hub.clone().run(stop.clone()));
        let replica = self.engine.replica.clone();
        tasks.spawn(
            "reconcile-attempts",
            reconcile_attempt::run(db.clone(), replica, stop.clone()),
        );
        tasks.spawn(
            "keep-partitions",
            keep_partitions::run(db.clone(), stop.clone()),
        );
        let kept = proto::events::retention(Self::NAME);
        tasks.spawn("retention", db::retention::run(db.clone(), kept, stop));
    }

    async fn finish(self) {
        self.db.close().await;
    }

    async fn migrate(config: Config, _deps: Deps) -> anyhow::Result<()> {
        db::migrate::apply(&config.db, Self::NAME, &MIGRATOR)
            .await
            .context("migrate the schema")?;
        Ok(())
    }

    fn commands() -> Vec<clap::Command> {
        vec![bus::dead_letters::command()]
    }

    /// There is one: dead letters. It works while the broker is down.
    async fn command(
        _name: &str,
        arguments: &clap::ArgMatches,
        config: Config,
        deps: Deps,
    ) -> anyhow::Result<()> {
        let db = Db::connect(&config.db, Self::NAME, deps.clock)
            .await
            .context("open the database")?;
        let result = bus::dead_letters::run(&db, arguments).await;
        db.close().await;
        Ok(result?)
    }
}

/// Callers prove themselves with tokens of identity.
async fn authorizer(identity: &chassis::ChannelConfig, deps: &Deps) -> anyhow::Result<Authorizer> {
    let channel = deps
        .channels
        .open(identity, proto::DESCRIPTORS, None)
        .context("open the channel to identity")?;
    let source = RemoteKeys::new(IdentityServiceClient::new(channel));
    let verifier = Verifier::new(
        Jwks::new(Arc::new(source), deps.clock.clone()),
        deps.clock.clone(),
    );
    Ok(Authorizer::new(
        verifier,
        Policy::load().await.context("load the policy")?,
    ))
}

fn client(config: &crate::config::WhatsApp, deps: &Deps) -> anyhow::Result<whatsapp::Client> {
    let http = outbound_http(deps)?;
    let settings = whatsapp::client::Config {
        base_url: config.base_url.parse().context("whatsapp.base_url")?,
        version: config.api_version.parse().context("whatsapp.api_version")?,
        ..whatsapp::client::Config::default()
    };
    Ok(whatsapp::Client::new(settings, http))
}

/// 30 seconds in all: a shorter deadline leaves more sends with an unknown outcome.
fn outbound_http(deps: &Deps) -> anyhow::Result<::outbound::Client> {
    ::outbound::Client::new(
        "whatsapp",
        ::outbound::Config::default(),
        deps.clock.clone(),
    )
    .context("make the HTTP client")
}
