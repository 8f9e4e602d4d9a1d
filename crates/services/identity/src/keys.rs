//! The keys that sign tokens: made on the first start, sealed in the database, shared by all replicas, replaced every
//! 90 days.
//!
//! A new key is announced before it signs, so that every replica has loaded it and every service's cached JWKS has it;
//! an old one verifies until the last token it signed has expired.

mod addresses;
mod ring;

use std::{fmt, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use auth::{KeySource, KeySourceError, TokenKey};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use db::{DataKeys, Db, SystemTx};
use proto::identity::v1::Jwk;
use tokio::sync::Mutex;
use vault::{Owner, Place, Purpose, Vault};

pub(crate) use addresses::{AddressHash, AddressKey};
pub(crate) use ring::Ring;

use crate::{
    Error,
    domain::{mac_key::MacKey, secret},
    store::signing_keys::{self, SealedKey, Signs},
};

/// The purpose of the vault's data keys.
const PURPOSE: Purpose = Purpose::new("signing-keys");
/// A key is replaced after this.
const REPLACED_AFTER: TimeDelta = TimeDelta::days(90);
/// From a key's creation until it signs: longer than [`RELOADED_AFTER`] and the five minutes of a JWKS cache.
const ANNOUNCED_FOR: TimeDelta = TimeDelta::minutes(10);
/// How long a replica works with the keys it loaded.
const RELOADED_AFTER: TimeDelta = TimeDelta::minutes(1);
/// After a failure to load them.
const RETRIED_AFTER: TimeDelta = TimeDelta::seconds(5);
/// Longest time for loading them.
const LOAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a key stays in the database after nothing it signed is valid, for whoever asks what signed a token.
const KEPT: TimeDelta = TimeDelta::days(30);

/// The keys in memory. Cheap to clone; clones share them.
#[derive(Clone)]
pub(crate) struct KeyRing(Arc<Shared>);

struct Shared {
    db: Db,
    vault: Vault,
    /// The longest life of a refresh token.
    sessions_last: Duration,
    loaded: ArcSwap<Loaded>,
    loading: Mutex<()>,
}

struct Loaded {
    ring: Arc<Ring>,
    reload_at: DateTime<Utc>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRing")
    }
}

impl KeyRing {
    /// Loads the keys; makes them on the first start.
    pub(crate) async fn open(db: Db, vault: Vault, sessions_last: Duration) -> Result<Self, Error> {
        let ring = Self(Arc::new(Shared {
            loaded: ArcSwap::from_pointee(Loaded {
                ring: Arc::default(),
                reload_at: db.clock().now(),
            }),
            db,
            vault,
            sessions_last,
            loading: Mutex::new(()),
        }));
        ring.replace_due().await?;
        ring.load().await?;
        Ok(ring)
    }

    /// The keys: at most two minutes old while the database answers, and the known ones while it does not.
    pub(crate) async fn current(&self) -> Arc<Ring> {
        let loaded = self.0.loaded.load_full();
        let now = self.now();
        if now < loaded.reload_at {
            return Arc::clone(&loaded.ring);
        }
        let _loading = match self.0.loading.try_lock() {
            Ok(loading) => loading,
            // Somebody else loads, and what there is is hardly late.
            Err(_) if now < loaded.reload_at + RELOADED_AFTER => return Arc::clone(&loaded.ring),
            // After a rest what there is may lack a key that signs by now, or have one that was withdrawn.
            Err(_) => self.0.loading.lock().await,
        };
        let loaded = self.0.loaded.load_full();
        if self.now() < loaded.reload_at {
            // Somebody else loaded them meanwhile.
            return Arc::clone(&loaded.ring);
        }
        if let Err(error) = self.load_in_time().await {
            tracing::warn!(
                error,
                "signing keys could not be loaded; known ones stay in use"
            );
            self.0.loaded.store(Arc::new(Loaded {
                ring: Arc::clone(&loaded.ring),
                reload_at: self.now() + RETRIED_AFTER,
            }));
        }
        Arc::clone(&self.0.loaded.load().ring)
    }

