//! Identity over gRPC, as every other service sees it.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use proto::identity::v1::{
    GetJwksRequest, IdentityServiceForward, IssueServiceTokenRequest, Jwk, ListRevocationsRequest,
    identity_service_client::IdentityServiceClient, identity_service_server::IdentityService,
};
use secrecy::{ExposeSecret, SecretString};
use tonic::{Code, Request};
use uuid::Uuid;

use crate::{
    IssueError, IssuedToken, KeySource, KeySourceError, News, Revocation, RevocationSource,
    RevocationsUnknown, Revoked, TokenIssuer,
};

/// The public keys, from `GetJwks`.
pub struct RemoteKeys<C>(IdentityServiceForward<C>);

/// What is revoked, from `ListRevocations`.
pub struct RemoteRevocations<C>(IdentityServiceForward<C>);

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

impl<C> RemoteRevocations<C> {
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

impl<C> fmt::Debug for RemoteRevocations<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RemoteRevocations")
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
impl<C> RevocationSource for RemoteRevocations<C>
where
    IdentityServiceForward<C>: IdentityService,
{
    async fn fetch(&self, since: Option<DateTime<Utc>>) -> Result<News, RevocationsUnknown> {
        let request = ListRevocationsRequest {
            since: since.map(Into::into),
        };
        let answer = self.0.list_revocations(Request::new(request)).await;
        let answer = answer
            .map_err(|status| RevocationsUnknown::Fetch(Arc::new(status)))?
            .into_inner();
        let time = |at: Option<pbjson_types::Timestamp>| -> Option<DateTime<Utc>> {
            DateTime::try_from(at?).ok()
        };
        let revocation = |one: proto::identity::v1::Revocation| {
            Some(Revocation {
                organization_id: one.organization_id.parse().ok()?,
                revoked: Revoked::from_parts(&one.kind, Uuid::from_slice(&one.subject).ok()?)?,
                issued_until: time(one.issued_until)?,
            })
        };
        Ok(News {
            as_of: time(answer.as_of).unwrap_or_default(),
            revocations: answer
                .revocations
                .into_iter()
                .filter_map(revocation)
                .collect(),
        })
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
