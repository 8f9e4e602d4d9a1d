use clock::Clock;

use super::{Exit, Loaded, cli::Action};
use crate::{
    Host, HostOptions, Mode, Service, StartError, Telemetry, base::Drain, shutdown::Signals,
};

/// Does what the program was asked to do.
pub(super) async fn act<S: Service>(
    action: Action,
    loaded: Loaded<S>,
    telemetry: Telemetry,
) -> Exit {
    let result = match action {
        Action::Serve(mode) => serve(loaded, telemetry, mode).await,
        Action::Migrate => migrate(loaded, telemetry).await,
        Action::Doctor => doctor(loaded, telemetry).await,
        Action::Own { name, arguments } => own(loaded, telemetry, &name, &arguments).await,
        // Both are done by the time a runtime exists.
        Action::Check | Action::Schema { .. } => Ok(Exit::Success),
    };
    result.unwrap_or_else(|error| {
        tracing::error!(error = errors::chain(&*error), "failed");
        Exit::Failure
    })
}

type Result = std::result::Result<Exit, Box<dyn std::error::Error + Send + Sync>>;

async fn serve<S: Service>(loaded: Loaded<S>, telemetry: Telemetry, mode: Mode) -> Result {
    let mut signals = Signals::listen().map_err(StartError::Signals)?;
    let mut host = Host::start(HostOptions {
        environment: loaded.environment,
        clock: Clock::system(),
        telemetry,
        admin: loaded.base.admin.listen,
        drain: loaded.base.shutdown.clone(),
        mode,
    })
    .await?;
    let failed = host.failed();
    let started = tokio::select! {
        started = host.add::<S>(&loaded.base, loaded.config) => started.map(drop),
        name = signals.next() => {
            tracing::info!(signal = name, "stopped while starting");
            host.drain(signals.next()).await;
            return Ok(Exit::Success);
        }
        () = failed => Ok(()),
    };
    if let Err(error) = started {
        host.drain(signals.next()).await;
        return Err(error.into());
    }
    let outcome = host.run(&mut signals).await;
    if let Some(failure) = &outcome.failure {
        tracing::error!("stopped: {failure}");
        return Ok(Exit::Failure);
    }
    tracing::info!(dropped = outcome.dropped, "stopped");
    Ok(Exit::Success)
}

/// A host for commands: no ports, no background work.
async fn bench(
    environment: crate::Environment,
    telemetry: Telemetry,
) -> std::result::Result<Host, StartError> {
    Host::start(HostOptions {
        environment,
        clock: Clock::system(),
        telemetry,
        admin: None,
        drain: Drain::immediate(),
        mode: Mode::NONE,
    })
    .await
}

async fn migrate<S: Service>(loaded: Loaded<S>, telemetry: Telemetry) -> Result {
    let host = bench(loaded.environment, telemetry).await?;
    let result = S::migrate(loaded.config, host.deps(S::NAME)).await;
    host.shutdown().await;
    result.map_err(|error| error.context(format!("migrate {}", S::NAME)))?;
    tracing::info!("schema is up to date");
    Ok(Exit::Success)
}

/// Builds the service and tries each of its probes once. Prints for a person.
async fn doctor<S: Service>(loaded: Loaded<S>, telemetry: Telemetry) -> Result {
    let mut host = bench(loaded.environment, telemetry).await?;
    let built = host.add::<S>(&loaded.base, loaded.config).await;
    let built = built.map(drop).map_err(|error| errors::chain(&error));
    // What was built before it failed has its probes, and they may say why.
    let mut found = vec![("built", built)];
    found.extend(host.examine().await);
    host.shutdown().await;
    let mut exit = Exit::Success;
    for (what, result) in found {
        match result {
            Ok(()) => println!("ok      {}: {what}", S::NAME),
            Err(error) => {
                println!("FAILED  {}: {what}: {error}", S::NAME);
                exit = Exit::Failure;
            }
        }
    }
    Ok(exit)
}

async fn own<S: Service>(
    loaded: Loaded<S>,
    telemetry: Telemetry,
    name: &str,
    arguments: &clap::ArgMatches,
) -> Result {
    let host = bench(loaded.environment, telemetry).await?;
    let result = S::command(name, arguments, loaded.config, host.deps(S::NAME)).await;
    host.shutdown().await;
    result.map(|()| Exit::Success).map_err(Into::into)
}
