//! Keys at one moment.

use auth::TokenKey;
use chrono::{DateTime, Utc};
use proto::identity::v1::Jwk;

use crate::{
    Error,
    domain::{
        mac_key::{MacKey, Usage},
        refresh_token::RefreshToken,
    },
};

/// Keys with the moment from which each signs, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    token_keys: Vec<(DateTime<Utc>, TokenKey)>,
    refresh_keys: Vec<(DateTime<Utc>, MacKey)>,
}

impl Ring {
    pub(super) fn add_token_key(&mut self, active_at: DateTime<Utc>, key: TokenKey) {
        self.token_keys.push((active_at, key));
    }

    pub(crate) fn add_refresh_key(&mut self, active_at: DateTime<Utc>, key: MacKey) {
        self.refresh_keys.push((active_at, key));
    }

    /// The key that signs access tokens at `now`.
    pub(crate) fn token_key(&self, now: DateTime<Utc>) -> Result<&TokenKey, Error> {
        newest(&self.token_keys, now).ok_or(Error::NoKey("access tokens"))
    }

    /// The key that signs refresh tokens at `now`.
    pub(crate) fn refresh_key(&self, now: DateTime<Utc>) -> Result<&MacKey, Error> {
        newest(&self.refresh_keys, now).ok_or(Error::NoKey("refresh tokens"))
    }

    /// The refresh token in the text, whichever key signed it.
    pub(crate) fn refresh_token(&self, text: &str) -> Option<RefreshToken> {
        self.refresh_keys
            .iter()
            .rev()
            .find_map(|(_, key)| key.verify(text))
    }

    /// The body of a text that one of our keys sealed for this use.
    pub(crate) fn open(&self, usage: Usage, text: &str) -> Option<Vec<u8>> {
        self.refresh_keys
            .iter()
            .rev()
            .find_map(|(_, key)| key.open(usage, text))
    }

    /// Every public key, those that do not sign yet or any more too.
    pub(crate) fn jwks(&self) -> Vec<Jwk> {
        self.token_keys.iter().map(|(_, key)| key.jwk()).collect()
    }
}

fn newest<K>(keys: &[(DateTime<Utc>, K)], now: DateTime<Utc>) -> Option<&K> {
    keys.iter()
        .rev()
        .find(|(active_at, _)| *active_at <= now)
        .map(|(_, key)| key)
}
