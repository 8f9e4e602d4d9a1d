//! Sealing and opening, with the cache of unwrapped keys.

use std::{fmt, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use clock::Clock;
use ids::DataKeyId;
use moka::future::Cache;
use secrecy::SecretString;
use tracing::Instrument;
use zeroize::Zeroizing;

use crate::{
    DataKeyBytes, Error, KeyContext, KeyProvider, KeyStore, Owner, Place, ProviderError, Purpose,
    WrappedKey, envelope, provider,
};

/// How long an unwrapped key stays in memory.
const CACHED_FOR: Duration = Duration::from_mins(5);
/// Unwrapped keys in memory at once.
const CACHED_KEYS: u64 = 1_000;
/// After this many days a new key seals; the old one still opens.
const SEALS_FOR_DAYS: i64 = 90;

/// Seals and opens column values. Cheap to clone; clones share the cache.
#[derive(Clone)]
pub struct Vault {
    provider: Arc<dyn KeyProvider>,
    clock: Clock,
    keys: Cache<Slot, Arc<Unwrapped>>,
}

/// What a cached key answers to. Owner and purpose are part of it: an id alone must not fetch a foreign key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Slot {
    owner: Owner,
    purpose: Purpose,
    /// `None` for the key that seals.
    id: Option<DataKeyId>,
}

#[derive(Debug)]
struct Unwrapped {
    id: DataKeyId,
    bytes: DataKeyBytes,
    drop_at: DateTime<Utc>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

impl Vault {
    /// A vault over a provider.
    pub fn new(provider: Arc<dyn KeyProvider>, clock: Clock) -> Self {
        // The time to live bounds the memory of keys nobody asks for; `drop_at` is what the vault's own clock enforces.
        let keys = Cache::builder()
            .max_capacity(CACHED_KEYS)
            .time_to_live(CACHED_FOR)
            .support_invalidation_closures()
            .build();
        Self {
            provider,
            clock,
            keys,
        }
    }

    /// Encrypts `plaintext` for one place. Call it outside a transaction.
    ///
    /// # Errors
    /// When the key store or the provider fails.
    pub async fn seal(
        &self,
        store: &impl KeyStore,
        place: &Place,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let key = self.key(store, place, None).await?;
        let associated_data = place.associated_data(key.id);
        Ok(envelope::encode(
            key.id,
            &key.bytes.encrypt(&associated_data, plaintext),
        ))
    }

    /// Decrypts what was sealed for the same place. Call it outside a transaction.
    ///
    /// # Errors
    /// When the key store or the provider fails, the key was destroyed, or the value was changed or moved.
    pub async fn open(
        &self,
        store: &impl KeyStore,
        place: &Place,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (id, encrypted) = envelope::decode(sealed).ok_or(Error::Malformed)?;
        let key = self.key(store, place, Some(id)).await?;
        key.bytes
            .decrypt(&place.associated_data(id), encrypted)
            .ok_or(Error::Refused)
    }

    /// [`Vault::open`] for a secret that is text.
    ///
    /// # Errors
    /// As [`Vault::open`]; also when it is not UTF-8.
    pub async fn open_text(
        &self,
        store: &impl KeyStore,
        place: &Place,
        sealed: &[u8],
    ) -> Result<SecretString, Error> {
        let plaintext = self.open(store, place, sealed).await?;
        let text = std::str::from_utf8(&plaintext).map_err(|_| Error::Malformed)?;
        Ok(SecretString::from(text))
    }

    /// Drops the owner's keys from memory, after they were destroyed in the store. Other processes forget them within
    /// five minutes.
    pub fn forget(&self, owner: Owner) {
        self.keys
            .invalidate_entries_if(move |slot, _| slot.owner == owner)
            .expect("the cache was built with invalidation closures");
    }

    /// The key with that id, or the one that seals now. Concurrent callers wait for one unwrapping.
    async fn key(
        &self,
        store: &impl KeyStore,
        place: &Place,
        id: Option<DataKeyId>,
    ) -> Result<Arc<Unwrapped>, Error> {
        // A store of another owner would file the key under that owner.
        if store.owner() != place.owner {
            return Err(Error::Refused);
        }
        let slot = Slot {
            owner: place.owner,
            purpose: place.purpose,
            id,
        };
        if let Some(key) = self.keys.get(&slot).await {
            if self.clock.now() < key.drop_at {
                return Ok(key);
            }
            self.keys.invalidate(&slot).await;
        }
        let span = tracing::debug_span!("vault.key", organization.id = %place.owner, vault.purpose = place.purpose.as_str());
        // Boxed: the usual case above should not pay for the size of this one.
        Box::pin(
            self.keys
                .try_get_with(slot, self.fetch(store, slot).instrument(span)),
        )
        .await
        .map_err(|shared| Error::clone(&shared))
    }

    async fn fetch(&self, store: &impl KeyStore, slot: Slot) -> Result<Arc<Unwrapped>, Error> {
        let found = match slot.id {
            Some(id) => Some(
                store
                    .find(slot.purpose, id)
                    .await
                    .map_err(Error::Store)?
                    .ok_or(Error::KeyGone(id))?,
            ),
            None => store
                .find_newest(slot.purpose)
                .await
                .map_err(Error::Store)?
                .filter(|key| self.clock.now() - key.created_at < TimeDelta::days(SEALS_FOR_DAYS)),
        };
        let context = KeyContext {
            owner: slot.owner,
            purpose: slot.purpose,
        };
        let (id, bytes) = match found {
            Some(key) => (
                key.id,
                bounded(self.provider.decrypt_data_key(context, &key.wrapped)).await?,
            ),
            None => self.create(store, context).await?,
        };
        Ok(Arc::new(Unwrapped {
            id,
            bytes,
            drop_at: self.clock.now() + CACHED_FOR,
        }))
    }

    /// Two processes may create a key at the same time: both are stored and both open; the newer seals from then on.
    async fn create(
        &self,
        store: &impl KeyStore,
        context: KeyContext,
    ) -> Result<(DataKeyId, DataKeyBytes), Error> {
        let generated = bounded(self.provider.generate_data_key(context)).await?;
        let key = WrappedKey {
            id: DataKeyId::generate_at(self.clock.unix_ms()),
            wrapped: generated.wrapped,
            created_at: self.clock.now(),
        };
        store
            .insert(context.purpose, &key)
            .await
            .map_err(Error::Store)?;
        tracing::info!(
            organization.id = %context.owner,
            vault.purpose = context.purpose.as_str(),
            vault.key_id = %key.id,
            "data key created"
        );
        Ok((key.id, generated.plaintext))
    }
}

async fn bounded<T>(call: impl Future<Output = Result<T, ProviderError>>) -> Result<T, Error> {
    tokio::time::timeout(provider::DEADLINE, call)
        .await
        .unwrap_or(Err(ProviderError::Timeout))
        .map_err(Error::Provider)
}
