//! How long providers may take.

use std::time::Duration;

/// Of all calls to a provider in one operation, together: a person waits, or an administrator does.
const LONGEST: Duration = Duration::from_secs(4);
/// What the caller's patience must leave after them: how it ended is written down and told.
const RESERVED: Duration = Duration::from_secs(1);

/// The calls took longer than the operation can wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooSlow;

/// Runs the calls to a provider that an operation makes, as long as its caller can wait.
pub(super) fn within<T>(
    calls: impl Future<Output = T>,
) -> impl Future<Output = Result<T, TooSlow>> {
    at_most(budget(chassis::time_left()), calls)
}

fn at_most<T>(
    longest: Duration,
    calls: impl Future<Output = T>,
) -> impl Future<Output = Result<T, TooSlow>> {
    // Large: it holds whole conversations.
    let calls = Box::pin(calls);
    async move {
        let done = tokio::time::timeout(longest, calls).await;
        done.map_err(|_| TooSlow)
    }
}

fn budget(left: Option<Duration>) -> Duration {
    left.map_or(LONGEST, |left| left.saturating_sub(RESERVED).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calls_leave_time_to_say_how_they_ended() {
        for (left, expected) in [
            (None, 4_000),
            (Some(60_000), 4_000),
            (Some(4_900), 3_900),
            (Some(500), 0),
        ] {
            let left = left.map(Duration::from_millis);
            assert_eq!(budget(left), Duration::from_millis(expected), "{left:?}");
        }
    }

    #[tokio::test]
    async fn whoever_never_answers_is_given_up() {
        let none = std::future::pending::<()>();
        assert_eq!(at_most(Duration::from_millis(1), none).await, Err(TooSlow));
        assert_eq!(within(async { 7 }).await, Ok(7));
    }
}
