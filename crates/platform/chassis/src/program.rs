//! The `main` of a service, or of several in one process.

mod cli;
mod entry;
mod serve;

use std::{panic::AssertUnwindSafe, process::ExitCode, time::Duration};

use futures::FutureExt;

use crate::{
    Base, Environment, Ports, Service, Telemetry,
    config::{self, EnvSource, Problems, Source},
    tasks,
    telemetry::{self, Settings},
};
use cli::{Action, Arguments};
use entry::{Entry, Of, Ready};

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

/// Runs one service as a program: the whole `main` of its binary.
pub fn main<S: Service>() -> ExitCode {
    Program::new(S::NAME, S::ABOUT, S::PORTS)
        .service::<S>()
        .main()
}

/// One or several services as one program.
///
/// With several, the admin server, the drain and the threads are configured under the program's
/// own name (`SWITCHBOARD__ADMIN__LISTEN`), everything else under each service's.
pub struct Program {
    name: &'static str,
    about: &'static str,
    ports: Ports,
    entries: Vec<Box<dyn Entry>>,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.entries.iter().map(|entry| entry.name());
        f.debug_struct("Program")
            .field("name", &self.name)
            .field("services", &names.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// What a program has been told, once it is known to be right.
struct Loaded {
    base: Base,
    environment: Environment,
    telemetry: Settings,
    services: Vec<Box<dyn Ready>>,
}

impl Program {
    /// A program without services yet.
    pub fn new(name: &'static str, about: &'static str, ports: Ports) -> Self {
        Self {
            name,
            about,
            ports,
            entries: Vec::new(),
        }
    }

    /// Adds a service; they start in this order.
    #[must_use]
    pub fn service<S: Service>(mut self) -> Self {
        self.entries.push(Box::new(Of::<S>::new()));
        self
    }

    /// Reads arguments and environment, does what they say, and gives the exit code: 0, 1 for a
    /// failure, 64 for wrong usage or configuration (every problem printed, no port opened).
    pub fn main(self) -> ExitCode {
        let env = EnvSource::process();
        self.run(std::env::args_os(), &env).into()
    }

    fn run(
        &self,
        arguments: impl IntoIterator<Item = std::ffi::OsString>,
        env: &EnvSource,
    ) -> Exit {
        crate::install_crypto();
        let arguments = match cli::parse(self, arguments) {
            Ok(arguments) => arguments,
            Err(exit) => return exit,
        };
        if let Action::Schema { json } = arguments.action {
            println!("{}", self.schema(json));
            return Exit::Success;
        }
        let loaded = match self.load(&arguments, env) {
            Ok(loaded) => loaded,
            Err(problems) => {
                eprintln!("{}: {problems}", self.name);
                return Exit::Usage;
            }
        };
        if matches!(arguments.action, Action::Check) {
            println!("{}: configuration is right", self.name);
            return Exit::Success;
        }
        self.start(arguments, loaded)
    }

    /// Loads everything before anything is opened, and collects all problems.
    fn load(&self, arguments: &Arguments, env: &EnvSource) -> Result<Loaded, Problems> {
        let mut problems = Problems::default();
        let environment = Environment::read(env, &mut problems);
        let telemetry = Settings::read(env, environment, &mut problems);
        let mut services = Vec::new();
        for entry in &self.entries {
            let source = Source {
                service: entry.name(),
                env,
                file: arguments.config.clone(),
            };
            match entry.load(&source) {
                Ok(ready) => services.push(ready),
                Err(found) => problems.append(found),
            }
        }
        let base = match &self.entries[..] {
            [entry] if entry.name() == self.name => {
                services.first().map(|ready| ready.base().clone())
            }
            _ => {
                let source = Source {
                    service: self.name,
                    env,
                    file: None,
                };
                let base = config::load::<Base>(&source);
                base.map_err(|found| problems.append(found)).ok()
            }
        };
        let (base, telemetry) = problems.into_result((base, telemetry))?;
        Ok(Loaded {
            base: base.unwrap_or_default().with_ports(self.ports, environment),
            environment,
            telemetry,
            services,
        })
    }

    /// Makes the runtime and telemetry, does the work, and sends telemetry whatever happened.
    fn start(&self, arguments: Arguments, loaded: Loaded) -> Exit {
        install_panic_hook();
        // Before the runtime's threads, after which it must live until they have ended.
        let reports = telemetry::start_reports(&loaded.telemetry, self.name);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(loaded.base.runtime.workers())
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_name(self.name)
            .enable_all()
            .build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return self.fail(&error),
        };
        let exit = runtime.block_on(async {
            let telemetry = match Telemetry::install(&loaded.telemetry, self.name) {
                Ok(telemetry) => telemetry,
                Err(error) => return self.fail(&error),
            };
            let acting = serve::act(arguments.action, loaded, telemetry.clone());
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

    fn fail(&self, error: &(dyn std::error::Error + 'static)) -> Exit {
        eprintln!("{}: {}", self.name, tasks::chain(error));
        Exit::Failure
    }

    fn schema(&self, json: bool) -> String {
        cli::schema(self, json)
    }
}

/// Panics become log lines with their place, and nothing personal.
fn install_panic_hook() {
    std::panic::set_hook(Box::new(|panic| {
        let text = tasks::panic_text(panic.payload());
        let place = panic.location().map(ToString::to_string);
        tracing::warn!(panic.message = text, panic.location = place, "panicked");
    }));
}

#[cfg(test)]
mod tests;
