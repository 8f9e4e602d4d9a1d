//! Repeating calls that may be repeated.

use std::time::Duration;

use http::StatusCode;
use rand::{Rng, rngs::StdRng};

/// A bounded, jittered retry for a call that is idempotent by the other side's contract. There is
/// no default on a call: whoever asks for it states that a repetition is harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in total, the first included.
    pub attempts: u32,
    /// Upper end of the first pause; it doubles with each attempt.
    pub base: Duration,
    /// Upper end of any pause. A `Retry-After` beyond it ends the retries.
    pub cap: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 3,
            base: Duration::from_millis(200),
            cap: Duration::from_secs(5),
        }
    }
}

impl Retry {
    /// Whether the answer says "not now" rather than "no".
    pub(crate) fn wants_another(status: StatusCode) -> bool {
        matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        )
    }

    /// The pause after attempt number `attempt` (from 1), or `None` if that was the last one or the
    /// other side asks for more patience than the cap.
    pub(crate) fn pause(
        &self,
        attempt: u32,
        asked: Option<Duration>,
        rng: &mut StdRng,
    ) -> Option<Duration> {
        if attempt >= self.attempts {
            return None;
        }
        if let Some(asked) = asked {
            return (asked <= self.cap).then_some(asked);
        }
        let doublings = attempt.saturating_sub(1).min(16);
        let ceiling = self.base.saturating_mul(1 << doublings).min(self.cap);
        // Full jitter: clients that failed together do not come back together.
        Some(ceiling.mul_f64(rng.random_range(0.0..=1.0)))
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn pauses_stay_under_a_doubling_ceiling_and_end() {
        let retry = Retry {
            attempts: 5,
            base: Duration::from_millis(100),
            cap: Duration::from_millis(300),
        };
        let mut rng = StdRng::seed_from_u64(7);
        for (attempt, ceiling) in [(1, 100), (2, 200), (3, 300), (4, 300)] {
            let pause = retry.pause(attempt, None, &mut rng);
            assert!(pause.is_some_and(|pause| pause <= Duration::from_millis(ceiling)));
        }
        assert_eq!(retry.pause(5, None, &mut rng), None);
    }

    #[test]
    fn the_other_sides_wish_is_followed_up_to_the_cap() {
        let retry = Retry::default();
        let mut rng = StdRng::seed_from_u64(7);
        let two = Duration::from_secs(2);
        assert_eq!(retry.pause(1, Some(two), &mut rng), Some(two));
        let hour = Duration::from_hours(1);
        assert_eq!(retry.pause(1, Some(hour), &mut rng), None);
    }
}
