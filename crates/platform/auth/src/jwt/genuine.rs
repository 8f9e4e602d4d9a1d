//! Tokens whose signature was found good. A caller shows the same one to a service many times in its five minutes, and
//! checking an Ed25519 signature again costs more than everything else about a call's access.

use std::{fmt, sync::Arc};

use moka::sync::Cache;
use sha2::{Digest, Sha256};

use super::{LIFETIME, claims::Lifetime};
use crate::Principal;

/// A few megabytes at most. What is shown most often stays.
const MOST: u64 = 10_000;

/// What a genuine token says. Whether it still holds is asked every time: it can expire, be revoked, or be of a key that
/// was withdrawn.
#[derive(Debug)]
pub(super) struct Genuine {
    /// The key that signed it.
    pub(super) kid: String,
    pub(super) principal: Principal,
    pub(super) lifetime: Lifetime,
}

/// Genuine tokens by their SHA-256, so that what is remembered is of no use to whoever reads it. Forged tokens leave
/// nothing here. Clones share it.
#[derive(Clone)]
pub(super) struct GenuineTokens(Cache<[u8; 32], Arc<Genuine>>);

impl fmt::Debug for GenuineTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GenuineTokens").finish_non_exhaustive()
    }
}

impl GenuineTokens {
    pub(super) fn new() -> Self {
        Self(
            Cache::builder()
                .max_capacity(MOST)
                .time_to_live(LIFETIME)
                .build(),
        )
    }

    pub(super) fn get(&self, token: &str) -> Option<Arc<Genuine>> {
        self.0.get(&digest(token))
    }

    pub(super) fn remember(&self, token: &str, genuine: &Arc<Genuine>) {
        self.0.insert(digest(token), Arc::clone(genuine));
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}
