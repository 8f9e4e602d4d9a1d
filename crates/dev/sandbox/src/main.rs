//! Runs the sandbox until it is told to stop.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Context;
use clap::Parser;
use clock::Clock;
use sandbox::{Sandbox, SandboxConfig, meta, resend};
use serde::de::DeserializeOwned;

/// Third parties, played on a laptop. Point WhatsApp's base URL here, and Resend's at /resend.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where the providers listen.
    #[arg(long, default_value = "127.0.0.1:4010")]
    listen: SocketAddr,
    /// Where the control API listens; the same address under /_sandbox when absent.
    #[arg(long)]
    control_listen: Option<SocketAddr>,
    /// Allow an address other than loopback. The control API has no password.
    #[arg(long)]
    allow_remote: bool,
    /// What media URLs begin with, when it isn't the listening address.
    #[arg(long)]
    public_url: Option<String>,
    /// A JSON file as POST /_sandbox/setup takes it, applied at the start.
    #[arg(long)]
    setup: Option<PathBuf>,
    /// The same for POST /_sandbox/resend/setup.
    #[arg(long)]
    resend_setup: Option<PathBuf>,
    /// Keep no request bodies in the ledger, for load tests.
    #[arg(long)]
    no_bodies: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().json().init();
    let arguments = Arguments::parse();
    let setup = arguments.setup.as_deref();
    let setup: Option<meta::SetupSpec> = setup.map(read_setup).transpose()?;
    let resend_setup = arguments.resend_setup.as_deref();
    let resend_setup: Option<resend::SetupSpec> = resend_setup.map(read_setup).transpose()?;
    let config = SandboxConfig {
        listen: arguments.listen,
        control_listen: arguments.control_listen,
        allow_remote: arguments.allow_remote,
        public_url: arguments.public_url,
        ledger_bodies: !arguments.no_bodies,
        ..SandboxConfig::default()
    };
    let sandbox = Sandbox::start(config, Clock::system())
        .await
        .context("start the sandbox")?;
    if let Some(setup) = setup {
        let receipt = sandbox.meta().set_up(setup).await;
        let receipt = receipt.context("apply the setup file")?;
        tracing::info!(
            app.id = receipt.app_id,
            waba.id = receipt.waba_id,
            phone_number.id = receipt.phone_number_id,
            "set up"
        );
    }
    if let Some(setup) = resend_setup {
        let done = sandbox.resend().set_up(setup);
        done.context("apply the setup file of Resend")?;
    }
    tracing::info!(
        graph = sandbox.base_url(),
        resend = sandbox.resend_url(),
        control = sandbox.control_url(),
        "the sandbox is ready"
    );
    wait_for_signal().await.context("wait for a signal")?;
    sandbox.shutdown().await;
    Ok(())
}

fn read_setup<T: DeserializeOwned>(path: &std::path::Path) -> anyhow::Result<T> {
    let text = std::fs::read(path).context("read the setup file")?;
    serde_json::from_slice(&text).context("parse the setup file")
}

async fn wait_for_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}
