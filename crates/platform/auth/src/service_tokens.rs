//! Tokens with which one of our services calls another.

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use clock::Clock;
use errors::{Classify, Code, codes};
use ids::OrganizationId;
use secrecy::{ExposeSecret, SecretString};
use tonic::{Request, metadata::MetadataValue};

use crate::{
    act_for,
    refreshed::{Fetched, Refreshed, Terms, Unanswered},
};

/// A token is renewed this long before it expires: a call under way must not be refused at its far end.
const RENEW_BEFORE: Duration = Duration::from_mins(1);

const TERMS: Terms = Terms {
    what: "service token",
    deadline: Duration::from_secs(3),
    pause: Duration::from_secs(2),
    // A token has no parts that a caller could miss: it is renewed when it is due.
    calm: Duration::ZERO,
};

/// OAuth 2 client credentials: who hands out tokens for our own client id and secret.
#[async_trait]
pub trait TokenIssuer: Send + Sync {
    /// A new token.
    ///
    /// # Errors
    /// When identity refuses or can't be reached.
    async fn issue(&self) -> Result<IssuedToken, IssueError>;
}

/// A token and its life.
#[derive(Debug)]
pub struct IssuedToken {
    /// The access token.
    pub token: SecretString,
    /// From now.
    pub expires_in: Duration,
}

/// Why there is no token.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IssueError {
    /// Client id or secret are wrong.
    #[error("identity does not accept the client credentials of this service")]
    Refused,
    /// Identity can't be reached or failed.
    #[error("ask identity for a service token")]
    Unavailable(#[source] Arc<dyn StdError + Send + Sync>),
    /// No answer within three seconds.
    #[error("identity did not answer in time")]
    Timeout,
    /// Not a token.
    #[error("identity answered something that is not a token")]
    Malformed,
}

impl Classify for IssueError {
    fn code(&self) -> &'static Code {
        match self {
            // Our own configuration is wrong; the caller can do nothing.
            Self::Refused | Self::Malformed => &codes::INTERNAL,
            Self::Unavailable(_) => &codes::UNAVAILABLE,
            Self::Timeout => &codes::TIMEOUT,
        }
    }
}

impl From<Unanswered> for IssueError {
    fn from(_: Unanswered) -> Self {
        Self::Timeout
    }
}

/// Keeps one token fresh. Cheap to clone; clones share it.
#[derive(Clone)]
pub struct ServiceTokenSource(Arc<Shared>);

struct Shared {
    issuer: Arc<dyn TokenIssuer>,
    token: Refreshed<SecretString, IssueError>,
}

impl fmt::Debug for ServiceTokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceTokenSource").finish_non_exhaustive()
    }
}

impl ServiceTokenSource {
    /// Asks `issuer` when the first call needs a token.
    pub fn new(issuer: Arc<dyn TokenIssuer>, clock: Clock) -> Self {
        Self(Arc::new(Shared {
            issuer,
            token: Refreshed::new(TERMS, clock),
        }))
    }

    /// Puts the token into an outgoing call, and the organization it is made for.
    ///
    /// # Errors
    /// When there is no valid token and identity gives none. A failure to renew one that is still valid is not an error.
    pub async fn authorize<T>(
        &self,
        request: &mut Request<T>,
        organization_id: Option<OrganizationId>,
    ) -> Result<(), IssueError> {
        // Good for a minute at least while identity answers.
        let token = self.0.token.current(self.issue()).await?;
        let mut bearer = MetadataValue::try_from(format!("Bearer {}", token.expose_secret()))
            .map_err(|_| IssueError::Malformed)?;
        bearer.set_sensitive(true);
        request.metadata_mut().insert("authorization", bearer);
        if let Some(organization_id) = organization_id {
            act_for(request, organization_id);
        }
        Ok(())
    }

    /// Drops the token, so that the next call asks for another: a service refused it although its time is not over, as
    /// after the end of the key that signed it.
    pub fn forget(&self) {
        self.0.token.forget();
    }

    async fn issue(&self) -> Result<Fetched<SecretString>, IssueError> {
        let issued = self.0.issuer.issue().await?;
        Ok(Fetched {
            value: issued.token,
            renew_after: issued.expires_in.saturating_sub(RENEW_BEFORE),
            ends_after: Some(issued.expires_in),
        })
    }
}
