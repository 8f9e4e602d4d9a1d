//! A service whose parts each test chooses, and what tests do to it.

pub(crate) mod echo;
pub(crate) mod process;

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use chassis::{
    Addresses, Base, Deps, Grpc, Host, HostOptions, Ports, Service, anyhow,
    config::{Problems, Settings, Validate},
};
use clock::Clock;
use serde::Deserialize;

type Hook<T> = Option<Arc<dyn Fn(T) + Send + Sync>>;

/// What the service under test consists of.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Plan {
    #[serde(skip)]
    pub(crate) http: Option<Router>,
    #[serde(skip)]
    pub(crate) grpc: Option<Grpc>,
    #[serde(skip)]
    pub(crate) build: Hook<Deps>,
    #[serde(skip)]
    pub(crate) serve: Hook<Deps>,
    #[serde(skip)]
    pub(crate) start: Hook<Deps>,
    #[serde(skip)]
    pub(crate) finish: Hook<()>,
    #[serde(skip)]
    pub(crate) broken: bool,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plan")
    }
}

impl Validate for Plan {
    fn validate(&self, _: &mut Problems) {}
}

impl Settings for Plan {}

pub(crate) struct App(Plan);

impl Service for App {
    const NAME: &'static str = "app";
    const ABOUT: &'static str = "A service under test";
    const PORTS: Ports = Ports::any();
    type Config = Plan;

    async fn build(plan: Plan, deps: Deps) -> anyhow::Result<Self> {
        anyhow::ensure!(!plan.broken, "told not to");
        if let Some(build) = &plan.build {
            build(deps);
        }
        Ok(Self(plan))
    }

    fn grpc(&self) -> Option<Grpc> {
        self.0.grpc.clone()
    }

    fn http(&self) -> Option<Router> {
        self.0.http.clone()
    }

    fn serve(&self, deps: &Deps) {
        if let Some(serve) = &self.0.serve {
            serve(deps.clone());
        }
    }

    fn start(&self, deps: &Deps) {
        if let Some(start) = &self.0.start {
            start(deps.clone());
        }
    }

    async fn finish(self) {
        if let Some(finish) = &self.0.finish {
            finish(());
        }
    }
}

/// A host that runs only the service of `plan`.
pub(crate) struct Running {
    pub(crate) host: Host,
    pub(crate) addresses: Addresses,
}

impl Running {
    pub(crate) async fn new(plan: Plan) -> Self {
        Self::with(plan, |_, _| {}).await
    }

    pub(crate) async fn with(plan: Plan, change: impl FnOnce(&mut HostOptions, &mut Base)) -> Self {
        let mut options = HostOptions::for_tests(Clock::system());
        let mut base = Base::for_tests();
        change(&mut options, &mut base);
        let mut host = Host::start(options).await.expect("start the host");
        let addresses = host.add::<App>(&base, plan).await.expect("add the service");
        Self { host, addresses }
    }

    pub(crate) fn http(&self, path: &str) -> String {
        let address = self.addresses.http.expect("the plan serves HTTP");
        format!("http://{address}{path}")
    }

    pub(crate) fn grpc(&self) -> String {
        let address = self.addresses.grpc.expect("the plan serves gRPC");
        format!("http://{address}")
    }

    pub(crate) fn admin(&self, path: &str) -> String {
        let address = self
            .host
            .admin_address()
            .expect("the host has an admin server");
        format!("http://{address}{path}")
    }

    pub(crate) async fn metrics(&self) -> String {
        get(self.admin("/metrics")).await.1
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the guarded client may not call loopback, and knows no chassis"
)]
pub(crate) fn browser() -> reqwest::Client {
    chassis::install_crypto();
    reqwest::Client::builder()
        .timeout(Duration::from_secs(20))
        .build()
        .expect("build a client")
}

/// A client of HTTP/2 without a gRPC client's own clock: all its requests share a connection.
#[expect(
    clippy::disallowed_methods,
    reason = "the guarded client may not call loopback, and knows no chassis"
)]
pub(crate) fn http2() -> reqwest::Client {
    chassis::install_crypto();
    let builder = reqwest::Client::builder().http2_prior_knowledge();
    builder.build().expect("build a client")
}

/// Status and body.
pub(crate) async fn get(url: String) -> (u16, String) {
    let response = browser().get(url).send().await.expect("an answer");
    let status = response.status().as_u16();
    (status, response.text().await.expect("a body"))
}

/// Looks until it is so, for five seconds at most: real sockets and processes take their time.
pub(crate) async fn eventually<F, Fut>(what: &str, mut check: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let looking = async {
        while !check().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(10), looking).await;
    assert!(in_time.is_ok(), "did not happen in time: {what}");
}

/// True if nobody listens there.
pub(crate) async fn refuses(address: SocketAddr) -> bool {
    tokio::net::TcpStream::connect(address).await.is_err()
}
