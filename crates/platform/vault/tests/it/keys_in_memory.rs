//! A key store that counts, and a provider that can be made to fail.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use async_trait::async_trait;
use chrono::DateTime;
use clock::{Clock, Hand};
use ids::{DataKeyId, OrganizationId};
use vault::{
    DataKeyBytes, GeneratedKey, KeyContext, KeyProvider, KeyStore, Owner, Place, ProviderError,
    Purpose, StoreError, Vault, WrappedKey, local::LocalKeys,
};

pub(crate) const TOKEN: Purpose = Purpose::new("token");
pub(crate) const SEED: Purpose = Purpose::new("seed");

/// The rows of `data_keys`, for all owners.
#[derive(Clone, Default)]
pub(crate) struct Table(Arc<Mutex<Vec<(Owner, Purpose, WrappedKey)>>>);

impl Table {
    pub(crate) fn of(&self, owner: Owner) -> OwnKeys {
        OwnKeys {
            owner,
            table: self.clone(),
        }
    }

    pub(crate) fn destroy(&self, owner: Owner) {
        self.0
            .lock()
            .unwrap()
            .retain(|(other, _, _)| *other != owner);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

pub(crate) struct OwnKeys {
    owner: Owner,
    table: Table,
}

impl KeyStore for OwnKeys {
    fn owner(&self) -> Owner {
        self.owner
    }

    async fn find_newest(&self, purpose: Purpose) -> Result<Option<WrappedKey>, StoreError> {
        let rows = self.table.0.lock().unwrap();
        Ok(rows
            .iter()
            .filter(|row| row.0 == self.owner && row.1 == purpose)
            .map(|row| row.2.clone())
            .max_by_key(|key| key.created_at))
    }

    async fn find(
        &self,
        purpose: Purpose,
        id: DataKeyId,
    ) -> Result<Option<WrappedKey>, StoreError> {
        let rows = self.table.0.lock().unwrap();
        Ok(rows
            .iter()
            .find(|row| row.0 == self.owner && row.1 == purpose && row.2.id == id)
            .map(|row| row.2.clone()))
    }

    async fn insert(&self, purpose: Purpose, key: &WrappedKey) -> Result<(), StoreError> {
        self.table
            .0
            .lock()
            .unwrap()
            .push((self.owner, purpose, key.clone()));
        Ok(())
    }
}

/// Counts the calls; refuses them when switched off.
pub(crate) struct Provider {
    inner: LocalKeys,
    calls: AtomicUsize,
    down: AtomicBool,
}

impl Provider {
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    fn count(&self) -> Result<(), ProviderError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.down.load(Ordering::SeqCst) {
            return Err(ProviderError::Timeout);
        }
        Ok(())
    }
}

#[async_trait]
impl KeyProvider for Provider {
    async fn generate_data_key(&self, context: KeyContext) -> Result<GeneratedKey, ProviderError> {
        self.count()?;
        self.inner.generate_data_key(context).await
    }

    async fn decrypt_data_key(
        &self,
        context: KeyContext,
        wrapped: &[u8],
    ) -> Result<DataKeyBytes, ProviderError> {
        self.count()?;
        // Gives concurrent callers the chance to arrive.
        tokio::task::yield_now().await;
        self.inner.decrypt_data_key(context, wrapped).await
    }
}

pub(crate) struct World {
    pub(crate) vault: Vault,
    pub(crate) provider: Arc<Provider>,
    pub(crate) table: Table,
    pub(crate) clock: Clock,
    pub(crate) hand: Hand,
}

impl World {
    pub(crate) fn new() -> Self {
        let (clock, hand) = Clock::manual(DateTime::from_timestamp(1_760_000_000, 0).unwrap());
        let provider = Arc::new(Provider {
            inner: LocalKeys::ephemeral(),
            calls: AtomicUsize::new(0),
            down: AtomicBool::new(false),
        });
        Self {
            vault: Vault::new(provider.clone(), clock.clone()),
            provider,
            table: Table::default(),
            clock,
            hand,
        }
    }

    /// A second process: same table and provider, its own memory.
    pub(crate) fn second_vault(&self) -> Vault {
        Vault::new(self.provider.clone(), self.clock.clone())
    }
}

pub(crate) fn organization() -> Owner {
    Owner::Organization(OrganizationId::generate())
}

pub(crate) fn place(owner: Owner) -> Place {
    Place::new(owner, TOKEN, "channels", "access_token", "ch_1")
}
