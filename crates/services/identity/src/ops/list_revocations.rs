//! What verifiers of tokens must know besides the keys.

use async_trait::async_trait;
use auth::{LIFETIME, News, RevocationSource, RevocationsUnknown};
use chrono::{DateTime, Utc};
use db::{Db, SystemTx};
use std::sync::Arc;

use crate::{Error, store::revocations};

/// Revocations recorded at `since` or later; with `None` all that can matter.
pub(crate) async fn list_revocations(db: &Db, since: Option<DateTime<Utc>>) -> Result<News, Error> {
    let as_of = db.clock().now();
    // Older ones are of tokens that have expired, on any clock.
    let useful = as_of - 2 * LIFETIME;
    let since = since.map_or(useful, |since| since.max(useful));
    let mut tx = SystemTx::begin(db, "list revocations").await?;
    let revocations = revocations::list_since(&mut tx, since).await?;
    tx.commit().await?;
    Ok(News { revocations, as_of })
}

/// Our own verifier reads the table.
pub(crate) struct OwnRevocations(pub(crate) Db);

#[async_trait]
impl RevocationSource for OwnRevocations {
    async fn fetch(&self, since: Option<DateTime<Utc>>) -> Result<News, RevocationsUnknown> {
        list_revocations(&self.0, since)
            .await
            .map_err(|error| RevocationsUnknown::Fetch(Arc::new(error)))
    }
}
