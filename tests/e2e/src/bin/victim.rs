//! The platform as a process that tests start, kill and start again. It prints where it listens as
//! one line of JSON and runs until its standard input closes.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use chassis::Telemetry;
use clap::Parser;
use clock::Clock;
use switchboard::{
    backing::Backing,
    platform::{Options, Platform},
};
use tokio::io::AsyncReadExt;

#[derive(Debug, Parser)]
struct Arguments {
    /// Where database and broker are.
    #[arg(long)]
    stack_env: PathBuf,
    #[arg(long)]
    graph_url: String,
    #[arg(long)]
    key_file: PathBuf,
}

fn main() -> ExitCode {
    let _failpoints = kill::read_environment();
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
        backing: Backing::read(&arguments.stack_env)?,
        key_path: arguments.key_file,
        well_known_ports: false,
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
    let outcome = platform.shutdown().await;
    anyhow::ensure!(outcome.is_success(), "it did not stop well: {outcome:?}");
    Ok(())
}
