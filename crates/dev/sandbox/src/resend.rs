//! Resend: its e-mail API and its webhooks.
//!
//! [`Resend`] is the sandbox in process: the control API under `/_sandbox/resend` only translates HTTP to its methods.
//! E-mails go nowhere; they lie in the mailbox of the [`Ledger`].

mod address;
mod api;
mod control;
mod error;
mod fate;
mod fault;
mod idempotency;
mod ledger;
mod settings;
mod spec;
mod team;
mod validate;
mod webhook;

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicUsize, Ordering},
};

use clock::Clock;
use rand::{SeedableRng, rngs::StdRng};
use reqwest::Client;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    SandboxConfig, callback::callback_client, control::ControlError, faults::Faults, locked::Locked,
};
use team::Teams;

pub(crate) use api::router as api_router;
pub(crate) use control::router as control_router;
pub use fate::EmailEvent;
pub use fault::{Call, Fault, FaultKind, FaultRule};
pub use ledger::{Counters, Delivery, EmittedEvent, Filter, Ledger, Mail, Rejection};
pub use settings::{EventSettings, LimitSettings, Settings, WebhookSettings};
pub use spec::{EndpointSpec, KeySpec, Permission, SetupSpec};
pub use webhook::sign;

/// The Resend sandbox. Clones share everything.
#[derive(Clone, Debug)]
pub struct Resend(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    rng: Locked<StdRng>,
    settings: RwLock<Arc<Settings>>,
    teams: Teams,
    faults: Faults<Fault>,
    ledger: Ledger,
    client: Client,
    /// Events to come, and deliveries waiting or under way.
    pending: Arc<AtomicUsize>,
    stop: CancellationToken,
    /// Ends what is under way when everything is forgotten.
    epoch: Locked<CancellationToken>,
    tasks: TaskTracker,
}

impl Resend {
    pub(crate) fn new(
        config: &SandboxConfig,
        clock: Clock,
        stop: CancellationToken,
        tasks: TaskTracker,
    ) -> Result<Self, reqwest::Error> {
        let rng = config
            .seed
            .map_or_else(StdRng::from_os_rng, StdRng::seed_from_u64);
        Ok(Self(Arc::new(Inner {
            clock,
            rng: Locked::new(rng),
            settings: RwLock::new(Arc::new(config.resend.clone())),
            teams: Teams::default(),
            faults: Faults::default(),
            ledger: Ledger::new(config.ledger_capacity),
            client: callback_client("Svix-Webhooks/1.0")?,
            pending: Arc::default(),
            epoch: Locked::new(stop.child_token()),
            stop,
            tasks,
        })))
    }

    /// Registers a team with a key, its domains and its webhook endpoints. A team of the same name is replaced.
    ///
    /// # Errors
    /// When an endpoint has no usable URL or secret.
    pub fn set_up(&self, spec: SetupSpec) -> Result<(), ControlError> {
        self.0.teams.set_up(spec)
    }

    /// Gives a team another key.
    ///
    /// # Errors
    /// When there is no such team.
    pub fn add_key(&self, spec: &KeySpec) -> Result<(), ControlError> {
        self.0.teams.add_key(spec)
    }

    /// The mailbox, and what was refused and delivered so far.
    pub fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    /// Totals, and how many webhooks are still on their way.
    pub fn counters(&self) -> Counters {
        // The pending ones first: what finishes in between is then in the totals.
        let webhooks_pending = self.pending_webhooks();
        Counters {
            webhooks_pending,
            ..self.ledger().counters()
        }
    }

    /// Events to come, and deliveries waiting or under way.
    pub fn pending_webhooks(&self) -> usize {
        self.0.pending.load(Ordering::Acquire)
    }

    pub fn settings(&self) -> Arc<Settings> {
        let settings = self.0.settings.read();
        Arc::clone(&settings.unwrap_or_else(PoisonError::into_inner))
    }

    pub fn change_settings(&self, settings: Settings) {
        let mut current = self
            .0
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(settings);
    }

    /// Scripts a failure. Returns the id of its rule.
    pub fn script(&self, fault: Fault) -> u64 {
        self.0.faults.add(fault)
    }

    /// The scripted failures, and how often each has struck.
    pub fn faults(&self) -> Vec<FaultRule> {
        self.0.faults.list()
    }

    /// Removes one scripted failure, or all. Returns how many there were.
    pub fn remove_faults(&self, id: Option<u64>) -> usize {
        self.0.faults.remove(id)
    }

    /// Forgets everything: teams, keys, faults, mailbox, webhooks under way. Settings stay.
    pub fn reset(&self) {
        let fresh = self.0.stop.child_token();
        let past = self.0.epoch.with(|epoch| std::mem::replace(epoch, fresh));
        past.cancel();
        self.0.teams.clear();
        self.0.faults.remove(None);
        self.0.ledger.clear();
    }

    fn clock(&self) -> &Clock {
        &self.0.clock
    }

    fn rng(&self) -> &Locked<StdRng> {
        &self.0.rng
    }

    fn epoch(&self) -> CancellationToken {
        self.0.epoch.with(|epoch| epoch.clone())
    }
}
