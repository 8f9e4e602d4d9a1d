//! Addresses that get no mail.

use chrono::{DateTime, Utc};
use db::{DbError, SystemTx};

use crate::{
    Error,
    domain::{
        email::EmailKey,
        suppression::{Reason, Reports},
    },
    ops::Tools,
    store::suppressions,
};

/// Why the address gets no mail, if it gets none.
pub(crate) async fn stopped(
    tools: &Tools,
    address: &str,
    now: DateTime<Utc>,
) -> Result<Option<Reason>, Error> {
    let address = tools.addresses.hash(&EmailKey::new(address));
    let mut tx = SystemTx::begin(&tools.db, "whether an address gets mail").await?;
    let known = suppressions::find(&mut tx, &address).await?;
    tx.commit().await?;
    Ok(known.stops(now))
}

/// Takes note that somebody used a link which was mailed to the address: mail arrives there, whatever came back before.
pub(crate) async fn proved(
    tools: &Tools,
    tx: &mut SystemTx,
    address: &EmailKey,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let reports = Reports {
        proved: Some(now),
        ..Reports::default()
    };
    suppressions::add(tx, &tools.addresses.hash(address), &reports).await
}
