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
mod mail;
mod ops;
mod passwords;
mod store;

pub use app::{App, MIGRATOR};
pub use config::{Config, Mail, Seats, Sessions, SignUps, Sso};
pub use error::{Error, PeopleError, SsoError};
pub use ops::{Seed, Seeded, seed};
