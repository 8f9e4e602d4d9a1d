//! Starting everything.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use anyhow::{Context, Result};
use blobs::BlobsConfig;
use chassis::{
    Addresses, Base, ChannelConfig, Environment, Host, HostOptions, Listeners, Mode, Outcome,
    Telemetry,
};
use clock::Clock;
use sandbox::{
    Sandbox, SandboxConfig, SandboxHandle,
    resend::{EndpointSpec, SetupSpec},
};
use secrecy::SecretString;
use vault::VaultConfig;

use crate::backing::Backing;

/// The Meta app of the sandbox: its name in the callback address, its secret, its verify token.
pub const APP: &str = "default";
/// Signs the sandbox's webhooks.
pub const APP_SECRET: &str = "sandbox-app-secret";
/// Verifies the callback address.
pub const VERIFY_TOKEN: &str = "sandbox-verify-token";
/// The token the sandbox accepts for every number.
pub const ACCESS_TOKEN: &str = "sandbox-access-token";
/// The gateway's client secret at identity. The process is the only one that could use it.
const GATEWAY_SECRET: &str = "only-the-gateway-of-this-process-uses-it";
/// Resend's key at the sandbox.
const RESEND_KEY: &str = "re_sandbox";
/// Signs the webhooks of the sandbox's Resend.
const RESEND_WEBHOOK_SECRET: &str = "whsec_b25seS10aGUtc2FuZGJveC1zaWducy13aXRoLWl0";
/// Resend lets only verified domains send; the sandbox's team has this one.
const SENDER: &str = "Switchboard <mail@switchboard.example>";
/// Where links in mail lead: the app's development server.
const APP_URL: &str = "http://localhost:5173";
/// Signs the addresses of files.
const LINK_SECRET: &str = "only-addresses-of-this-process-are-signed-with-it";
const CALLBACK_SECRET: &str = "only-marks-of-this-process-are-made-with-it";

/// What to start and where.
#[derive(Debug)]
pub struct Options {
    /// The data.
    pub backing: Backing,
    /// The local key file; made when it is missing.
    pub key_path: PathBuf,
    /// First of the well-known ports (gateway 8080, edge 8089), or free ports.
    pub well_known_ports: bool,
    /// The time everything runs on.
    pub clock: Clock,
    /// Logs, traces and metrics of the process.
    pub telemetry: Telemetry,
    /// Where WhatsApp is; `None` starts a sandbox.
    pub graph_url: Option<String>,
}

impl Options {
    /// The folder of messages' files: beside the keys, where `make clean` and tests look after both.
    pub(crate) fn files_path(&self) -> PathBuf {
        self.key_path.with_file_name("files")
    }
}

/// The running platform.
#[derive(Debug)]
pub struct Platform {
    /// The public API, `http://127.0.0.1:8080`.
    pub gateway: String,
    /// Where webhooks go, `http://127.0.0.1:8089`.
    pub edge: String,
    /// Identity's gRPC, for programs inside.
    pub identity: SocketAddr,
    /// Messaging's.
    pub messaging: SocketAddr,
    /// Probes and metrics.
    pub admin: Option<SocketAddr>,
    /// Meta's Graph API, unless it is somewhere else.
    pub sandbox: Option<SandboxHandle>,
    host: Host,
}

impl Platform {
    /// Migrates every schema and starts everything. Ready when it returns.
    pub async fn start(options: Options) -> Result<Self> {
        chassis::install_crypto();
        vault::local::create(&options.key_path).context("make the local key file")?;
        migrate(&options.backing).await?;
        let sandbox = match &options.graph_url {
            Some(_) => None,
            None => Some(start_sandbox(&options).await?),
        };
        let graph = options
            .graph_url
            .clone()
            .or_else(|| {
                sandbox
                    .as_ref()
                    .map(|sandbox| sandbox.base_url().to_owned())
            })
            .context("know where Graph is")?;
        let host = Host::start(HostOptions {
            environment: Environment::Development,
            clock: options.clock.clone(),
            telemetry: options.telemetry.clone(),
            admin: Some(local(if options.well_known_ports { 8_079 } else { 0 })),
            drain: chassis::Drain::immediate(),
            mode: Mode::ALL,
        })
        .await?;
        Self::start_services(host, &options, sandbox, graph).await
    }

