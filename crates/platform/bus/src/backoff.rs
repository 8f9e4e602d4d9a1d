//! Pauses between attempts.

use std::time::Duration;

use clock::Jitter;

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
