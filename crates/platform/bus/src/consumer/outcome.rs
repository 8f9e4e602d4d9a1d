//! What a handler is and what it may answer.

use std::{error::Error, fmt};

use db::SystemTx;
use errors::Classify;

use crate::Delivery;

/// Handles the events of one queue.
pub trait BatchHandler: Send + Sync + 'static {
    /// Applies the effects of `batch` inside `tx` and answers one outcome for each event, in the
    /// batch's order. Every event in it is new to this consumer; `tx` has already remembered them
    /// and is committed by the caller. No network call belongs in here.
    ///
    /// An event that is answered with anything but [`ItemOutcome::Done`] must have left no effect
    /// in `tx`. A handler that can't promise this answers an error: then the whole batch is rolled
    /// back and its events come again one by one, each in a transaction of its own.
    ///
    /// # Errors
    /// Whatever stops the batch. `?` makes a retryable [`HandlerError`] of an error.
    fn handle(
        &self,
        tx: &mut SystemTx,
        batch: &[Delivery],
    ) -> impl Future<Output = Result<Vec<ItemOutcome>, HandlerError>> + Send;
}

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemOutcome {
    /// Its effects are in the transaction, or it concerns nothing of ours.
    Done,
    /// It may succeed later, for this reason: it is tried again on the ladder of delays.
    Retry(String),
    /// It will never succeed, for this reason: it becomes a dead letter.
    Dead(String),
}

impl ItemOutcome {
    /// To be tried again because of `error`. The error's text is stored: no contents of messages.
    pub fn retry(error: &dyn Error) -> Self {
        Self::Retry(errors::chain(error))
    }

    /// A dead letter because of `error`. The error's text is stored: no contents of messages.
    pub fn dead(error: &dyn Error) -> Self {
        Self::Dead(errors::chain(error))
    }
}

/// Why a batch could not be handled. An error of ours converts into a retryable one. Its text is logged
/// and stored, so it is one that speaks for itself ([`Classify`]): the driver's repeat values, make
/// them [`db::DbError`] first.
pub struct HandlerError {
    source: Box<dyn Error + Send + Sync>,
    permanent: bool,
}

impl HandlerError {
    /// Trying again can't help. In a batch of several, the others are still tried one by one.
    pub fn permanent(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            source: source.into(),
            permanent: true,
        }
    }

    /// Whether trying again can't help.
    pub const fn is_permanent(&self) -> bool {
        self.permanent
    }

    /// The error and its sources on one line.
    pub fn chain(&self) -> String {
        errors::chain(&*self.source)
    }
}

// It can't be an `Error` itself: then this conversion would overlap with the one of every type into
// itself.
impl<E: Classify + Send + Sync + 'static> From<E> for HandlerError {
    fn from(error: E) -> Self {
        Self {
            source: Box::new(error),
            permanent: false,
        }
    }
}

impl fmt::Debug for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerError")
            .field("permanent", &self.permanent)
            .field("source", &self.chain())
            .finish()
    }
}
