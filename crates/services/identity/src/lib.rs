//! Identity: organizations, people, sessions, API keys, service clients, and the keys that sign tokens.
//!
//! Other services meet it in two ways: they verify access tokens by themselves with the public keys it publishes, and
//! they ask it for tokens of their own. What it promises is in `proto/switchboard/identity/v1/identity.proto`.

mod app;
mod config;
mod domain;
mod error;
mod events;
mod grpc;
mod jobs;
mod keys;
mod ops;
mod passwords;
mod store;

pub use app::{App, MIGRATOR};
pub use config::{Config, Sessions};
pub use error::Error;
pub use ops::{Seed, Seeded, seed};
