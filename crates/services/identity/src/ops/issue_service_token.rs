//! OAuth 2 client credentials.

use auth::{LIFETIME, Principal};
use db::SystemTx;
use secrecy::{ExposeSecret, SecretString};

use super::{AccessToken, Tools, issue_tokens};
use crate::{Error, domain::secret::SecretHash, store::service_clients};

#[tracing::instrument(skip_all)]
pub(crate) async fn issue_service_token(
    tools: &Tools,
    name: &str,
    secret: &SecretString,
) -> Result<AccessToken, Error> {
    let mut tx = SystemTx::begin(&tools.db, "issue a service token").await?;
    let stored = service_clients::find_secret_hash(&mut tx, name).await?;
    tx.commit().await?;
    // An unknown client's secret is compared too, with a hash that fits nothing.
    if !SecretHash::of(secret.expose_secret()).matches(stored.as_deref().unwrap_or(&[0; 32])) {
        return Err(Error::Client);
    }
    let principal = Principal::Service {
        name: name.to_owned(),
    };
    let now = tools.db.clock().now();
    issue_tokens::access(tools, &principal, now, LIFETIME).await
}
