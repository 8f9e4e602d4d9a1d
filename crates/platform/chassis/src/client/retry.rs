use std::time::Duration;

use clock::Jitter;
use tonic::Code;

/// Tries of one call, the first included.
const TRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// The pause before another try after `tries` of them; `None` if the call has failed for good.
/// Only UNAVAILABLE says that the callee did not take the call, or that taking it again is safe.
pub(super) fn pause(tries: u32, code: Code, jitter: &Jitter, left: Duration) -> Option<Duration> {
    if code != Code::Unavailable || tries >= TRIES {
        return None;
    }
    let most = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(tries - 1));
    let pause = jitter.up_to(most.min(LONGEST_PAUSE));
    // A try that has no time to answer only adds load.
    (pause < left / 2).then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unavailable_is_tried_again_and_not_forever() {
        let jitter = Jitter::seeded(7);
        let left = Duration::from_secs(5);
        for code in [
            Code::Internal,
            Code::DeadlineExceeded,
            Code::Ok,
            Code::Aborted,
        ] {
            assert_eq!(pause(1, code, &jitter, left), None);
        }
        assert!(pause(1, Code::Unavailable, &jitter, left).is_some_and(|p| p <= FIRST_PAUSE));
        assert!(pause(2, Code::Unavailable, &jitter, left).is_some());
        assert_eq!(pause(3, Code::Unavailable, &jitter, left), None);
        assert_eq!(pause(1, Code::Unavailable, &jitter, Duration::ZERO), None);
    }
}
