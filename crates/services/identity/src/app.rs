//! Composition: the only file that knows every part.

use std::{sync::Arc, time::Duration};

use auth::{Authorizer, GrpcLayer, Jwks, Policy, Revocations, Verifier};
use bus::{Bus, Consumer, Parts, Subscription, Topology};
use chassis::{
    Deps, Grpc, Ports, Service,
    anyhow::{self, Context},
};
use db::Db;
use proto::identity::v1::{
    AccountServiceValidated, AuditServiceValidated, IdentityServiceValidated,
    PeopleServiceValidated, ScimServiceValidated, SsoServiceValidated,
    account_service_server::AccountServiceServer, audit_service_server::AuditServiceServer,
    identity_service_server::IdentityServiceServer, people_service_server::PeopleServiceServer,
    scim_service_server::ScimServiceServer, sso_service_server::SsoServiceServer,
};
use sqlx::migrate::Migrator;

use crate::{
    Config,
    events::{
        on_audit_recorded::{self, OnAuditRecorded},
        on_resend_received::{self, OnResendReceived},
    },
    grpc, jobs,
    keys::{AddressKey, KeyRing},
    mail::{AppUrl, Sender},
    ops::{self, Tools, list_revocations::OwnRevocations},
    passwords::Passwords,
};

/// The schema's migrations.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../../migrations/identity");

/// Our events that no service subscribes to yet; they are read from the feed.
const UNSUBSCRIBED: &[&str] = &[
    "identity.api_key.#",
    "identity.organization.deletion_scheduled.v1",
    "identity.organization.resumed.v1",
    "identity.organization.suspended.v1",
    "identity.session.#",
];

/// What it hears of other services.
const SUBSCRIPTIONS: &[Subscription] = &[
    on_audit_recorded::SUBSCRIPTION,
    on_resend_received::SUBSCRIPTION,
];

/// Of one call to Resend; a batch of them is done within a lease.
const SEND_DEADLINE: Duration = Duration::from_secs(20);

