//! The client itself.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use clock::Clock;
use http::Method;
use opentelemetry::metrics::Histogram;
use rand::{SeedableRng, rngs::StdRng};
use url::Url;

use crate::{
    Config, Network, Request,
    breaker::Breaker,
    guard::{Lookup, Policy, SystemLookup, VettedResolver},
};

/// A pooled HTTP client for one party (or, behind the network guard, for tenants' addresses).
/// Cheap to clone.
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) name: &'static str,
    pub(crate) http: reqwest::Client,
    pub(crate) policy: Option<Arc<Policy>>,
    pub(crate) clock: Clock,
    pub(crate) breaker: Option<Breaker>,
    pub(crate) jitter: Mutex<StdRng>,
    pub(crate) duration: Histogram<f64>,
    config: Config,
}

/// The client could not be set up: no TLS provider or no root certificates.
#[derive(Debug, thiserror::Error)]
#[error("set up the HTTP client for {name}")]
pub struct BuildError {
    name: &'static str,
    #[source]
    source: reqwest::Error,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("name", &self.0.name)
            .field("config", &self.0.config)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client called `name` in logs, traces and metrics.
    ///
    /// # Errors
    /// [`BuildError`] when TLS can't be set up.
    pub fn new(name: &'static str, config: Config, clock: Clock) -> Result<Self, BuildError> {
        Self::with_lookup(name, config, clock, Arc::new(SystemLookup))
    }

    /// As [`Client::new`], resolving names with `lookup` where the network guard is on.
    ///
    /// # Errors
    /// [`BuildError`] when TLS can't be set up.
    pub fn with_lookup(
        name: &'static str,
        config: Config,
        clock: Clock,
        lookup: Arc<dyn Lookup>,
    ) -> Result<Self, BuildError> {
        let policy = match &config.network {
            Network::Trusted => None,
            Network::Public(policy) => Some(Arc::new(policy.clone())),
        };
        #[expect(clippy::disallowed_methods, reason = "this is the one client")]
        let builder = reqwest::Client::builder();
        let mut builder = builder
            .user_agent(&config.user_agent)
            .connect_timeout(config.connect_timeout)
            // A redirect would take headers and trust to an address nobody vetted.
            .redirect(reqwest::redirect::Policy::none())
            // Repeating is the caller's decision, see `Request::idempotent`.
            .retry(reqwest::retry::never())
            // The environment must not reroute calls silently.
            .no_proxy()
            .referer(false)
            // Shorter than common servers keep idle connections: writing to one that is being
            // closed would leave the outcome unknown.
            .pool_idle_timeout(Duration::from_secs(20))
            .tcp_nodelay(true);
        if let Some(policy) = &policy {
            let policy = Arc::clone(policy);
            // No decompression of strangers' answers.
            builder = builder
                .dns_resolver(VettedResolver { policy, lookup })
                .gzip(false);
        }
        let http = builder
            .build()
            .map_err(|source| BuildError { name, source })?;
        let jitter = match config.jitter_seed {
            Some(seed) => StdRng::seed_from_u64(seed),
            None => StdRng::from_os_rng(),
        };
        let duration = opentelemetry::global::meter("outbound")
            .f64_histogram("http.client.request.duration")
            .with_unit("s")
            .with_description("Duration of calls to other parties, by outcome.")
            .build();
        Ok(Self(Arc::new(Inner {
            name,
            http,
            breaker: config
                .breaker
                .map(|settings| Breaker::new(name, settings, clock.clone())),
            policy,
            clock,
            jitter: Mutex::new(jitter),
            duration,
            config,
        })))
    }

    /// The clock the client was given.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Starts a call. `operation` names it in errors, traces and metrics: low cardinality, such as
    /// `messages.send`.
    pub fn request(&self, operation: &'static str, method: Method, url: Url) -> Request {
        Request {
            builder: self.0.http.request(method, url),
            operation,
            deadline: self.0.config.deadline,
            max_response_bytes: self.0.config.max_response_bytes,
            retry: None,
            client: self.clone(),
        }
    }
}
