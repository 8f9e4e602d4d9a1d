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

    /// Between half of `pause` and the whole of it.
    pub fn shorten(&self, pause: Duration) -> Duration {
        let factor = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .random_range(0.5..1.0);
        pause.mul_f64(factor)
    }
}

impl fmt::Debug for Jitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jitter")
    }
}

/// Pauses that double from `min` to `max`, each shortened at random.
#[derive(Debug)]
pub(crate) struct Backoff {
    min: Duration,
    max: Duration,
    next: Duration,
    jitter: Jitter,
}

impl Backoff {
    pub(crate) fn new(min: Duration, max: Duration, jitter: Jitter) -> Self {
        Self {
            min,
            max,
            next: min,
            jitter,
        }
    }

    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.jitter.shorten(self.next);
        self.next = self.next.saturating_mul(2).min(self.max);
        pause
    }

    pub(crate) fn reset(&mut self) {
        self.next = self.min;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_maximum_and_start_over_after_a_success() {
        let ms = Duration::from_millis;
        let mut backoff = Backoff::new(ms(100), ms(400), Jitter::seeded(1));
        for expected in [100, 200, 400, 400] {
            let pause = backoff.pause();
            assert!(
                pause >= ms(expected) / 2 && pause <= ms(expected),
                "{pause:?}"
            );
        }
        backoff.reset();
        assert!(backoff.pause() <= ms(100));
    }
}
