//! Composition: the only file that knows every part.

use std::sync::Arc;

use auth::{Authorizer, GrpcLayer};
use bus::{Bus, Consumer, Parts, Subscription, Topology};
use chassis::{
    Deps, Grpc, Ports, Service,
    anyhow::{self, Context},
    clap,
};
use clock::Jitter;
use db::Db;
use proto::{
    identity::v1::identity_service_client::IdentityServiceClient,
    messaging::v1::{
        ChannelHealthServiceValidated, ContactServiceValidated, InboxServiceValidated,
        MessagingServiceValidated, TemplateServiceValidated,
        channel_health_service_server::ChannelHealthServiceServer,
        contact_service_server::ContactServiceServer, inbox_service_server::InboxServiceServer,
        messaging_service_server::MessagingServiceServer,
        template_service_server::TemplateServiceServer,
    },
};
use sqlx::migrate::Migrator;
use tokio::sync::Semaphore;
use whatsapp::CallbackKey;

use crate::{
    Config,
    events::{
        on_organization_erased::{self, OnOrganizationErased},
        on_roster_changed::{self, OnRosterChanged},
        on_whatsapp_received::{self, OnWhatsAppReceived},
    },
    grpc::{channel_health, inbox, service, templates, watch::Hub},
    jobs::{
        check_channels, erase_organization, expire_blocked, fetch_media, keep_partitions,
        reconcile_attempt, release_work, sweep_files, sweep_quarantine, sync_templates,
        tell_blocks, transfers, upload_media, wake_snoozed,
    },
    media::{self, Files, links::Links},
    outbound::{self, Engine},
};

/// The schema's migrations.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../../migrations/messaging");

const SUBSCRIPTIONS: &[Subscription] = &[
    on_whatsapp_received::SUBSCRIPTION,
    on_organization_erased::SUBSCRIPTION,
    on_roster_changed::SUBSCRIPTIONS[0],
    on_roster_changed::SUBSCRIPTIONS[1],
    on_roster_changed::SUBSCRIPTIONS[2],
];

/// Our events that no service subscribes to yet; they are read from the feed.
const UNSUBSCRIBED: &[&str] = &[
    "messaging.channel.#",
    "messaging.consent.#",
    "messaging.contact.#",
    "messaging.conversation.#",
    "messaging.media.#",
    "messaging.message.#",
    "messaging.note.#",
    "messaging.template.#",
];

