//! The client: what is known of providers, and for how long.

use std::{fmt, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use clock::Clock;
use ids::SsoConnectionId;
use moka::future::Cache;
use outbound::{
    BuildError,
    guard::{Lookup, Policy, SystemLookup},
};

use crate::{
    Settings,
    cache::{Known, Slot},
    discovery::{self, Faults, Plan, Rules},
    http::{Http, Limits},
    keys::KeySet,
};

/// How the client behaves.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Which addresses providers may have. With [`Policy::allow_http`] a provider on this machine's
    /// loopback may speak plain HTTP, for development; any other needs HTTPS all the same.
    pub policy: Policy,
    /// What an answer may cost.
    pub limits: Limits,
    /// How long it is believed.
    pub lifetimes: Lifetimes,
}

/// How long what a provider published is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifetimes {
    /// Before it is fetched again. A key that was withdrawn is believed this long.
    pub fresh: TimeDelta,
    /// While the provider can't be reached.
    pub stale: TimeDelta,
    /// Between two attempts after one that failed.
    pub retry: TimeDelta,
    /// Between two fetches because of a token with an unknown key: anybody can send such a token.
    pub unknown_key: TimeDelta,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            fresh: TimeDelta::hours(1),
            stale: TimeDelta::hours(24),
            retry: TimeDelta::seconds(10),
            unknown_key: TimeDelta::seconds(60),
        }
    }
}

/// Connections whose providers are remembered at the same time.
const REMEMBERED_CONNECTIONS: u64 = 10_000;

/// The relying party for all tenants' providers. Cheap to clone.
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) http: Http,
    rules: Rules,
    lifetimes: Lifetimes,
    /// By connection and not by issuer: what one tenant's settings fetched is never used for
    /// another's, even if both name the same issuer.
    slots: Cache<SsoConnectionId, Arc<Slot>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("http", &self.0.http)
            .field("lifetimes", &self.0.lifetimes)
            .finish_non_exhaustive()
    }
}

/// A provider that passed the checks, for one connection. Cheap to clone; get a new one for every
/// login.
#[derive(Clone)]
pub struct Provider(pub(crate) Arc<ProviderInner>);

pub(crate) struct ProviderInner {
    pub(crate) connection: SsoConnectionId,
    pub(crate) settings: Settings,
    pub(crate) plan: Plan,
    pub(crate) known: Known,
    slot: Arc<Slot>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("connection", &self.0.connection)
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client with an HTTP client of its own, behind the network guard.
    ///
    /// # Errors
    /// [`BuildError`] when TLS can't be set up.
    pub fn new(config: Config, clock: Clock) -> Result<Self, BuildError> {
        Self::with_lookup(config, clock, Arc::new(SystemLookup))
    }

    /// As [`Client::new`], resolving names with `lookup`.
    ///
    /// # Errors
    /// [`BuildError`] when TLS can't be set up.
    pub fn with_lookup(
        config: Config,
        clock: Clock,
        lookup: Arc<dyn Lookup>,
    ) -> Result<Self, BuildError> {
        let guarded = outbound::Config::for_tenant_addresses(config.policy.clone());
        let client = outbound::Client::with_lookup("oidc", guarded, clock, lookup)?;
        Ok(Self(Arc::new(Inner {
            http: Http {
                client,
                limits: config.limits,
            },
            rules: Rules {
                policy: config.policy,
            },
            lifetimes: config.lifetimes,
            slots: Cache::new(REMEMBERED_CONNECTIONS),
        })))
    }

    /// Fetches and checks a provider, whatever is known of it: for the moment its settings are
    /// saved or tested.
    ///
    /// # Errors
    /// Everything the administrator has to put right.
    pub async fn discover(
        &self,
        connection: SsoConnectionId,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> Result<Provider, Faults> {
        let (published, plan) = discovery::fetch(&self.0.http, settings, &self.0.rules).await?;
        let slot = self.slot(connection).await;
        let known = slot.learn(published, now).await;
        Ok(Provider::new(connection, settings, plan, known, slot))
    }

    /// The provider for a login, from what is known of it if that is recent.
    ///
    /// # Errors
    /// What has gone wrong since the settings were saved.
    pub async fn provider(
        &self,
        connection: SsoConnectionId,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> Result<Provider, Faults> {
        let slot = self.slot(connection).await;
        let fetch = async {
            let fetched = discovery::fetch(&self.0.http, settings, &self.0.rules).await;
            fetched.map(|(published, _)| published)
        };
        // Any of the settings may have changed since, and checking them costs nothing.
        let agrees =
            |known: &Known| Plan::new(settings, &known.published.document, &self.0.rules).is_ok();
        let known = slot.known(&self.0.lifetimes, now, agrees, fetch).await?;
        let plan = Plan::new(settings, &known.published.document, &self.0.rules)?;
        Ok(Provider::new(connection, settings, plan, known, slot))
    }

    /// Forgets what is known of a connection's provider, when it is deleted.
    pub async fn forget(&self, connection: SsoConnectionId) {
        self.0.slots.invalidate(&connection).await;
    }

    /// The provider's keys after a token with a key that is not among those known, if they may be
    /// asked for.
    pub(crate) async fn newer_keys(
        &self,
        provider: &Provider,
        now: DateTime<Utc>,
    ) -> Option<KeySet> {
        let inner = &provider.0;
        let fetch = discovery::fetch_keys(&self.0.http, inner.plan.keys.clone());
        inner
            .slot
            .newer_keys(&inner.known, &self.0.lifetimes, now, fetch)
            .await
    }

    async fn slot(&self, connection: SsoConnectionId) -> Arc<Slot> {
        let made = async { Arc::new(Slot::default()) };
        self.0.slots.get_with(connection, made).await
    }
}

impl Provider {
    fn new(
        connection: SsoConnectionId,
        settings: &Settings,
        plan: Plan,
        known: Known,
        slot: Arc<Slot>,
    ) -> Self {
        Self(Arc::new(ProviderInner {
            connection,
            settings: settings.clone(),
            plan,
            known,
            slot,
        }))
    }
}
