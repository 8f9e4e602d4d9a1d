//! What keeps a mistake from emptying a store: another database than the store's, or one that lost its rows.

use db::SystemTx;
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Meter},
};

use super::Seen;
use crate::{error::Error, outbound::Engine, store::doomed_files};

/// So few files may always go: of a small store they may be a large part.
const FEW: usize = 50;

/// How much of a store may be nobody's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Brake {
    /// Of all files, in percent.
    pub(crate) most_percent: u8,
}

/// Why nothing is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The store is another installation's, or nobody's and full of files that this database does not know.
    Store {
        /// Whose it says it is.
        owner: Option<String>,
    },
    /// More files would go than can be right.
    Share {
        /// Those that nobody names.
        doomed: usize,
        /// All that were seen.
        seen: usize,
    },
}

/// Whose the store says it is.
#[derive(Debug)]
pub(super) enum Owner {
    Us,
    Other(String),
    Nobody,
}

impl Owner {
    pub(super) async fn find(engine: &Engine) -> Result<Self, Error> {
        let us = us(engine).await?;
        Ok(match engine.files.store.owner().await? {
            Some(owner) if owner == us => Self::Us,
            Some(owner) => Self::Other(owner),
            None => Self::Nobody,
        })
    }
}

/// The name of this installation, which came into the world with its database.
async fn us(engine: &Engine) -> Result<String, Error> {
    let mut tx = SystemTx::begin(&engine.db, "whose files they are").await?;
    let id = doomed_files::find_installation(tx.conn()).await?;
    tx.commit().await?;
    Ok(id.to_string())
}

/// Makes a store ours that is empty, or that has a file which a row of ours names: nobody else's could. Of one with
/// nothing but young files nothing is known yet.
pub(super) async fn claim(engine: &Engine, seen: &Seen) -> Result<Option<Refused>, Error> {
    if seen.files > 0 && seen.old == 0 {
        return Ok(None);
    }
    if seen.old > 0 && seen.named == 0 {
        return Ok(Some(Refused::Store { owner: None }));
    }
    let us = us(engine).await?;
    let owner = engine.files.store.own(&us).await?;
    // Somebody may have been faster.
    let ours = owner.as_ref() == Some(&us);
    Ok((!ours).then_some(Refused::Store { owner }))
}

/// Nothing at all goes when too much would.
pub(super) async fn too_many(engine: &Engine, seen: &Seen) -> Result<Option<Refused>, Error> {
    let mut tx = SystemTx::begin(&engine.db, "files that nobody names").await?;
    let doomed = doomed_files::count(tx.conn()).await?;
    tx.commit().await?;
    let doomed = usize::try_from(doomed).unwrap_or(usize::MAX);
    let most = seen.files / 100 * usize::from(engine.files.brake.most_percent)
        + seen.files % 100 * usize::from(engine.files.brake.most_percent) / 100;
    let refused = Refused::Share {
        doomed,
        seen: seen.files,
    };
    Ok((doomed > most.max(FEW)).then_some(refused))
}

/// Tells an operator that nothing is deleted.
#[derive(Debug, Clone)]
pub(crate) struct Refusals(Counter<u64>);

impl Refusals {
    pub(crate) fn new(meter: &Meter) -> Self {
        Self(
            meter
                .u64_counter("files.sweep.refused")
                .with_description(
                    "Passes that deleted no file because something must be wrong, by reason; alert on any",
                )
                .build(),
        )
    }

    pub(super) fn tell(&self, refused: &Refused) {
        let reason = match refused {
            Refused::Store { owner } => {
                tracing::error!(
                    job = "sweep-files",
                    store.owner = owner.as_deref().unwrap_or("nobody"),
                    "no file is deleted: the store of files does not belong to this database"
                );
                "store"
            }
            Refused::Share { doomed, seen } => {
                tracing::error!(
                    job = "sweep-files",
                    files.doomed = doomed,
                    files.seen = seen,
                    "no file is deleted: too large a part of the store is nobody's"
                );
                "share"
            }
        };
        self.0.add(1, &[KeyValue::new("reason", reason)]);
    }
}
