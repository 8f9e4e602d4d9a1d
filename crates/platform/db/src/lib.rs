//! PostgreSQL, as every service uses it: pools, transactions with a tenant, migrations, and the tables that have one
//! shape in every schema (outbox, inbox, idempotency keys, jobs, deferred deliveries, data keys).
//!
//! Tenant rows have one door, [`TenantTx`], behind which row level security shows a single organization. The other
//! door, [`SystemTx`], sees all of them; it wants a reason, and counts it. There is no way to a bare connection.

mod advisory;
mod body;
mod config;
mod data_keys;
mod deadline;
mod error;
mod handle;
mod open;
mod schema;
mod statement;
mod tx;

pub mod deferred;
pub mod idempotency;
pub mod inbox;
pub mod jobs;
pub mod leader;
pub mod migrate;
pub mod outbox;
pub mod page;
pub mod retention;

pub use body::Body;
pub use config::DbConfig;
pub use data_keys::DataKeys;
pub use error::{ConnectError, DbError};
pub use handle::{Db, Metrics, PoolMetrics};
pub use open::OpenError;
pub use schema::{Schema, SchemaNameInvalid};
pub use tx::{AsTx, SystemTx, TenantTx};
