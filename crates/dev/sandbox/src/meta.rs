//! The WhatsApp Cloud API and Meta's webhooks.
//!
//! [`Meta`] is the sandbox in process: the control API under `/_sandbox` only translates HTTP to
//! its methods. Facts about Meta's behaviour are noted where they are enforced.

mod control;
mod customer;
mod error;
mod fault;
mod graph;
mod identifiers;
mod inbound;
mod ledger;
mod limits;
mod media;
mod number;
mod registration;
mod registry;
mod settings;
mod spec;
mod statuses;
mod template;
mod validate;
mod webhook;

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use clock::Clock;
use rand::{Rng, SeedableRng, rngs::StdRng};
use reqwest::{Client, Url};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{SandboxConfig, callback::callback_client, faults::Faults, locked::Locked};
use customer::Directory;
use identifiers::Wamids;
use media::MediaStore;
use registry::{App, Registry};
use webhook::Event;

pub use crate::{control::ControlError, delay::DelayRange};
pub(crate) use control::router as control_router;
pub use customer::Profile;
pub use fault::{Call, Fault, FaultKind, FaultRule};
pub(crate) use graph::router as graph_router;
pub use inbound::{InboundReceipt, InboundSpec, MediaContent};
pub use ledger::{
    Counters, Delivery, EmittedStatus, Filter, Item, Ledger, Outcome, ReadMark, Rejection,
    RequestBody, Send, Status,
};
pub use settings::{LimitSettings, Settings, StatusSettings, WebhookSettings};
pub use spec::{
    AccountSpec, AppSpec, NumberSpec, ObstacleSpec, SetupReceipt, SetupSpec, TokenSpec,
    WindowRefusal,
};
pub use template::Template;
pub use webhook::{HandshakeError, sign};

/// No event is planned further ahead than this, whatever delay was asked for.
const HORIZON: TimeDelta = TimeDelta::days(366);

/// The WhatsApp sandbox. Clones share everything.
#[derive(Clone, Debug)]
pub struct Meta(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    rng: Locked<StdRng>,
    wamids: Wamids,
    /// Beginning of the URLs handed out, without a trailing slash.
    public_url: String,
    settings: RwLock<Arc<Settings>>,
    registry: Registry,
    customers: Directory,
    faults: Faults<Fault>,
    ledger: Ledger,
    media: MediaStore,
    client: Client,
    next_delivery: AtomicU64,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Meta {
    pub(crate) fn new(
        config: &SandboxConfig,
        public_url: String,
        clock: Clock,
        stop: CancellationToken,
        tasks: TaskTracker,
    ) -> Result<Self, reqwest::Error> {
        let mut rng = config
            .seed
            .map_or_else(StdRng::from_os_rng, StdRng::seed_from_u64);
        Ok(Self(Arc::new(Inner {
            clock,
            wamids: Wamids::new(rng.random()),
            media: MediaStore::new(config.media_capacity_bytes, rng.random()),
            rng: Locked::new(rng),
            public_url,
            settings: RwLock::new(Arc::new(config.settings.clone())),
            registry: Registry::default(),
            customers: Directory::default(),
            faults: Faults::default(),
            ledger: Ledger::new(config.ledger_capacity, config.ledger_bodies),
            client: callback_client("facebookexternalua")?,
            next_delivery: AtomicU64::new(1),
            stop,
            tasks,
        })))
    }

    /// What was accepted, refused and delivered so far.
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

    /// Events and retries waiting for delivery, and deliveries under way.
    pub fn pending_webhooks(&self) -> usize {
        let apps = self.registry().apps();
        apps.iter().map(|app| app.lane.pending()).sum()
    }

    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(
            &self
                .0
                .settings
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    pub fn change_settings(&self, settings: Settings) {
        *self
            .0
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
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

    /// How the customer with this number behaves.
    ///
    /// # Errors
    /// When it isn't a phone number.
    pub fn customer(&self, phone: &str) -> Result<Profile, ControlError> {
        Ok(self.0.customers.profile(&customer_digits(phone)?))
    }

    /// # Errors
    /// When it isn't a phone number.
    pub fn change_customer(&self, phone: &str, mut profile: Profile) -> Result<(), ControlError> {
        let digits = customer_digits(phone)?;
        profile.wa_id = profile.wa_id.as_deref().map(customer_digits).transpose()?;
        self.0.customers.set(&digits, profile);
        Ok(())
    }

    /// Forgets everything: registrations, customers, faults, media, ledger, webhooks under way.
    /// Settings stay.
    pub fn reset(&self) {
        for app in self.0.registry.clear() {
            app.lane.stop.cancel();
        }
        self.0.customers.clear();
        self.0.faults.remove(None);
        self.0.media.clear();
        self.0.ledger.clear();
    }

    fn clock(&self) -> &Clock {
        &self.0.clock
    }

    fn rng(&self) -> &Locked<StdRng> {
        &self.0.rng
    }

    fn registry(&self) -> &Registry {
        &self.0.registry
    }

    fn client(&self) -> &Client {
        &self.0.client
    }

    fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }

    fn next_delivery(&self) -> u64 {
        self.0.next_delivery.fetch_add(1, Ordering::Relaxed)
    }

    fn later(&self, delay: Duration) -> DateTime<Utc> {
        self.clock().now() + TimeDelta::from_std(delay).unwrap_or(HORIZON).min(HORIZON)
    }

    /// Queues `event` for every app subscribed to the account.
    fn tell(&self, account_id: &str, event: &Event, after: Duration) {
        let Some(account) = self.registry().find_account(account_id) else {
            return;
        };
        let due_at = self.later(after);
        let coalesce_ms = self.settings().webhooks.coalesce_ms;
        for subscription in account.subscriptions() {
            if let Some(app) = self.registry().find_app(&subscription.app_id) {
                app.lane.push(event.clone(), due_at, coalesce_ms);
            }
        }
    }

    /// Where an event goes. Meta asks the number's override first, then the account's, then the app.
    fn callback_for(&self, app: &App, event: &Event) -> Option<Url> {
        let number = match event {
            Event::Status(status) => &status.number,
            Event::Message(message) => &message.number,
            Event::Raw(_) => return app.callback.clone(),
        };
        number
            .callback_override()
            .or_else(|| {
                let account = self.registry().find_account(&number.account_id)?;
                let subscriptions = account.subscriptions();
                let own = subscriptions
                    .into_iter()
                    .find(|own| own.app_id == *app.id)?;
                own.callback_override
            })
            .or_else(|| app.callback.clone())
    }
}

fn customer_digits(phone: &str) -> Result<String, ControlError> {
    identifiers::digits(phone).ok_or_else(|| {
        ControlError::Invalid("a phone number has 7 to 15 digits and nothing else".into())
    })
}
