//! When a failed delivery is tried again.

use std::time::Duration;

use ids::EventId;

/// Three tries at once for what was a matter of luck (a deadlock, a lost connection), then ever longer waits for what
/// needs somebody else (a dependency that is down, an event that has not arrived yet).
const STEPS: [u64; 8] = [0, 0, 0, 10, 30, 2 * 60, 10 * 60, 60 * 60];

/// Times an event is handed to a consumer at most: once by the broker, then once per step.
pub const MAX_ATTEMPTS: i32 = 9;

/// The wait after an event has failed `attempts` times, 20 % more or less; `None` when it is dead.
///
/// The deviation is taken from the event's id, whose last bytes are random: it differs between events, so that those
/// that failed together do not come back together, and needs no generator.
pub fn delay(attempts: i32, event_id: EventId) -> Option<Duration> {
    let step = usize::try_from(attempts).ok()?.checked_sub(1)?;
    let seconds = STEPS.get(step).copied()?;
    let [.., a, b] = event_id.as_uuid().into_bytes();
    // 0 to 65,535, mapped to 80 % to 120 %.
    let random = u64::from(u16::from_be_bytes([a, b]));
    Some(Duration::from_millis(
        seconds * (800 + random * 400 / 65_535),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(last: [u8; 2]) -> EventId {
        let mut bytes = [7; 16];
        bytes[14..].copy_from_slice(&last);
        EventId::from_uuid(uuid::Uuid::from_bytes(bytes))
    }

    #[test]
    fn three_retries_at_once_then_five_ever_longer_waits_then_dead() {
        // The middle of the range is within a hundredth of the step.
        let waits: Vec<Option<f64>> = (1..=MAX_ATTEMPTS)
            .map(|attempts| delay(attempts, event([128, 0])).map(|wait| wait.as_secs_f64()))
            .collect();
        let steps = [0.0, 0.0, 0.0, 10.0, 30.0, 120.0, 600.0, 3_600.0];
        for (wait, step) in waits.iter().zip(steps) {
            assert!(
                wait.is_some_and(|wait| (wait - step).abs() <= step / 100.0),
                "{wait:?}"
            );
        }
        assert_eq!(waits.len(), steps.len() + 1);
        assert_eq!(waits.last(), Some(&None));
        assert_eq!(delay(0, event([0, 0])), None);
    }

    #[test]
    fn the_deviation_is_at_most_a_fifth() {
        assert_eq!(delay(4, event([0, 0])), Some(Duration::from_secs(8)));
        assert_eq!(delay(4, event([255, 255])), Some(Duration::from_secs(12)));
    }
}
