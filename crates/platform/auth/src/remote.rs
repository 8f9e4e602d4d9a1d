//! Identity over gRPC, as every other service sees it.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use proto::identity::v1::{
    GetJwksRequest, IdentityServiceForward, IssueServiceTokenRequest, Jwk,
    identity_service_client::IdentityServiceClient, identity_service_server::IdentityService,
};
use secrecy::{ExposeSecret, SecretString};
use tonic::{Code, Request};

use crate::{IssueError, IssuedToken, KeySource, KeySourceError, TokenIssuer};

/// The public keys, from `GetJwks`.
pub struct RemoteKeys<C>(IdentityServiceForward<C>);

/// Tokens of one client, from `IssueServiceToken`.
pub struct RemoteIssuer<C> {
    identity: IdentityServiceForward<C>,
    client_id: String,
    client_secret: SecretString,
}

impl<C> RemoteKeys<C> {
    /// Asks over this client.
    pub const fn new(identity: IdentityServiceClient<C>) -> Self {
        Self(IdentityServiceForward(identity))
    }
}

impl<C> RemoteIssuer<C> {
    /// Asks over this client, as `client_id`.
    pub const fn new(
        identity: IdentityServiceClient<C>,
        client_id: String,
        client_secret: SecretString,
    ) -> Self {
        Self {
            identity: IdentityServiceForward(identity),
            client_id,
            client_secret,
        }
    }
}

impl<C> fmt::Debug for RemoteKeys<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RemoteKeys")
    }
}

impl<C> fmt::Debug for RemoteIssuer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteIssuer")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl<C> KeySource for RemoteKeys<C>
where
    IdentityServiceForward<C>: IdentityService,
{
    async fn fetch(&self) -> Result<Vec<Jwk>, KeySourceError> {
        let answer = self.0.get_jwks(Request::new(GetJwksRequest {})).await;
        answer
            .map(|jwks| jwks.into_inner().keys)
            .map_err(|status| KeySourceError::Fetch(Arc::new(status)))
    }
}

#[async_trait]
impl<C> TokenIssuer for RemoteIssuer<C>
where
    IdentityServiceForward<C>: IdentityService,
{
    async fn issue(&self) -> Result<IssuedToken, IssueError> {
        let request = IssueServiceTokenRequest {
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.expose_secret().to_owned(),
        };
        let answer = self
            .identity
            .issue_service_token(Request::new(request))
            .await;
        let token = answer
            .map_err(|status| match status.code() {
                Code::Unauthenticated => IssueError::Refused,
                _ => IssueError::Unavailable(Arc::new(status)),
            })?
            .into_inner();
        Ok(IssuedToken {
            token: SecretString::from(token.access_token),
            expires_in: Duration::from_secs(token.expires_in.into()),
        })
    }
}
