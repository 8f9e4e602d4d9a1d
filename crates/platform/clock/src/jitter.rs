//! Randomness of pauses: replicas that fail together must not come back together.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rand::{Rng, SeedableRng, rngs::StdRng};

/// The source of randomness for pauses. Clones share it; a test seeds it.
#[derive(Clone)]
pub struct Jitter(Arc<Mutex<StdRng>>);

impl Jitter {
    /// Seeded by the operating system.
    pub fn from_os() -> Self {
        Self(Arc::new(Mutex::new(StdRng::from_os_rng())))
    }

    /// The same pauses every time.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// Between half of `pause` and the whole of it: for a backoff.
    pub fn shorten(&self, pause: Duration) -> Duration {
        pause.mul_f64(self.within(0.5, 1.0))
    }

    /// `period`, give or take a tenth: for what is repeated.
    pub fn around(&self, period: Duration) -> Duration {
        period.mul_f64(self.within(0.9, 1.1))
    }

    /// Between nothing and `most`: what spreads retries best.
    pub fn up_to(&self, most: Duration) -> Duration {
        most.mul_f64(self.within(0.0, 1.0))
    }

    /// An opaque number, for ids that need not be secret.
    pub fn number(&self) -> u64 {
        self.rng().random()
    }

    fn within(&self, low: f64, high: f64) -> f64 {
        self.rng().random_range(low..high)
    }

    fn rng(&self) -> std::sync::MutexGuard<'_, StdRng> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Jitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jitter")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_stay_within_their_bounds() {
        let jitter = Jitter::seeded(1);
        let second = Duration::from_secs(1);
        let ms = Duration::from_millis;
        for _ in 0..1_000 {
            assert!((ms(500)..=second).contains(&jitter.shorten(second)));
            assert!((ms(900)..=ms(1_100)).contains(&jitter.around(second)));
            assert!(jitter.up_to(second) <= second);
        }
    }
}