    /// Others wait meanwhile, so not for ever.
    async fn load_in_time(&self) -> Result<(), String> {
        match tokio::time::timeout(LOAD_TIMEOUT, self.load()).await {
            Ok(loaded) => loaded.map_err(|error| errors::chain(&error)),
            Err(_) => Err("the database did not answer in time".to_owned()),
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.0.db.clock().now()
    }

    async fn load(&self) -> Result<(), Error> {
        let mut tx = SystemTx::begin(&self.0.db, "load signing keys").await?;
        let sealed = signing_keys::list(&mut tx, self.now()).await?;
        tx.commit().await?;
        let mut ring = Ring::default();
        for key in sealed {
            let store = DataKeys::of_platform(&self.0.db);
            let secret = self
                .0
                .vault
                .open(&store, &place(&key.id), &key.secret)
                .await?;
            let mut bytes = zeroize::Zeroizing::new([0; 32]);
            if secret.len() != bytes.len() {
                return Err(db::DbError::inconsistent("signing_keys", "secret", &key.id).into());
            }
            bytes.copy_from_slice(&secret);
            match key.signs {
                Signs::AccessTokens => {
                    ring.add_token_key(key.active_at, TokenKey::from_seed(&bytes));
                }
                Signs::RefreshTokens => {
                    ring.add_refresh_key(key.active_at, MacKey::new(bytes));
                }
            }
        }
        self.0.loaded.store(Arc::new(Loaded {
            ring: Arc::new(ring),
            reload_at: self.now() + RELOADED_AFTER,
        }));
        Ok(())
    }

    /// Makes the keys that are missing and the successors of those that are old.
    pub(crate) async fn replace_due(&self) -> Result<(), Error> {
        for signs in Signs::ALL {
            let mut tx = SystemTx::begin(&self.0.db, "replace signing keys").await?;
            let newest = signing_keys::find_newest(&mut tx, signs).await?;
            tx.commit().await?;
            if self.is_due(newest) {
                self.replace(signs).await?;
            }
        }
        Ok(())
    }

    /// Deletes keys that have long been of no use.
    pub(crate) async fn delete_old(&self) -> Result<(), Error> {
        let mut tx = SystemTx::begin(&self.0.db, "delete signing keys").await?;
        signing_keys::delete_retired(&mut tx, self.now() - KEPT).await?;
        tx.commit().await?;
        Ok(())
    }

    fn is_due(&self, newest: Option<DateTime<Utc>>) -> bool {
        newest.is_none_or(|newest| self.now() - newest >= REPLACED_AFTER)
    }

    async fn replace(&self, signs: Signs) -> Result<(), Error> {
        let secret = secret::random_bytes();
        let id = match signs {
            Signs::AccessTokens => TokenKey::from_seed(&secret).kid().to_owned(),
            Signs::RefreshTokens => {
                BASE64_URL_SAFE_NO_PAD.encode(secret::random_bytes().as_slice())
            }
        };
        // Before the transaction: sealing may ask a key service.
        let store = DataKeys::of_platform(&self.0.db);
        let sealed = self
            .0
            .vault
            .seal(&store, &place(&id), secret.as_slice())
            .await?;
        let mut tx = SystemTx::begin(&self.0.db, "replace signing keys").await?;
        signing_keys::lock_table(&mut tx).await?;
        let newest = signing_keys::find_newest(&mut tx, signs).await?;
        if !self.is_due(newest) {
            // Another replica was faster.
            return Ok(());
        }
        let now = self.now();
        // The first key signs at once: there is no other.
        let active_at = newest.map_or(now, |_| now + ANNOUNCED_FOR);
        let lasts = match signs {
            Signs::AccessTokens => auth::LIFETIME + Duration::from_mins(1),
            Signs::RefreshTokens => self.0.sessions_last,
        };
        let key = SealedKey {
            id,
            signs,
            secret: sealed,
            created_at: now,
            active_at,
        };
        signing_keys::insert(&mut tx, &key, active_at + lasts).await?;
        tx.commit().await?;
        tracing::info!(key.id = key.id, key.signs = signs.as_str(), key.active_at = %active_at, "signing key made");
        Ok(())
    }
}

/// Inside identity the keys that verify are these.
#[async_trait]
impl KeySource for KeyRing {
    async fn fetch(&self) -> Result<Vec<Jwk>, KeySourceError> {
        Ok(self.current().await.jwks())
    }
}

fn place(id: &str) -> Place {
    Place::new(Owner::Platform, PURPOSE, "signing_keys", "secret", id)
}
