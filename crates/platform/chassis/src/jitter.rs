//! Small random differences, so that replicas do not all wake up at once.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rand::{Rng, SeedableRng, rngs::StdRng};

/// A source of jitter. Seeded once per process; a test seeds it with a constant.
#[derive(Clone, Debug)]
pub(crate) struct Jitter(Arc<Mutex<StdRng>>);

impl Jitter {
    pub(crate) fn from_os() -> Self {
        Self(Arc::new(Mutex::new(StdRng::from_os_rng())))
    }

    #[cfg(test)]
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// `period`, give or take a tenth.
    pub(crate) fn around(&self, period: Duration) -> Duration {
        period.mul_f64(self.within(0.9, 1.1))
    }

    /// Between nothing and `most`: what spreads retries best.
    pub(crate) fn up_to(&self, most: Duration) -> Duration {
        most.mul_f64(self.within(0.0, 1.0))
    }

    /// An opaque number, for ids that need not be secret.
    pub(crate) fn number(&self) -> u64 {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .random()
    }

    fn within(&self, low: f64, high: f64) -> f64 {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .random_range(low..high)
    }
}
