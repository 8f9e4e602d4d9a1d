//! Identity over gRPC, as every other service sees it.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http_body::Body;
use proto::identity::v1::{
    GetJwksRequest, IssueServiceTokenRequest, Jwk, identity_service_client::IdentityServiceClient,
};
use secrecy::{ExposeSecret, SecretString};
use tonic::{Code, client::GrpcService, codegen::StdError};

use crate::{IssueError, IssuedToken, KeySource, KeySourceError, TokenIssuer};

/// The public keys, from `GetJwks`.
pub struct RemoteKeys<C>(IdentityServiceClient<C>);

/// Tokens of one client, from `IssueServiceToken`.
pub struct RemoteIssuer<C> {
    identity: IdentityServiceClient<C>,
    client_id: String,
    client_secret: SecretString,
}

impl<C> RemoteKeys<C> {
    /// Asks over this client.
    pub const fn new(identity: IdentityServiceClient<C>) -> Self {
        Self(identity)
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
            identity,
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
    C: GrpcService<tonic::body::Body> + Clone + Send + Sync + 'static,
    C::Future: Send,
    C::Error: Into<StdError>,
    C::ResponseBody: Body<Data = Bytes> + Send + 'static,
    <C::ResponseBody as Body>::Error: Into<StdError> + Send,
{
    async fn fetch(&self) -> Result<Vec<Jwk>, KeySourceError> {
        let answer = self.0.clone().get_jwks(GetJwksRequest {}).await;
        answer
            .map(|jwks| jwks.into_inner().keys)
            .map_err(|status| KeySourceError::Fetch(Arc::new(status)))
    }
}

#[async_trait]
impl<C> TokenIssuer for RemoteIssuer<C>
where
    C: GrpcService<tonic::body::Body> + Clone + Send + Sync + 'static,
    C::Future: Send,
    C::Error: Into<StdError>,
    C::ResponseBody: Body<Data = Bytes> + Send + 'static,
    <C::ResponseBody as Body>::Error: Into<StdError> + Send,
{
    async fn issue(&self) -> Result<IssuedToken, IssueError> {
        let request = IssueServiceTokenRequest {
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.expose_secret().to_owned(),
        };
        let answer = self.identity.clone().issue_service_token(request).await;
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
