//! Waiting for what other tasks and servers do.

use std::{panic::Location, time::Duration};

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(10);

/// What an attempt answers: not yet, or a result. `bool` and `Option` are attempts.
pub trait Attempt {
    /// The result.
    type Output;
    /// The result, if it is there.
    fn output(self) -> Option<Self::Output>;
}

impl<T> Attempt for Option<T> {
    type Output = T;
    fn output(self) -> Option<T> {
        self
    }
}

impl Attempt for bool {
    type Output = ();
    fn output(self) -> Option<()> {
        self.then_some(())
    }
}

/// Repeats `attempt` until it answers, for at most `deadline` of real time.
///
/// # Panics
/// At the deadline, naming the caller.
#[track_caller]
pub fn eventually<A: Attempt>(
    deadline: Duration,
    mut attempt: impl AsyncFnMut() -> A,
) -> impl Future<Output = A::Output> {
    let caller = Location::caller();
    async move {
        let attempts = async {
            loop {
                if let Some(output) = attempt().await.output() {
                    return output;
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        tokio::time::timeout(deadline, attempts)
            .await
            .unwrap_or_else(|_| panic!("not within {deadline:?}: {caller}"))
    }
}
