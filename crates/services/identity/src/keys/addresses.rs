//! The key under which e-mail addresses are hashed: made on the first start, sealed in the database, never replaced.

use db::{DataKeys, Db, SystemTx};
use vault::{Owner, Place, Purpose, Vault};
use zeroize::Zeroizing;

use crate::{
    Error,
    domain::{
        email::EmailKey,
        mac_key::{MacKey, Usage},
        secret,
    },
    store::suppressions,
};

const PURPOSE: Purpose = Purpose::new("addresses");
/// Its row; there is one.
const ID: &str = "address";
const USAGE: Usage = Usage {
    prefix: "",
    context: b"switchboard.address/1",
};

/// Hashes addresses. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct AddressKey(MacKey);

/// An address that only whoever has it, and the key, can find again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AddressHash([u8; 32]);

impl AddressHash {
    pub(crate) const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl AddressKey {
    /// Loads the key; makes it on the first start.
    pub(crate) async fn open(db: &Db, vault: &Vault) -> Result<Self, Error> {
        let (store, place) = (
            DataKeys::of_platform(db),
            Place::new(Owner::Platform, PURPOSE, "address_keys", "secret", ID),
        );
        let sealed = if let Some(sealed) = find(db).await? {
            sealed
        } else {
            let secret = secret::random_bytes();
            let sealed = vault.seal(&store, &place, secret.as_slice()).await?;
            insert(db, &sealed).await?
        };
        let secret = vault.open(&store, &place, &sealed).await?;
        let mut bytes = Zeroizing::new([0; 32]);
        if secret.len() != bytes.len() {
            return Err(db::DbError::inconsistent("address_keys", "secret", ID).into());
        }
        bytes.copy_from_slice(&secret);
        Ok(Self(MacKey::new(bytes)))
    }

    pub(crate) fn hash(&self, email: &EmailKey) -> AddressHash {
        AddressHash(self.0.hash(USAGE, email.as_str().as_bytes()))
    }

    #[cfg(test)]
    pub(crate) fn random() -> Self {
        Self(MacKey::new(secret::random_bytes()))
    }
}

async fn find(db: &Db) -> Result<Option<Vec<u8>>, Error> {
    let mut tx = SystemTx::begin(db, "load the key of addresses").await?;
    let sealed = suppressions::find_key(&mut tx, ID).await?;
    tx.commit().await?;
    Ok(sealed)
}

/// Adds this key unless there is one meanwhile; answers the one that counts.
async fn insert(db: &Db, sealed: &[u8]) -> Result<Vec<u8>, Error> {
    let now = db.clock().now();
    let mut tx = SystemTx::begin(db, "make the key of addresses").await?;
    suppressions::insert_key(&mut tx, ID, sealed, now).await?;
    let counts = suppressions::find_key(&mut tx, ID).await?;
    tx.commit().await?;
    counts.ok_or(Error::NoKey("addresses"))
}
