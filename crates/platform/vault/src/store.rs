//! What the vault needs of a database. `db::data_keys` implements it over the table `data_keys`.

use std::{error::Error, future::Future, sync::Arc};

use chrono::{DateTime, Utc};
use errors::{Classify, Code};
use ids::DataKeyId;

use crate::{Owner, Purpose};

/// A data key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// Its id, which sealed values carry.
    pub id: DataKeyId,
    /// Encrypted by the provider.
    pub wrapped: Vec<u8>,
    /// When it was made, UTC. After 90 days the next one is made.
    pub created_at: DateTime<Utc>,
}

/// The wrapped keys of one owner. An implementation makes its own short transactions, because the vault calls the
/// provider between them.
pub trait KeyStore: Send + Sync {
    /// Whose keys these are; it can't see others'.
    fn owner(&self) -> Owner;

    /// The newest key of the purpose that was not destroyed.
    fn find_newest(
        &self,
        purpose: Purpose,
    ) -> impl Future<Output = Result<Option<WrappedKey>, StoreError>> + Send;

    /// The key with this id, if it has this purpose and was not destroyed.
    fn find(
        &self,
        purpose: Purpose,
        id: DataKeyId,
    ) -> impl Future<Output = Result<Option<WrappedKey>, StoreError>> + Send;

    /// Stores a new key durably: nothing is sealed with a key that could be lost.
    fn insert(
        &self,
        purpose: Purpose,
        key: &WrappedKey,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// The database failed; the source says how, the code what a caller can do.
#[derive(Debug, Clone, thiserror::Error)]
#[error("use the table of data keys")]
pub struct StoreError {
    code: &'static Code,
    source: Arc<dyn Error + Send + Sync>,
}

impl StoreError {
    /// Wraps the database's own error.
    pub fn new<E: Classify + Send + Sync + 'static>(source: E) -> Self {
        Self {
            code: source.code(),
            source: Arc::new(source),
        }
    }
}

impl Classify for StoreError {
    fn code(&self) -> &'static Code {
        self.code
    }
}
