//! Against a real PostgreSQL.

mod data_keys;
mod deferred;
mod faults;
mod feed;
mod fixture;
mod idempotency;
mod inbox;
mod jobs;
mod leader;
mod migrations;
mod relay;
mod retention;
mod tenancy;
mod transactions;
