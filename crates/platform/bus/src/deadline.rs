//! No request to the broker without a bound: a half-dead connection answers never.

use std::time::Duration;

use crate::BusError;

/// The answer to `request`, or an error that names it.
pub(crate) async fn within<T>(
    timeout: Duration,
    request: &'static str,
    answer: impl Future<Output = lapin::Result<T>>,
) -> Result<T, BusError> {
    match tokio::time::timeout(timeout, answer).await {
        Ok(answer) => answer.map_err(BusError::failed(request)),
        Err(_elapsed) => Err(BusError::Timeout(request)),
    }
}
