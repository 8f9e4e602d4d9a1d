//! A small service, run as a process by the tests: signals, exit codes, log lines and exports can
//! only be seen from outside.

use std::{process::ExitCode, time::Duration};

use axum::{Router, extract::State, routing::get};
use chassis::{
    Deps, Ports, Service, anyhow,
    config::{Alias, Docs, Problems, Settings, Validate},
};
use secrecy::SecretString;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

#[derive(Debug, Deserialize)]
struct Config {
    token: SecretString,
    #[serde(default = "Config::greeting")]
    greeting: String,
    #[serde(default)]
    slow_ms: u64,
    #[serde(default)]
    crash: bool,
}

impl Config {
    fn greeting() -> String {
        "hello".to_owned()
    }
}

impl Validate for Config {
    fn validate(&self, problems: &mut Problems) {
        if self.greeting.len() > 20 {
            problems.invalid("greeting", "longer than 20 letters");
        }
        if self.crash && self.slow_ms > 0 {
            problems.conflict(&["crash", "slow_ms"], "a crash is never slow");
        }
    }
}

impl Settings for Config {
    fn docs() -> Docs {
        Docs::new()
            .key("token", "", "Who may call.")
            .key("greeting", "hello", "What to say.")
            .key(
                "slow_ms",
                "0",
                "How long /slow goes on once the service is told to stop.",
            )
            .key("crash", "false", "Let the background task die.")
    }

    fn aliases() -> &'static [Alias] {
        &[Alias {
            env: "OLD_HELLO_TOKEN",
            key: "token",
        }]
    }
}

struct Hello {
    config: Config,
    stop: CancellationToken,
}

impl Service for Hello {
    const NAME: &'static str = "hello";
    const ABOUT: &'static str = "Says hello";
    const PORTS: Ports = Ports::any();
    type Config = Config;

    async fn build(config: Config, deps: Deps) -> anyhow::Result<Self> {
        let _: &SecretString = &config.token;
        let stop = deps.shutdown.soft.clone();
        Ok(Self { config, stop })
    }

    fn http(&self) -> Option<Router> {
        let slow = Duration::from_millis(self.config.slow_ms);
        let stop = self.stop.clone();
        let greeting = self.config.greeting.clone();
        let routes = Router::new()
            .route(
                "/hello",
                get(|State(greeting): State<String>| async { greeting }),
            )
            .route(
                "/slow",
                get(move || async move {
                    stop.cancelled().await;
                    tokio::time::sleep(slow).await;
                    "slow"
                }),
            )
            .route("/fail", get(fail))
            .with_state(greeting);
        Some(routes)
    }

    fn start(&self, deps: &Deps) {
        let (crash, stop) = (self.config.crash, deps.shutdown.soft.clone());
        deps.tasks.spawn("background", async move {
            assert!(!crash, "told to crash");
            stop.cancelled().await;
        });
    }

    fn commands() -> Vec<chassis::clap::Command> {
        vec![chassis::clap::Command::new("greet").about("Greets once")]
    }

    async fn command(
        _: &str,
        _: &chassis::clap::ArgMatches,
        config: Config,
        _: Deps,
    ) -> anyhow::Result<()> {
        println!("{}, command", config.greeting);
        Ok(())
    }
}

async fn fail() -> &'static str {
    // As the AMQP client says it.
    tracing::error!(target: "lapin::channel", "undeliverable: see you at nine");
    tracing::error!(
        customer.email = "a@b.example",
        "could not greet +60123456789"
    );
    "failed"
}

fn main() -> ExitCode {
    chassis::main::<Hello>()
}
