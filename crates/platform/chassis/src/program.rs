//! The `main` of a service.

mod cli;
mod serve;

use std::{panic::AssertUnwindSafe, process::ExitCode, time::Duration};

use futures::FutureExt;

use crate::{
    Base, Environment, Service, Telemetry,
    config::{self, EnvSource, Problems, Source},
    tasks,
    telemetry::{self, Settings},
};
use cli::{Action, Arguments};

/// Threads for blocking calls: file reads, name look-ups, telemetry. Each keeps a stack.
const BLOCKING_THREADS: usize = 64;
/// For what blocking calls are left when everything else has ended.
const RUNTIME_END: Duration = Duration::from_secs(1);

/// How a process ends, as its caller sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Success,
    Failure,
    /// Wrong usage or configuration: `EX_USAGE` of sysexits.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Success => Self::SUCCESS,
            Exit::Failure => Self::FAILURE,
            Exit::Usage => Self::from(64),
        }
    }
}

/// Runs one service as a program: the whole `main` of its binary. Reads arguments and environment,
/// does what they say, and gives the exit code: 0, 1 for a failure, 64 for wrong usage or
/// configuration (every problem printed, no port opened).
pub fn main<S: Service>() -> ExitCode {
    install_panic_hook();
    run::<S>(std::env::args_os(), &EnvSource::process()).into()
}

/// What a program has been told, once it is known to be right.
struct Loaded<S: Service> {
    base: Base,
    config: S::Config,
    environment: Environment,
    telemetry: Settings,
}

fn run<S: Service>(
    arguments: impl IntoIterator<Item = std::ffi::OsString>,
    env: &EnvSource,
) -> Exit {
    crate::install_crypto();
    let arguments = match cli::parse::<S>(arguments) {
        Ok(arguments) => arguments,
        Err(exit) => return exit,
    };
    if let Action::Schema { json } = arguments.action {
        println!("{}", cli::schema::<S>(json));
        return Exit::Success;
    }
    let loaded = match load::<S>(&arguments, env) {
        Ok(loaded) => loaded,
        Err(problems) => {
            eprintln!("{}: {problems}", S::NAME);
            return Exit::Usage;
        }
    };
    if matches!(arguments.action, Action::Check) {
        println!("{}: configuration is right", S::NAME);
        return Exit::Success;
    }
    start(arguments.action, loaded)
}

/// Loads everything before anything is opened, and collects all problems.
fn load<S: Service>(arguments: &Arguments, env: &EnvSource) -> Result<Loaded<S>, Problems> {
    let mut problems = Problems::default();
    let environment = Environment::read(env, &mut problems);
    let telemetry = Settings::read(env, environment, &mut problems);
    let source = Source {
        service: S::NAME,
        env,
        file: arguments.config.clone(),
    };
    match config::load_pair::<Base, S::Config>(&source, &S::PORTS.sections()) {
        Ok((base, config)) => problems.into_result(Loaded {
            base: base.with_ports(S::PORTS, environment),
            config,
            environment,
            telemetry,
        }),
        Err(found) => {
            problems.append(found);
            Err(problems)
        }
    }
}

/// Makes the runtime and telemetry, does the work, and sends telemetry whatever happened.
fn start<S: Service>(action: Action, loaded: Loaded<S>) -> Exit {
    // Before the runtime's threads, after which it must live until they have ended.
    let reports = telemetry::start_reports(&loaded.telemetry, S::NAME);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(loaded.base.runtime.workers())
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_name(S::NAME)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(S::NAME, &error),
    };
    let exit = runtime.block_on(async {
        let telemetry = match Telemetry::install(&loaded.telemetry, S::NAME) {
            Ok(telemetry) => telemetry,
            Err(error) => return fail(S::NAME, &error),
        };
        let acting = serve::act(action, loaded, telemetry.clone());
        let exit = match AssertUnwindSafe(acting).catch_unwind().await {
            Ok(exit) => exit,
            Err(panic) => {
                let text = tasks::panic_text(&*panic);
                tracing::error!(panic.message = text, "panicked");
                Exit::Failure
            }
        };
        telemetry.flush().await;
        exit
    });
    runtime.shutdown_timeout(RUNTIME_END);
    drop(reports);
    exit
}

fn fail(service: &str, error: &dyn std::error::Error) -> Exit {
    eprintln!("{service}: {}", errors::chain(error));
    Exit::Failure
}

/// Panics become log lines with their place, and nothing personal. Before there is a log, they go
/// where problems of the configuration go.
fn install_panic_hook() {
    std::panic::set_hook(Box::new(|panic| {
        let text = tasks::panic_text(panic.payload());
        let place = panic.location().map(ToString::to_string);
        if tracing::dispatcher::has_been_set() {
            tracing::warn!(panic.message = text, panic.location = place, "panicked");
        } else {
            eprintln!("panicked at {}: {text}", place.unwrap_or_default());
        }
    }));
}

#[cfg(test)]
mod tests;