/// The messaging service.
#[derive(Debug)]
pub struct App {
    db: Db,
    bus: Bus,
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
        let db = Db::open(&config.db, Self::NAME, deps.clock.clone(), &MIGRATOR)
            .await
            .context("open the database")?;
        deps.health.probe("db", db.probe());
        let topology = Topology::new(Self::NAME, SUBSCRIPTIONS).unsubscribed(UNSUBSCRIBED);
        let parts = Parts::new(deps.clock.clone(), deps.meter.clone());
        let bus = Bus::open(config.bus, topology, parts).context("open the broker")?;
        deps.health.watch("rabbitmq", bus.probe());
        let authorizer = authorizer(&config.identity, &deps).await?;
        let engine = Engine {
            vault: config
                .vault
                .open(deps.clock.clone())
                .context("open the vault")?,
            whatsapp: client("whatsapp", &config.whatsapp, &deps)?,
            files: Files {
                store: config
                    .media
                    .store
                    .open()
                    .context("open the store of files")?,
                links: Links::new(config.media.link_secret.clone(), &config.media.public_url),
                pictures: Arc::new(Semaphore::new(media::PICTURES)),
                uploads: Arc::new(Semaphore::new(media::UPLOADS)),
                graph: client("whatsapp-media", &config.whatsapp, &deps)?,
                brake: config.media.brake(),
            },
            management: client("whatsapp-management", &config.whatsapp, &deps)?,
            callback: CallbackKey::new(&config.whatsapp.callback_secret),
            jitter: Jitter::from_os(),
            replica: ids::JobId::generate().to_string(),
            db: db.clone(),
        };
        Ok(Self {
            hub: Hub::new(db.clone()),
            engine: Arc::new(engine),
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
        let health = channel_health::Service {
            engine: Arc::clone(&self.engine),
        };
        let health = ChannelHealthServiceServer::new(ChannelHealthServiceValidated(health));
        let contacts = ContactServiceServer::new(ContactServiceValidated(service.clone()));
        let server = MessagingServiceServer::new(MessagingServiceValidated(service));
        let templates = templates::Service {
            engine: Arc::clone(&self.engine),
        };
        let templates = TemplateServiceServer::new(TemplateServiceValidated(templates));
        let layer = GrpcLayer::new(self.authorizer.clone());
        let inbox = inbox::Inbox {
            engine: Arc::clone(&self.engine),
        };
        let inbox = InboxServiceServer::new(InboxServiceValidated(inbox));
        let grpc = Grpc::new(proto::DESCRIPTORS)
            .add(server)
            .add(contacts)
            .add(inbox)
            .add(health)
            .add(templates);
        Some(grpc.layer(layer))
    }

    fn http(&self) -> Option<axum::Router> {
        Some(media::http::router(Arc::clone(&self.engine)))
    }

    fn serve(&self, deps: &Deps) {
        let stop = deps.shutdown.soft.clone();
        deps.tasks.spawn("feed", self.hub.clone().run(stop));
    }

    fn start(&self, deps: &Deps) {
        let (tasks, stop) = (&deps.tasks, &deps.shutdown.soft);
        let (db, engine) = (|| self.db.clone(), &self.engine);
        for (name, task) in bus::background(&self.db, &self.bus, stop) {
            tasks.spawn(name, task);
        }
        let handler = OnWhatsAppReceived {
            clock: deps.clock.clone(),
            callback: engine.callback.clone(),
        };
        let subscription = &on_whatsapp_received::SUBSCRIPTION;
        let consumer = Consumer::new(db(), self.bus.clone(), subscription, handler);
        tasks.spawn("on-whatsapp-received", Box::pin(consumer.run(stop.clone())));
        let handler = OnOrganizationErased {
            clock: deps.clock.clone(),
        };
        let subscription = &on_organization_erased::SUBSCRIPTION;
        let consumer = Consumer::new(db(), self.bus.clone(), subscription, handler);
        tasks.spawn(
            "on-organization-erased",
            Box::pin(consumer.run(stop.clone())),
        );
        let handler = OnRosterChanged {
            clock: deps.clock.clone(),
        };
        let subscription = &on_roster_changed::SUBSCRIPTIONS[0];
        let consumer = Consumer::new(db(), self.bus.clone(), subscription, handler);
        tasks.spawn("on-roster-changed", Box::pin(consumer.run(stop.clone())));
        let releasing = release_work::run(db(), engine.replica.clone(), stop.clone());
        tasks.spawn("release-work", releasing);
        tasks.spawn("wake-snoozed", wake_snoozed::run(db(), stop.clone()));
        let erasing = erase_organization::run(Arc::clone(engine), stop.clone());
        tasks.spawn("erase-organizations", erasing);
        let telling = tell_blocks::run(Arc::clone(engine), stop.clone());
        tasks.spawn("tell-blocks", telling);
        let lanes = outbound::run(Arc::clone(engine), stop.clone());
        tasks.spawn("lanes", lanes);
        self.start_media(deps);
        let reconciling = reconcile_attempt::run(db(), engine.replica.clone(), stop.clone());
        tasks.spawn("reconcile-attempts", reconciling);
        let syncing = sync_templates::run(Arc::clone(engine), stop.clone());
        tasks.spawn("sync-templates", syncing);
        tasks.spawn("expire-blocked", expire_blocked::run(db(), stop.clone()));
        tasks.spawn("keep-partitions", keep_partitions::run(db(), stop.clone()));
        tasks.spawn(
            "sweep-quarantine",
            sweep_quarantine::run(db(), stop.clone()),
        );
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

impl App {
    fn start_media(&self, deps: &Deps) {
        let (tasks, stop) = (&deps.tasks, &deps.shutdown.soft);
        let engine = || Arc::clone(&self.engine);
        let fetching = transfers::run(
            engine(),
            fetch_media::KIND,
            stop.clone(),
            fetch_media::fetch,
        );
        tasks.spawn("fetch-media", fetching);
        let uploading = transfers::run(
            engine(),
            upload_media::KIND,
            stop.clone(),
            upload_media::upload,
        );
        tasks.spawn("upload-media", uploading);
        let refusals = sweep_files::Refusals::new(&deps.meter);
        tasks.spawn(
            "check-channels",
            check_channels::run(engine(), stop.clone()),
        );
        let sweeping = sweep_files::run(engine(), refusals, stop.clone());
        tasks.spawn("sweep-files", sweeping);
    }
}

/// Callers prove themselves with tokens of identity.
async fn authorizer(identity: &chassis::ChannelConfig, deps: &Deps) -> anyhow::Result<Authorizer> {
    let channel = deps
        .channels
        .open(identity, proto::DESCRIPTORS, None)
        .context("open the channel to identity")?;
    let client = IdentityServiceClient::new(channel);
    let authorizer = Authorizer::of_identity(client, deps.clock.clone())
        .await
        .context("load the policy")?;
    let probe = authorizer.clone();
    deps.health.probe("identity.keys", move || {
        let probe = probe.clone();
        async move { probe.probe().await }
    });
    Ok(authorizer)
}

/// 30 seconds for a call in all: a shorter deadline leaves more sends with an unknown outcome.
fn client(
    name: &'static str,
    config: &crate::config::WhatsApp,
    deps: &Deps,
) -> anyhow::Result<whatsapp::Client> {
    let settings = config
        .client()
        .map_err(|(key, sentence)| anyhow::anyhow!("whatsapp.{key} {sentence}"))?;
    let limits = ::outbound::Config::default();
    let http = ::outbound::Client::new(name, limits, deps.clock.clone())
        .context("make the HTTP client")?;
    Ok(whatsapp::Client::new(settings, http))
}