    async fn start_services(
        mut host: Host,
        options: &Options,
        sandbox: Option<SandboxHandle>,
        graph: String,
    ) -> Result<Self> {
        let base = if options.well_known_ports {
            Base::default()
        } else {
            Base::for_tests()
        };
        // Identity and messaging know each other's addresses before they are built, and Resend the edge's.
        let edge = listen::<edge::App>(&base).await?;
        if let Some(sandbox) = &sandbox {
            let edge = http(edge.addresses())?;
            set_up_resend(sandbox, &edge)?;
        }
        let identity = listen::<identity::App>(&base).await?;
        let messaging = listen::<messaging::App>(&base).await?;
        let (identity_at, messaging_at) =
            (grpc(identity.addresses())?, grpc(messaging.addresses())?);

        let config = identity_config(options, sandbox.as_ref())?;
        host.add_on::<identity::App>(identity, &base, config)
            .await?;
        let files_at = http(messaging.addresses())?;
        let config = messaging_config(options, identity_at, graph, files_at)?;
        host.add_on::<messaging::App>(messaging, &base, config)
            .await?;
        let edge = host
            .add_on::<edge::App>(edge, &base, edge_config(&options.backing)?)
            .await?;
        let gateway = host
            .add::<gateway::App>(&base, gateway_config(identity_at, messaging_at)?)
            .await?;
        host.add::<billing::App>(&base, ()).await?;
        host.add::<ai::App>(&base, ()).await?;
        host.add::<crm_sync::App>(&base, ()).await?;

        Ok(Self {
            gateway: http(gateway)?,
            edge: http(edge)?,
            identity: identity_at,
            messaging: messaging_at,
            admin: host.admin_address(),
            sandbox,
            host,
        })
    }

    /// The callback address of the sandbox's app.
    pub fn callback_url(&self) -> String {
        format!("{}/webhooks/whatsapp/{APP}", self.edge)
    }

    /// Returns when a part of the platform has died.
    pub async fn failed(&self) {
        self.host.failed().await;
    }

    /// Stops everything in order.
    pub async fn shutdown(self) -> Outcome {
        let outcome = self.host.shutdown().await;
        if let Some(sandbox) = self.sandbox {
            sandbox.shutdown().await;
        }
        outcome
    }
}

/// Brings every schema up to date.
pub async fn migrate(backing: &Backing) -> Result<()> {
    for (schema, migrator) in [
        ("identity", &identity::MIGRATOR),
        ("edge", &edge::MIGRATOR),
        ("messaging", &messaging::MIGRATOR),
    ] {
        db::migrate::apply(&backing.db(schema)?, schema, migrator)
            .await
            .with_context(|| format!("migrate {schema}"))?;
    }
    Ok(())
}

async fn start_sandbox(options: &Options) -> Result<SandboxHandle> {
    let config = SandboxConfig {
        listen: local(if options.well_known_ports { 8_078 } else { 0 }),
        ..SandboxConfig::default()
    };
    Sandbox::start(config, options.clock.clone())
        .await
        .context("start the sandbox")
}

/// The team whose mail the sandbox takes. It tells the edge which addresses mail no longer reaches.
fn set_up_resend(sandbox: &SandboxHandle, edge: &str) -> Result<()> {
    let undeliverable = ["email.bounced", "email.complained", "email.suppressed"];
    let team = SetupSpec {
        api_key: SecretString::from(RESEND_KEY),
        webhooks: vec![EndpointSpec {
            url: format!("{edge}/webhooks/resend"),
            signing_secrets: vec![SecretString::from(RESEND_WEBHOOK_SECRET)],
            events: Some(undeliverable.map(str::to_owned).into()),
        }],
        ..SetupSpec::default()
    };
    sandbox
        .resend()
        .set_up(team)
        .map_err(|error| anyhow::anyhow!("set up the sandbox's Resend: {error:?}"))
}

