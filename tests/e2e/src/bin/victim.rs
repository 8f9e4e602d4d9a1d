//! The platform as a process that tests start, kill and start again. It prints where it listens as
//! one line of JSON and runs until its standard input closes.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use chassis::Telemetry;
use clap::Parser;
use clock::Clock;
use secrecy::SecretString;
use switchboard::{
    backing::Backing,
    platform::{Options, Platform},
};
use tokio::io::AsyncReadExt;

#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long)]
    database_admin_url: String,
    #[arg(long)]
    amqp_url: String,
    #[arg(long)]
    graph_url: String,
    #[arg(long)]
    edge_listen: SocketAddr,
    #[arg(long)]
    key_file: PathBuf,
}

fn main() -> ExitCode {
    let _failpoints = chassis::kill::read_environment();
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Runtime::new().context("start the runtime");
    match runtime.and_then(|runtime| runtime.block_on(run(arguments))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("victim: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let platform = Platform::start(Options {
        backing: Backing {
            database_admin_url: SecretString::from(arguments.database_admin_url),
            amqp_url: SecretString::from(arguments.amqp_url),
        },
        key_path: arguments.key_file,
        well_known_ports: false,
        edge_listen: Some(arguments.edge_listen),
        clock: Clock::system(),
        telemetry: Telemetry::local(),
        graph_url: Some(arguments.graph_url),
    })
    .await?;
    println!(
        "{}",
        serde_json::json!({ "gateway": platform.gateway, "edge": platform.edge })
    );
    let (mut input, mut rest) = (tokio::io::stdin(), Vec::new());
    tokio::select! {
        _ = input.read_to_end(&mut rest) => {}
        () = platform.failed() => anyhow::bail!("a part of the platform has died"),
    }
    platform.shutdown().await;
    Ok(())
}
