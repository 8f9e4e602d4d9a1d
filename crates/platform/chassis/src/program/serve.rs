use clock::Clock;

use super::{Exit, Loaded, cli::Action, entry::Ready};
use crate::{
    Host, HostOptions, Mode, StartError, Telemetry, base::Drain, shutdown::Signals, tasks,
};

/// Does what the program was asked to do.
pub(super) async fn act(action: Action, loaded: Loaded, telemetry: Telemetry) -> Exit {
    let result = match action {
        Action::Serve(mode) => serve(loaded, telemetry, mode).await,
        Action::Migrate => migrate(loaded, telemetry).await,
        Action::Doctor => doctor(loaded, telemetry).await,
        Action::Own {
            service,
            name,
            arguments,
        } => own(loaded, telemetry, service, &name, &arguments).await,
        // Both are done by the time a runtime exists.
        Action::Check | Action::Schema { .. } => Ok(Exit::Success),
    };
    result.unwrap_or_else(|error| {
        tracing::error!(error = tasks::chain(&*error), "failed");
        Exit::Failure
    })
}

type Result = std::result::Result<Exit, Box<dyn std::error::Error + Send + Sync>>;

async fn serve(loaded: Loaded, telemetry: Telemetry, mode: Mode) -> Result {
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
        started = start_all(loaded.services, &mut host) => started,
        name = signals.next() => {
            tracing::info!(signal = name, "stopped while starting");
            host.shutdown().await;
            return Ok(Exit::Success);
        }
        () = failed => Ok(()),
    };
    if let Err(error) = started {
        host.shutdown().await;
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

async fn start_all(
    services: Vec<Box<dyn Ready>>,
    host: &mut Host,
) -> std::result::Result<(), StartError> {
    for service in services {
        service.start(host).await?;
    }
    Ok(())
}

/// A host for commands: no ports, no background work.
async fn bench(loaded: &Loaded, telemetry: Telemetry) -> std::result::Result<Host, StartError> {
    Host::start(HostOptions {
        environment: loaded.environment,
        clock: Clock::system(),
        telemetry,
        admin: None,
        drain: Drain::immediate(),
        mode: Mode::NONE,
    })
    .await
}

async fn migrate(loaded: Loaded, telemetry: Telemetry) -> Result {
    let host = bench(&loaded, telemetry).await?;
    let mut result = Ok(Exit::Success);
    for service in loaded.services {
        let name = service.name();
        if let Err(error) = service.migrate(&host).await {
            result = Err(error.context(format!("migrate {name}")).into());
            break;
        }
        tracing::info!(service.name = name, "schema is up to date");
    }
    host.shutdown().await;
    result
}

/// Builds each service and tries its probes once. Prints for a person.
async fn doctor(loaded: Loaded, telemetry: Telemetry) -> Result {
    let mut host = bench(&loaded, telemetry).await?;
    let mut healthy = true;
    for service in loaded.services {
        let name = service.name();
        match service.start(&mut host).await {
            Ok(()) => println!("ok      {name}: built"),
            Err(error) => {
                println!("FAILED  {name}: {}", tasks::chain(&error));
                healthy = false;
            }
        }
    }
    for (service, probe, result) in host.examine().await {
        match result {
            Ok(()) => println!("ok      {service}: {probe}"),
            Err(error) => {
                println!("FAILED  {service}: {probe}: {error}");
                healthy = false;
            }
        }
    }
    host.shutdown().await;
    Ok(if healthy {
        Exit::Success
    } else {
        Exit::Failure
    })
}

async fn own(
    loaded: Loaded,
    telemetry: Telemetry,
    service: &'static str,
    name: &str,
    arguments: &clap::ArgMatches,
) -> Result {
    let host = bench(&loaded, telemetry).await?;
    let found = loaded
        .services
        .into_iter()
        .find(|ready| ready.name() == service);
    let result = match found {
        Some(ready) => ready.command(name, arguments, &host).await,
        None => Err(anyhow::anyhow!("no service {service}")),
    };
    host.shutdown().await;
    result.map(|()| Exit::Success).map_err(Into::into)
}