async fn listen<S: chassis::Service>(base: &Base) -> Result<Listeners> {
    let opened = Listeners::open_for::<S>(base, Environment::Development).await;
    opened.with_context(|| format!("open the ports of {}", S::NAME))
}

fn grpc(addresses: Addresses) -> Result<SocketAddr> {
    addresses.grpc.context("the service serves gRPC")
}

fn http(addresses: Addresses) -> Result<String> {
    let address = addresses.http.context("the service serves HTTP")?;
    Ok(format!("http://{address}"))
}

const fn local(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

fn vault_config(options: &Options) -> VaultConfig {
    VaultConfig {
        provider: vault::Provider::Local,
        key_path: options.key_path.clone(),
    }
}

/// Mail goes into the sandbox's mailbox, and waits where there is no sandbox.
fn mail_config(sandbox: Option<&SandboxHandle>) -> identity::Mail {
    sandbox.map_or_else(identity::Mail::default, |sandbox| identity::Mail {
        api_key: SecretString::from(RESEND_KEY),
        from: SENDER.to_owned(),
        base_url: sandbox.resend_url(),
    })
}

fn identity_config(options: &Options, sandbox: Option<&SandboxHandle>) -> Result<identity::Config> {
    Ok(identity::Config {
        db: options.backing.db("identity")?,
        bus: options.backing.bus(),
        vault: vault_config(options),
        app_url: APP_URL.to_owned(),
        mail: mail_config(sandbox),
        sessions: identity::Sessions::default(),
        seats: identity::Seats::default(),
        sso: identity::Sso::default(),
        // Nobody reads mail on a laptop.
        sign_up: identity::SignUps { unproven: true },
        service_clients: [("gateway".to_owned(), SecretString::from(GATEWAY_SECRET))].into(),
    })
}

fn messaging_config(
    options: &Options,
    identity: SocketAddr,
    graph: String,
    public_url: String,
) -> Result<messaging::Config> {
    Ok(messaging::Config {
        db: options.backing.db("messaging")?,
        bus: options.backing.bus(),
        vault: vault_config(options),
        identity: ChannelConfig::to(format!("http://{identity}")),
        whatsapp: messaging::WhatsApp {
            base_url: graph,
            api_version: "v25.0".to_owned(),
            callback_secret: SecretString::from(CALLBACK_SECRET),
        },
        media: messaging::Media {
            store: BlobsConfig {
                path: Some(options.files_path()),
                ..BlobsConfig::default()
            },
            public_url,
            link_secret: SecretString::from(LINK_SECRET),
            sweep_most_percent: 20,
        },
    })
}

/// The edge with the sandbox's app and Resend's webhooks.
pub(crate) fn edge_config(backing: &Backing) -> Result<edge::Config> {
    let section = serde_json::json!({
        "apps": { APP: { "secrets": [APP_SECRET], "verify_token": VERIFY_TOKEN } }
    });
    let resend = serde_json::json!({ "secrets": [RESEND_WEBHOOK_SECRET] });
    Ok(edge::Config {
        db: backing.db("edge")?,
        bus: backing.bus(),
        whatsapp: serde_json::from_value(section).context("the edge's apps")?,
        resend: serde_json::from_value(resend).context("the webhooks of Resend")?,
        intake: edge::Intake::default(),
    })
}

fn gateway_config(identity: SocketAddr, messaging: SocketAddr) -> Result<gateway::Config> {
    let config = serde_json::json!({
        "identity": { "url": format!("http://{identity}") },
        "messaging": { "url": format!("http://{messaging}") },
        "client": { "id": "gateway", "secret": GATEWAY_SECRET },
    });
    serde_json::from_value(config).context("the gateway's settings")
}
