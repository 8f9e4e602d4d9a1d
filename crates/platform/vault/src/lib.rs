//! Secrets at rest: envelope encryption of column values.
//!
//! Each organization has, for each [`Purpose`], data keys of its own. A data key is stored only wrapped (encrypted) by
//! the [`KeyProvider`], whose master key never touches the database; the value is sealed with the data key by
//! AES-256-GCM. The sealed value is bound to its [`Place`]: moved to another row, column, organization or purpose, it
//! does not open. Deleting an organization's wrapped keys makes its secrets unreadable for ever, in copies of the
//! database too.
//!
//! ```text
//! master key (provider) ──wraps──▶ data key (table data_keys) ──seals──▶ value (any bytea column)
//! ```
//!
//! [`Vault::seal`] and [`Vault::open`] may call the provider over the network, so they take a [`KeyStore`] that makes
//! its own short transactions, and are called outside the operation's transaction.

mod config;
mod data_key;
mod envelope;
mod error;
pub mod local;
mod place;
mod provider;
mod sealing;
mod store;

pub use config::{Provider, VaultConfig};
pub use data_key::DataKeyBytes;
pub use error::Error;
pub use place::{Owner, Place, Purpose};
pub use provider::{GeneratedKey, KeyContext, KeyProvider, ProviderError};
pub use sealing::Vault;
pub use store::{KeyStore, StoreError, WrappedKey};
