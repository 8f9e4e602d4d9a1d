//! What identity does, one file per operation.

pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod begin_session;
mod check_password;
mod claim;
pub(crate) mod complete_login;
pub(crate) mod create_api_key;
mod create_organization;
pub(crate) mod end_sessions;
pub(crate) mod exchange_api_key;
mod grounds;
pub(crate) mod invitations;
pub(crate) mod issue_service_token;
mod issue_tokens;
pub(crate) mod list_api_keys;
pub(crate) mod list_audit_entries;
pub(crate) mod list_revocations;
pub(crate) mod log_in;
pub(crate) mod log_out;
pub(crate) mod members;
pub(crate) mod mfa;
pub(crate) mod office;
pub(crate) mod organization;
mod person;
pub(crate) mod refresh_session;
pub(crate) mod replace_service_clients;
pub(crate) mod revoke_api_key;
pub(crate) mod roles;
pub(crate) mod rotate_api_key;
pub(crate) mod scim;
pub(crate) mod seats;
mod seed;
pub(crate) mod sign_up;
pub(crate) mod sso;
pub(crate) mod teams;
mod throttle;
pub(crate) mod verify_audit_chain;

use std::{sync::Arc, time::Duration};

use auth::Policy;
use db::Db;
use vault::Vault;

pub(crate) use issue_tokens::{AccessToken, SessionTokens};
pub use seed::{Seed, Seeded, seed};

use crate::{
    keys::{AddressKey, KeyRing},
    passwords::Passwords,
};

/// What operations work with.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    pub(crate) db: Db,
    pub(crate) keys: KeyRing,
    pub(crate) addresses: AddressKey,
    pub(crate) vault: Vault,
    pub(crate) passwords: Passwords,
    pub(crate) policy: Arc<Policy>,
    pub(crate) sessions: SessionLimits,
    /// Members and invitations of one organization; `None` without limit.
    pub(crate) seats: Option<u32>,
    /// Identity providers and name servers.
    pub(crate) sso: sso::Partners,
    /// Whether whoever signs up is let in before the address is proven.
    pub(crate) unproven_sign_ups: bool,
}

/// How long sessions live.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionLimits {
    /// From the login.
    pub(crate) lasts: Duration,
    /// From the last refresh.
    pub(crate) idle: Duration,
}
