//! A mutex that can't be held across an await, because the guard never leaves the closure.

use std::sync::{Mutex, PoisonError};

#[derive(Debug, Default)]
pub(crate) struct Locked<T>(Mutex<T>);

impl<T> Locked<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Runs `action` on the value. Keep it short: every caller waits.
    pub(crate) fn with<R>(&self, action: impl FnOnce(&mut T) -> R) -> R {
        // A panic elsewhere must not turn every later request into a panic too.
        action(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
