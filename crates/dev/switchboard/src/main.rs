//! `switchboard up | demo | bench`: the whole platform on a laptop.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use chassis::{
    Environment, Telemetry, TelemetrySettings,
    config::{EnvSource, Problems},
};
use clap::{Parser, Subcommand};
use clock::Clock;
use db::Db;
use identity::Seed;
use secrecy::SecretString;
use switchboard::{
    api::Api,
    backing::Backing,
    demo::{self, Stage},
    platform::{Options, Platform},
    whatsapp::{self, Control, Number},
};
use tokio::signal::unix::{SignalKind, signal};

/// The demonstration organization.
const EMAIL: &str = "owner@demo.example";
const PASSWORD: &str = "a demo password nobody else uses";

#[derive(Debug, Parser)]
#[command(
    name = "switchboard",
    about = "All services and the provider sandbox in one process"
)]
struct Arguments {
    /// What `scripts/stack.sh up` wrote.
    #[arg(long, global = true, default_value = ".dev/stack/env")]
    stack_env: PathBuf,
    /// The local key file.
    #[arg(long, global = true, default_value = ".dev/vault.key")]
    key_file: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything and stay until Ctrl-C.
    Up,
    /// Play the main job and print what happened, against a running platform or one of its own.
    Demo,
    /// Measure the budgets and print them beside their limits.
    Bench(switchboard::bench::Flags),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let result = runtime
        .context("start the runtime")
        .and_then(|runtime| runtime.block_on(run(arguments)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("switchboard: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let options = |well_known_ports| -> Result<Options> {
        Ok(Options {
            backing: Backing::read(&arguments.stack_env)?,
            key_path: arguments.key_file.clone(),
            well_known_ports,
            clock: Clock::system(),
            telemetry: if well_known_ports {
                telemetry()?
            } else {
                Telemetry::local()
            },
            graph_url: None,
        })
    };
    match arguments.command {
        Command::Up => up(options(true)?).await,
        Command::Demo => demo(options(false)?).await,
        Command::Bench(flags) => {
            switchboard::bench::run(options(false)?, &arguments.stack_env, flags).await
        }
    }
}

/// Logs (`RUST_LOG` says how many), and traces where `OTEL_*` says so.
fn telemetry() -> Result<Telemetry> {
    let mut problems = Problems::default();
    let variables = EnvSource::process();
    let settings = TelemetrySettings::read(&variables, Environment::Development, &mut problems);
    let settings = problems
        .into_result(settings)
        .map_err(|problems| anyhow::anyhow!("{problems}"))?;
    Telemetry::install(&settings, "switchboard").context("start telemetry")
}

async fn up(options: Options) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listen for signals")?;
    let backing = options.backing.clone();
    let platform = Platform::start(options).await?;
    seed(&backing).await?;
    let (control, api, number, _) = prepare(&platform).await?;
    drop(api);
    println!("Switchboard is running.\n");
    println!(
        "  public API      {}   (OpenAPI: {}/openapi.json)",
        platform.gateway, platform.gateway
    );
    println!("  webhooks        {}", platform.callback_url());
    if let Some(admin) = platform.admin {
        println!("  probes, metrics http://{admin}/readyz  /metrics");
    }
    if let Some(sandbox) = &platform.sandbox {
        println!("  WhatsApp sandbox {}", sandbox.control_url());
    }
    println!("\n  demo login      {EMAIL} / {PASSWORD}");
    println!(
        "  demo number     {} (account {})",
        number.phone_number_id, number.waba_id
    );
    println!("\nTry `make demo` in another terminal. Ctrl-C stops.");
    drop(control);
    tokio::select! {
        result = tokio::signal::ctrl_c() => result.context("listen for Ctrl-C")?,
        _ = terminate.recv() => {}
        () = platform.failed() => anyhow::bail!("a part of the platform has died; its log line says why"),
    }
    println!("Stopping…");
    stop(platform).await
}

/// Connects the sandbox's number to the demo organization.
async fn prepare(platform: &Platform) -> Result<(Control, Api, Number, String)> {
    let api = Api::log_in(&platform.gateway, EMAIL, PASSWORD).await?;
    let sandbox = platform.sandbox.as_ref().context("the sandbox runs")?;
    let control = Control::new(sandbox.control_url())?;
    let (number, channel) = whatsapp::connect(platform, &control, &api).await?;
    Ok((control, api, number, channel))
}

/// Makes the demo organization unless it is there.
async fn seed(backing: &Backing) -> Result<()> {
    let db = Db::connect(&backing.db("identity")?, "identity", Clock::system()).await?;
    let seed = Seed {
        organization_name: "Demo".to_owned(),
        name: "Demo Owner".to_owned(),
        email: EMAIL.to_owned(),
        password: SecretString::from(PASSWORD),
    };
    identity::seed(&db, &seed)
        .await
        .context("seed the demo organization")?;
    db.close().await;
    Ok(())
}

async fn demo(options: Options) -> Result<()> {
    let running = Api::log_in("http://127.0.0.1:8080", EMAIL, PASSWORD)
        .await
        .ok();
    if let Some(api) = running {
        println!("Using the platform that is running.");
        let control = Control::new("http://127.0.0.1:8078/_sandbox")?;
        let channels = api.get("/v1/channels").await?;
        let channel = &channels["channels"][0];
        let text = |key: &str| {
            channel[key]
                .as_str()
                .map(str::to_owned)
                .with_context(|| format!("a channel's {key}"))
        };
        let number = Number {
            phone_number_id: text("phoneNumberId")?,
            waba_id: text("wabaId")?,
        };
        return play(&api, &control, &number, &text("id")?).await;
    }
    println!("No platform is running: starting one.");
    let backing = options.backing.clone();
    let platform = Platform::start(options).await?;
    seed(&backing).await?;
    let (control, api, number, channel) = prepare(&platform).await?;
    let played = play(&api, &control, &number, &channel).await;
    let stopped = stop(platform).await;
    played.and(stopped)
}

async fn stop(platform: Platform) -> Result<()> {
    let outcome = platform.shutdown().await;
    anyhow::ensure!(outcome.is_success(), "it did not stop well: {outcome:?}");
    Ok(())
}

async fn play(api: &Api, control: &Control, number: &Number, channel_id: &str) -> Result<()> {
    let stage = Stage {
        api,
        control,
        number,
        channel_id,
    };
    // A new customer each time, so that every run begins like the first.
    let customer = format!(
        "49151{:08}",
        ids::ContactId::generate().as_uuid().as_u128() % 100_000_000
    );
    let steps = demo::play(&stage, &customer).await?;
    println!();
    for step in steps {
        println!(
            "  {:>8.1} ms  {}",
            step.took.as_secs_f64() * 1_000.0,
            step.what
        );
    }
    println!(
        "\nThe reply's times count from the click on \"send\"; WhatsApp's delays are the sandbox's."
    );
    Ok(())
}
