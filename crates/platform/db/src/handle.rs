//! The two pools of one service.

use std::{
    collections::BTreeMap,
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use clock::Clock;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    Connection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{
    ConnectError, DbConfig, DbError, Schema, deadline::within, deferred, idempotency, inbox, jobs,
    outbox, retention,
};

/// An idle connection younger than this is used without asking whether it still works; starting the transaction finds
/// out, and takes another one.
const TRUSTED_IDLE: Duration = Duration::from_secs(10);
/// Prepared statements a connection keeps: more than any service has, so none is prepared twice.
const STATEMENTS: usize = 512;

/// A service's database: cheap to clone, shared by everything in the process.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    schema: Schema,
    clock: Clock,
    deadline: Duration,
    app: PgPool,
    system: PgPool,
    dedicated: PgConnectOptions,
    sql: Sql,
    reasons: Mutex<BTreeMap<&'static str, u64>>,
}

/// The statements of the platform's tables, completed for one schema.
#[derive(Debug)]
pub(crate) struct Sql {
    pub(crate) outbox: outbox::Sql,
    pub(crate) inbox: inbox::Sql,
    pub(crate) idempotency: idempotency::Sql,
    pub(crate) jobs: jobs::Sql,
    pub(crate) deferred: deferred::Sql,
    pub(crate) retention: retention::Sql,
}

/// What the pools and the system door look like at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metrics {
    /// The pool of requests.
    pub app: PoolMetrics,
    /// The pool of relays, consumers and sweeps.
    pub system: PoolMetrics,
    /// Transactions that saw every organization, by reason, since the start.
    pub system_transactions: Vec<(&'static str, u64)>,
}

/// Connections of one pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolMetrics {
    /// Open and waiting for work.
    pub idle: u32,
    /// Open and at work.
    pub used: u32,
    /// As many as may be open.
    pub max: u32,
}

/// The driver's options would show the password.
impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db")
            .field("schema", &self.0.schema)
            .finish_non_exhaustive()
    }
}

impl Db {
    /// Opens both pools of `schema` and proves that both roles can log in.
    ///
    /// # Errors
    /// When the configuration is wrong or the server can't be reached within `acquire_timeout_ms`.
    pub async fn connect(
        config: &DbConfig,
        schema: &'static str,
        clock: Clock,
    ) -> Result<Self, ConnectError> {
        let schema = Schema::new(schema)?;
        let problems = config.problems();
        if !problems.is_empty() {
            return Err(ConnectError::Config(problems));
        }
        let app = options(config, &config.url, schema.as_str())?;
        let system = options(config, &config.system_url, &format!("{schema}:system"))?;
        let db = Self(Arc::new(Inner {
            schema,
            clock,
            deadline: config.acquire_timeout(),
            app: pool(config, config.max_connections).connect_lazy_with(app),
            system: pool(config, config.system_max_connections).connect_lazy_with(system.clone()),
            dedicated: system,
            sql: Sql {
                outbox: outbox::Sql::new(schema),
                inbox: inbox::Sql::new(schema),
                idempotency: idempotency::Sql::new(schema),
                jobs: jobs::Sql::new(schema),
                deferred: deferred::Sql::new(schema),
                retention: retention::Sql::new(schema),
            },
            reasons: Mutex::default(),
        }));
        db.ping_pool(&db.0.app)
            .await
            .map_err(|source| ConnectError::Connect {
                role: "app",
                source,
            })?;
        db.ping_pool(&db.0.system)
            .await
            .map_err(|source| ConnectError::Connect {
                role: "system",
                source,
            })?;
        Ok(db)
    }

    /// Whether requests can be served: one round trip as the app role.
    ///
    /// # Errors
    /// When they can't.
    pub async fn ping(&self) -> Result<(), DbError> {
        self.ping_pool(&self.0.app).await
    }

