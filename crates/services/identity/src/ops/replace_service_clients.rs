//! Makes the configured service clients the stored ones.

use std::collections::BTreeMap;

use db::{Db, SystemTx};
use secrecy::{ExposeSecret, SecretString};

use crate::{Error, domain::secret::SecretHash, store::service_clients};

pub(crate) async fn replace_service_clients(
    db: &Db,
    clients: &BTreeMap<String, SecretString>,
) -> Result<(), Error> {
    let names: Vec<String> = clients.keys().cloned().collect();
    let hashes: Vec<Vec<u8>> = clients
        .values()
        .map(|secret| SecretHash::of(secret.expose_secret()).as_bytes().to_vec())
        .collect();
    let mut tx = SystemTx::begin(db, "configure service clients").await?;
    service_clients::replace(&mut tx, &names, &hashes, db.clock().now()).await?;
    tx.commit().await?;
    Ok(())
}
