//! The platform that is measured: all services in this process, an organization with a number and
//! a past. The sandbox lives on the load generator's thread: it stands for other people's machines.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use chassis::Telemetry;
use clock::Clock;
use ids::{ChannelId, OrganizationId};
use sandbox::{
    Sandbox, SandboxConfig, SandboxHandle,
    meta::{DelayRange, LimitSettings, Settings, SetupSpec, StatusSettings},
};

use super::{
    Bench,
    scratch::Scratch,
    seed::{self, Past, Tenant},
    usage::Meter,
    webhook::Webhooks,
};
use crate::{
    api::Api,
    platform::{ACCESS_TOKEN, APP_SECRET, Options, Platform, VERIFY_TOKEN},
    whatsapp::{self, Number},
};

pub(super) const EMAIL: &str = "owner@bench.example";
pub(super) const PASSWORD: &str = "a bench password nobody else uses";

/// The running platform with its tenant.
#[derive(Debug)]
pub(super) struct World {
    pub(super) platform: Platform,
    pub(super) sandbox: SandboxHandle,
    pub(super) gateway: SocketAddr,
    pub(super) edge: SocketAddr,
    pub(super) tenant: Tenant,
    pub(super) number: Number,
    pub(super) meter: Meter,
    pub(super) clock: Clock,
}

impl World {
    pub(super) async fn start(bench: &Bench, scratch: &Scratch) -> Result<Self> {
        let clock = bench.options.clock.clone();
        let (config, sandbox_clock) = (sandbox_config(), clock.clone());
        let starting = async move { Sandbox::start(config, sandbox_clock).await };
        let sandbox = bench
            .generator
            .run(starting)
            .await?
            .context("start the sandbox")?;
        let platform = Platform::start(Options {
            backing: scratch.backing.clone(),
            key_path: bench.options.key_path.clone(),
            well_known_ports: false,
            clock: clock.clone(),
            telemetry: Telemetry::local(),
            graph_url: Some(sandbox.base_url().to_owned()),
        });
        let platform = Box::pin(platform).await?;

        let (meta, spec) = (sandbox.meta().clone(), set_up(platform.callback_url()));
        let receipt = bench
            .generator
            .run(async move { meta.set_up(spec).await })
            .await?;
        let receipt = receipt.context("set the sandbox up")?;
        let number = Number {
            phone_number_id: receipt.phone_number_id,
            waba_id: receipt.waba_id,
        };
        let (api, organization) = Api::sign_up(&platform.gateway, "Bench", EMAIL, PASSWORD).await?;
        let channel = whatsapp::connect_channel(&api, "the-only-number", &number).await?;
        Ok(Self {
            gateway: address(&platform.gateway)?,
            edge: address(&platform.edge)?,
            tenant: Tenant {
                organization_id: organization.parse().context("an organization's id")?,
                channel_id: channel.parse().context("a channel's id")?,
            },
            meter: Meter::new(scratch.admin().await?, bench.broker).await?,
            platform,
            sandbox,
            number,
            clock,
        })
    }

    /// Gives the tenant its past.
    pub(super) async fn seed(&mut self, past: Past) -> Result<()> {
        seed::history(self.meter.admin(), self.tenant, past).await?;
        seed::settle(self.meter.admin()).await
    }

    /// Gives the database other tenants, each with such a past.
    pub(super) async fn seed_others(&mut self, tenants: u32, past: Past) -> Result<()> {
        for _ in 0..tenants {
            let tenant = Tenant {
                organization_id: OrganizationId::generate(),
                channel_id: ChannelId::generate(),
            };
            seed::history(self.meter.admin(), tenant, past).await?;
        }
        seed::settle(self.meter.admin()).await
    }

    /// With a fresh access token, which lives for five minutes.
    pub(super) async fn log_in(&self) -> Result<Api> {
        Api::log_in(&self.platform.gateway, EMAIL, PASSWORD).await
    }

    /// Webhooks to the tenant's number, from people whose phone numbers begin with `block`.
    pub(super) fn webhooks(&self, label: &'static str, block: u64) -> Webhooks {
        Webhooks {
            label,
            edge: self.edge,
            number: self.number.clone(),
            unix_seconds: self.clock.now().timestamp(),
            messages: 1,
            customers: 10_000,
            first_phone: 15_550_000_000 + block * 100_000,
        }
    }

    pub(super) async fn stop(self, bench: &Bench) -> Result<()> {
        self.platform.shutdown().await;
        let sandbox = self.sandbox;
        bench
            .generator
            .run(async move { sandbox.shutdown().await })
            .await
    }
}

/// No limits, and statuses that follow each other quickly: what is measured is us, not its delays.
fn sandbox_config() -> SandboxConfig {
    let soon = DelayRange(20, 60);
    SandboxConfig {
        settings: Settings {
            statuses: StatusSettings {
                sent_ms: soon,
                delivered_ms: soon,
                read_ms: soon,
                ..StatusSettings::default()
            },
            limits: LimitSettings {
                throughput: false,
                pair: false,
                ..LimitSettings::default()
            },
            ..Settings::default()
        },
        ledger_bodies: false,
        ..SandboxConfig::default()
    }
}

/// A number with Meta's highest throughput.
fn set_up(callback_url: String) -> SetupSpec {
    SetupSpec {
        callback_url: Some(callback_url),
        verify_token: Some(VERIFY_TOKEN.to_owned().into()),
        app_secret: APP_SECRET.to_owned().into(),
        access_token: ACCESS_TOKEN.to_owned().into(),
        throughput_mps: 1_000,
        // The history's conversations are open for us, but the sandbox has not seen them.
        enforce_window: false,
        ..SetupSpec::default()
    }
}

fn address(url: &str) -> Result<SocketAddr> {
    let address = url.strip_prefix("http://").unwrap_or(url);
    address
        .parse()
        .with_context(|| format!("an address: {url}"))
}