    async fn ping_pool(&self, pool: &PgPool) -> Result<(), DbError> {
        #[expect(clippy::disallowed_methods, reason = "this crate is the door")]
        let ping = async { pool.acquire().await?.ping().await };
        within(self.0.deadline, ping).await
    }

    /// The schema everything in this handle belongs to.
    pub fn schema(&self) -> Schema {
        self.0.schema
    }

    /// The clock that due times and retention are measured by.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// For gauges: idle, used and allowed connections, and how often the system door was used.
    pub fn metrics(&self) -> Metrics {
        let reasons = self
            .0
            .reasons
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Metrics {
            app: pool_metrics(&self.0.app),
            system: pool_metrics(&self.0.system),
            system_transactions: reasons
                .iter()
                .map(|(reason, count)| (*reason, *count))
                .collect(),
        }
    }

    /// Waits until every connection has come back, and closes them.
    pub async fn close(&self) {
        self.0.app.close().await;
        self.0.system.close().await;
    }

    pub(crate) fn app(&self) -> &PgPool {
        &self.0.app
    }

    pub(crate) fn system(&self) -> &PgPool {
        &self.0.system
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.0.deadline
    }

    pub(crate) fn sql(&self) -> &Sql {
        &self.0.sql
    }

    /// For a connection that is held for long and must not take one from the pool: a listener, a leader's lock.
    pub(crate) fn dedicated(&self, purpose: &str) -> PgConnectOptions {
        self.0
            .dedicated
            .clone()
            .application_name(&format!("{}:{purpose}", self.0.schema))
    }

    pub(crate) fn count_system_transaction(&self, reason: &'static str) {
        let mut reasons = self
            .0
            .reasons
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *reasons.entry(reason).or_default() += 1;
    }
}

fn options(
    config: &DbConfig,
    url: &SecretString,
    application_name: &str,
) -> Result<PgConnectOptions, ConnectError> {
    let options = PgConnectOptions::from_str(url.expose_secret())
        // The error would repeat the URL.
        .map_err(|_| ConnectError::Config(vec!["url: is not a PostgreSQL URL".to_owned()]))?;
    Ok(options
        .application_name(application_name)
        .options([
            ("statement_timeout", config.statement_timeout_ms.to_string()),
            ("lock_timeout", config.lock_timeout_ms.to_string()),
            (
                "idle_in_transaction_session_timeout",
                config.idle_in_transaction_timeout_ms.to_string(),
            ),
            // Compiling a plan takes longer than any statement of ours.
            ("jit", "off".to_owned()),
            // A machine that vanishes keeps its locks until the server notices: within 25 s, not two hours.
            ("tcp_keepalives_idle", "10".to_owned()),
            ("tcp_keepalives_interval", "5".to_owned()),
            ("tcp_keepalives_count", "3".to_owned()),
        ])
        .statement_cache_capacity(STATEMENTS))
}

fn pool(config: &DbConfig, max: u32) -> PgPoolOptions {
    let deadline = config.acquire_timeout();
    PgPoolOptions::new()
        .max_connections(max)
        .acquire_timeout(config.acquire_timeout())
        .max_lifetime(Duration::from_mins(30))
        .idle_timeout(Duration::from_mins(5))
        .test_before_acquire(false)
        .before_acquire(|connection, idle| {
            Box::pin(async move {
                if idle.idle_for > TRUSTED_IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_release(move |connection, _| {
            Box::pin(async move {
                // A rollback is to be sent, and perhaps the answer of a statement that nobody waited for is to come.
                // On a silent network neither happens, and the place in the pool would be lost.
                if connection.should_flush() {
                    let drained = tokio::time::timeout(deadline, connection.flush()).await;
                    drained.map_err(|_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))??;
                }
                Ok(true)
            })
        })
}

fn pool_metrics(pool: &PgPool) -> PoolMetrics {
    let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
    PoolMetrics {
        idle,
        used: pool.size().saturating_sub(idle),
        max: pool.options().get_max_connections(),
    }
}
