use std::{fmt, future::Future, sync::Arc};

use futures::{FutureExt, future::BoxFuture};
use secrecy::SecretString;
use tonic::Status;

/// Where a channel gets the token that says which service is calling. The source caches and
/// renews; the channel asks it before every call that carries no token of its own.
#[derive(Clone)]
pub struct TokenSource(
    Arc<dyn Fn() -> BoxFuture<'static, Result<SecretString, Status>> + Send + Sync>,
);

impl TokenSource {
    /// A source that asks `token`, which must answer quickly in the usual case.
    pub fn new<F, Fut>(token: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<SecretString, Status>> + Send + 'static,
    {
        Self(Arc::new(move || token().boxed()))
    }

    pub(super) async fn token(&self) -> Result<SecretString, Status> {
        (self.0)().await
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSource")
    }
}
