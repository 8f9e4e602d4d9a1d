//! What identity does, one file per operation.

pub(crate) mod create_api_key;
mod create_organization;
pub(crate) mod exchange_api_key;
pub(crate) mod issue_service_token;
mod issue_tokens;
pub(crate) mod list_api_keys;
pub(crate) mod log_in;
pub(crate) mod log_out;
pub(crate) mod refresh_session;
pub(crate) mod replace_service_clients;
pub(crate) mod revoke_api_key;
mod seed;
pub(crate) mod sign_up;

use std::{sync::Arc, time::Duration};

use auth::Policy;
use db::Db;

pub(crate) use issue_tokens::{AccessToken, SessionTokens};
pub use seed::{Seed, Seeded, seed};

use crate::{keys::KeyRing, passwords::Passwords};

/// What operations work with.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    pub(crate) db: Db,
    pub(crate) keys: KeyRing,
    pub(crate) passwords: Passwords,
    pub(crate) policy: Arc<Policy>,
    pub(crate) sessions: SessionLimits,
}

/// How long sessions live.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionLimits {
    /// From the login.
    pub(crate) lasts: Duration,
    /// From the last refresh.
    pub(crate) idle: Duration,
}
