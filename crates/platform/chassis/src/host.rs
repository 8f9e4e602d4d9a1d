//! Runs services in this process: one of them in production, all of them on a laptop, any of them
//! in a test.

mod drain;
mod listeners;
mod options;

use std::{future::Future, net::SocketAddr, panic::AssertUnwindSafe, time::Duration};

use clock::Jitter;
use futures::{FutureExt, future::BoxFuture};

pub use drain::Outcome;
pub use listeners::{Addresses, Listeners};
pub use options::HostOptions;

use crate::{
    Base, Deps, Grpc, Health, Service, Shutdown, StartError, Tasks,
    admin::Admin,
    client::Channels,
    health::Readiness,
    server::{self, Instruments, Limits, Observer, Protocol},
};

/// gRPC connections are asked to reconnect after this long, give or take a tenth: a caller keeps
/// one connection, and would never see replicas that came later.
const CONNECTION_AGE: Duration = Duration::from_mins(5);

/// Services running in this process, with one admin server and one way to stop.
#[derive(Debug)]
pub struct Host {
    options: HostOptions,
    shutdown: Shutdown,
    tasks: Tasks,
    /// Stops the admin server, which outlives everything else.
    admin: Shutdown,
    admin_tasks: Tasks,
    admin_address: Option<SocketAddr>,
    readiness: Readiness,
    jitter: Jitter,
    services: Vec<Running>,
}