/// The identity service.
#[derive(Debug)]
pub struct App {
    tools: Tools,
    authorizer: Authorizer,
    bus: Bus,
    /// `None` without an API key: mail waits.
    mail: Option<Sender>,
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
        let keys = KeyRing::open(db.clone(), vault.clone(), sessions.lasts)
            .await
            .context("load signing keys")?;
        let addresses = AddressKey::open(&db, &vault)
            .await
            .context("load the key of addresses")?;
        ops::replace_service_clients::replace_service_clients(&db, &config.service_clients)
            .await
            .context("configure service clients")?;
        let policy = Policy::load().await?;
        let jwks = Jwks::new(Arc::new(keys.clone()), deps.clock.clone());
        let revocations = Arc::new(OwnRevocations(db.clone()));
        let revocations = Revocations::new(revocations, deps.clock.clone());
        let verifier = Verifier::new(jwks, revocations, deps.clock.clone());
        saml::self_test().context("check that SAML signatures can be verified")?;
        let sso =
            ops::sso::Partners::open(&config.sso, &deps.clock).context("set up single sign-on")?;
        let mail = sender(&config, &deps)?;
        let topology = Topology::new(Self::NAME, SUBSCRIPTIONS).unsubscribed(UNSUBSCRIBED);
        let parts = Parts::new(deps.clock.clone(), deps.meter.clone());
        let bus = Bus::open(config.bus, topology, parts).context("open the broker")?;
        deps.health.watch("rabbitmq", bus.probe());
        Ok(Self {
            tools: Tools {
                db,
                keys,
                addresses,
                vault,
                passwords: Passwords::new().await.context("prepare password hashing")?,
                policy: Arc::new(policy.clone()),
                sso,
                sessions,
                unproven_sign_ups: config.sign_up.unproven,
                seats: config.seats.max,
            },
            authorizer: Authorizer::new(verifier, policy, deps.clock),
            bus,
            mail,
        })
    }

    fn grpc(&self) -> Option<Grpc> {
        let service = grpc::Service {
            tools: self.tools.clone(),
        };
        let server = IdentityServiceServer::new(IdentityServiceValidated(service));
        let account = grpc::Account {
            tools: self.tools.clone(),
        };
        let account = AccountServiceServer::new(AccountServiceValidated(account));
        let audit = grpc::Audit {
            tools: self.tools.clone(),
        };
        let audit = AuditServiceServer::new(AuditServiceValidated(audit));
        let people = grpc::People {
            tools: self.tools.clone(),
        };
        let people = PeopleServiceServer::new(PeopleServiceValidated(people));
        let scim = grpc::Scim {
            tools: self.tools.clone(),
        };
        let scim = ScimServiceServer::new(ScimServiceValidated(scim));
        let sso = grpc::Sso {
            tools: self.tools.clone(),
        };
        let sso = SsoServiceServer::new(SsoServiceValidated(sso));
        let layer = GrpcLayer::new(self.authorizer.clone());
        Some(
            Grpc::new(proto::DESCRIPTORS)
                .add(server)
                .add(account)
                .add(audit)
                .add(people)
                .add(scim)
                .add(sso)
                .layer(layer),
        )
    }

    fn start(&self, deps: &Deps) {
        let (tasks, db, stop) = (&deps.tasks, &self.tools.db, &deps.shutdown.soft);
        for (name, task) in bus::background(db, &self.bus, stop) {
            tasks.spawn(name, task);
        }
        self.consume(deps);
        if let Some(sender) = self.mail.clone() {
            let replica = ids::JobId::generate().to_string();
            let sending = jobs::send_mail::run(self.tools.clone(), sender, replica, stop.clone());
            tasks.spawn("send-mail", Box::pin(sending));
        }
        let (keys, clock) = (self.tools.keys.clone(), db.clock().clone());
        tasks.spawn("keep-keys", jobs::keep_keys::run(keys, clock, stop.clone()));
        tasks.spawn(
            "sweep-logins",
            jobs::sweep_logins::run(db.clone(), stop.clone()),
        );
        let sso = jobs::keep_sso::run(self.tools.clone(), stop.clone());
        tasks.spawn("keep-sso", Box::pin(sso));
        let vault = self.tools.vault.clone();
        tasks.spawn("erase", jobs::erase::run(db.clone(), vault, stop.clone()));
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

impl App {
    fn consume(&self, deps: &Deps) {
        let (tasks, stop) = (&deps.tasks, &deps.shutdown.soft);
        let (db, bus) = (&self.tools.db, &self.bus);
        let subscription = &on_audit_recorded::SUBSCRIPTION;
        let consumer = Consumer::new(db.clone(), bus.clone(), subscription, OnAuditRecorded);
        tasks.spawn("on-audit-recorded", Box::pin(consumer.run(stop.clone())));
        let handler = OnResendReceived {
            addresses: self.tools.addresses.clone(),
        };
        let subscription = &on_resend_received::SUBSCRIPTION;
        let consumer = Consumer::new(db.clone(), bus.clone(), subscription, handler);
        tasks.spawn("on-resend-received", Box::pin(consumer.run(stop.clone())));
    }
}

/// What sends mail, if it is set up.
fn sender(config: &Config, deps: &Deps) -> anyhow::Result<Option<Sender>> {
    if !config.mail.is_on() {
        tracing::warn!(
            "mail.api_key is not set: no mail is sent, and invitations and password resets wait"
        );
        return Ok(None);
    }
    let limits = outbound::Config {
        deadline: SEND_DEADLINE,
        ..outbound::Config::default()
    };
    let http = outbound::Client::new("resend", limits, deps.clock.clone())
        .context("make the HTTP client")?;
    let settings = config.mail.client().context("read the settings of mail")?;
    Ok(Some(Sender {
        client: resend::Client::new(settings, http),
        app: AppUrl::parse(&config.app_url).context("read app_url")?,
    }))
}