struct Running {
    name: &'static str,
    finish: Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send + Sync>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Host {
    /// Starts the admin server; services are added after.
    ///
    /// # Errors
    /// If the admin port cannot be opened.
    pub async fn start(options: HostOptions) -> Result<Self, StartError> {
        crate::install_crypto();
        let shutdown = Shutdown::new();
        let tasks = Tasks::new("host", shutdown.clone());
        let admin = Shutdown::new();
        let mut host = Self {
            admin_tasks: Tasks::new("host", admin.clone()),
            admin,
            admin_address: None,
            readiness: Readiness::new(tasks.clone()),
            jitter: Jitter::from_os(),
            services: Vec::new(),
            options,
            shutdown,
            tasks,
        };
        if let Some(address) = host.options.admin {
            let listener = server::bind(address).await?;
            host.admin_address = listener.local_addr().ok();
            let shown = host.admin_address.map(|address| address.to_string());
            tracing::info!(admin = shown, "probes and metrics");
            let routes = Admin {
                readiness: host.readiness.clone(),
                telemetry: host.options.telemetry.clone(),
            }
            .routes();
            host.serve(
                "admin.server",
                listener,
                routes,
                Limits::http(&Base::default().http),
                true,
            );
        }
        Ok(host)
    }

    /// Where probes and metrics are; `None` if the host was started without.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// Builds a service, opens its ports and starts its work.
    ///
    /// # Errors
    /// If it cannot be built, or a port cannot be opened. What was started before keeps running:
    /// call [`shutdown`](Self::shutdown).
    pub async fn add<S: Service>(
        &mut self,
        base: &Base,
        config: S::Config,
    ) -> Result<Addresses, StartError> {
        self.add_on::<S>(Listeners::none(), base, config).await
    }

    /// Like [`add`](Self::add), on ports that were opened before: for services that must know each
    /// other's addresses before they are built.
    ///
    /// # Errors
    /// As for `add`.
    pub async fn add_on<S: Service>(
        &mut self,
        listeners: Listeners,
        base: &Base,
        config: S::Config,
    ) -> Result<Addresses, StartError> {
        let base = base.clone().with_ports(S::PORTS, self.options.environment);
        let deps = self.deps(S::NAME);
        let started = deps.health.latch("started");
        self.readiness.add(deps.health.clone());
        let service = Box::pin(S::build(config, deps.clone()))
            .await
            .map_err(|source| StartError::Build {
                service: S::NAME,
                source,
            })?;
        let addresses = if self.options.mode.requests {
            service.serve(&deps);
            let (grpc, http) = (service.grpc(), service.http());
            self.listen(&deps, listeners, &base, grpc, http).await?
        } else {
            Addresses::default()
        };
        if self.options.mode.work {
            service.start(&deps);
        }
        self.services.push(Running {
            name: S::NAME,
            finish: Box::new(move || service.finish().boxed()),
        });
        started.open();
        let show = |address: Option<SocketAddr>| address.map(|address| address.to_string());
        tracing::info!(
            service.name = S::NAME,
            grpc = show(addresses.grpc),
            http = show(addresses.http),
            "service started"
        );
        Ok(addresses)
    }

    /// What a service is given. Public for commands, which need it without a running service.
    pub fn deps(&self, service: &'static str) -> Deps {
        let tasks = self.tasks.of_service(service);
        let meter = self.options.telemetry.meter(service);
        Deps {
            clock: self.options.clock.clone(),
            shutdown: self.shutdown.clone(),
            health: Health::new(
                service,
                tasks.clone(),
                self.jitter.clone(),
                self.readiness.draining(),
            ),
            channels: Channels::new(&meter, self.jitter.clone()),
            jitter: self.jitter.clone(),
            tasks,
            meter,
        }
    }

    async fn listen(
        &self,
        deps: &Deps,
        listeners: Listeners,
        base: &Base,
        grpc: Option<Grpc>,
        http: Option<axum::Router>,
    ) -> Result<Addresses, StartError> {
        let observer = |protocol| Observer {
            service: deps.health.service(),
            protocol,
            instruments: Instruments::new(&deps.meter),
        };
        let mut addresses = Addresses::default();
        if let Some(grpc) = grpc {
            let (routes, mirror) = server::grpc(
                grpc,
                deps.health.clone(),
                observer(Protocol::Grpc),
                &base.grpc,
                self.options.environment,
            )?;
            let listener = listeners::take(listeners.grpc, base.grpc.listen).await?;
            addresses.grpc = listener.local_addr().ok();
            let limits = Limits::grpc(&base.grpc, self.jitter.around(CONNECTION_AGE));
            self.serve("grpc.server", listener, routes, limits, false);
            let shutdown = self.shutdown.clone();
            deps.tasks.spawn("grpc.health", mirror.run(shutdown));
        }
        if let Some(routes) = http {
            let routes = server::http(routes, observer(Protocol::Http));
            let listener = listeners::take(listeners.http, base.http.listen).await?;
            addresses.http = listener.local_addr().ok();
            self.serve(
                "http.server",
                listener,
                routes,
                Limits::http(&base.http),
                false,
            );
        }
        Ok(addresses)
    }

    fn serve(
        &self,
        name: &'static str,
        listener: tokio::net::TcpListener,
        routes: axum::Router,
        limits: Limits,
        admin: bool,
    ) {
        let tasks = if admin {
            &self.admin_tasks
        } else {
            &self.tasks
        };
        let stop = tasks.shutdown().soft.clone();
        tasks.spawn(
            name,
            server::serve(listener, routes, limits, stop, tasks.clone()),
        );
    }

    /// Runs every probe of every service once, also of one that could not be built: probe and
    /// error.
    pub async fn examine(&self) -> Vec<(&'static str, Result<(), String>)> {
        self.readiness.examine().await
    }

    /// True if every service is ready.
    pub fn is_ready(&self) -> bool {
        self.readiness.report().ready
    }

    /// Returns when a task of any service has died.
    pub fn failed(&self) -> impl Future<Output = ()> + Send + 'static {
        let tasks = self.tasks.clone();
        async move { tasks.failed().await }
    }
}

/// Ends a service, whatever its `finish` does.
async fn finish(running: Running) -> Result<(), &'static str> {
    let name = running.name;
    let finishing = AssertUnwindSafe(async move { (running.finish)().await }).catch_unwind();
    match tokio::time::timeout(drain::FINISH, finishing).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(name),
    }
}

/// A host that is dropped without being shut down, as by a failing test, leaves nothing behind.
impl Drop for Host {
    fn drop(&mut self) {
        self.shutdown.force();
        self.admin.force();
    }
}
