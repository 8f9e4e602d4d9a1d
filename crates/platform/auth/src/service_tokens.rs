//! Tokens with which one of our services calls another.

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use clock::Clock;
use errors::{Classify, Code, codes};
use ids::OrganizationId;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tonic::{Request, metadata::MetadataValue};

use crate::act_for;

/// A token is renewed this long before it expires: a call under way must not be refused at its far end.
const RENEW_BEFORE: TimeDelta = TimeDelta::seconds(60);
/// Longest wait for identity.
const DEADLINE: Duration = Duration::from_secs(3);

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

/// Keeps one token fresh. Cheap to clone; clones share it.
///
/// A channel of the chassis takes it as its token source, and adds the token to every call that has none:
///
/// ```ignore
/// let tokens = auth::ServiceTokenSource::new(issuer, clock);
/// let tokens = chassis::TokenSource::new(move || {
///     let tokens = tokens.clone();
///     async move { tokens.token().await.map_err(|error| errors::to_status(&error)) }
/// });
/// ```
#[derive(Clone)]
pub struct ServiceTokenSource(Arc<Shared>);

struct Shared {
    issuer: Arc<dyn TokenIssuer>,
    clock: Clock,
    current: ArcSwapOption<Current>,
    /// Held while identity is asked, so that many callers ask once.
    asking: Mutex<()>,
}

struct Current {
    token: SecretString,
    expires_at: DateTime<Utc>,
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
            clock,
            current: ArcSwapOption::empty(),
            asking: Mutex::new(()),
        }))
    }

    /// A token for an outgoing call, good for a minute at least while identity answers.
    ///
    /// # Errors
    /// When there is no valid token and identity gives none. A failure to renew one that is still valid is not an error.
    pub async fn token(&self) -> Result<SecretString, IssueError> {
        if let Some(current) = self.current(RENEW_BEFORE) {
            return Ok(current.token.clone());
        }
        let valid = self.current(TimeDelta::zero());
        let _asking = match (self.0.asking.try_lock(), &valid) {
            (Ok(guard), _) => guard,
            // Somebody else renews; the token in hand is good until then.
            (Err(_), Some(current)) => return Ok(current.token.clone()),
            (Err(_), None) => self.0.asking.lock().await,
        };
        if let Some(current) = self.current(RENEW_BEFORE) {
            return Ok(current.token.clone());
        }
        match (self.renew().await, valid) {
            (Ok(current), _) => Ok(current.token.clone()),
            (Err(error), Some(current)) => {
                tracing::warn!(
                    error.chain = errors::chain(&error),
                    "the service token could not be renewed; the present one stays in use"
                );
                Ok(current.token.clone())
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Puts the token into an outgoing call, and the organization it is made for: for channels without a token source.
    ///
    /// # Errors
    /// As [`ServiceTokenSource::token`].
    pub async fn authorize<T>(
        &self,
        request: &mut Request<T>,
        organization_id: Option<OrganizationId>,
    ) -> Result<(), IssueError> {
        let token = self.token().await?;
        let mut bearer = MetadataValue::try_from(format!("Bearer {}", token.expose_secret()))
            .map_err(|_| IssueError::Malformed)?;
        bearer.set_sensitive(true);
        request.metadata_mut().insert("authorization", bearer);
        if let Some(organization_id) = organization_id {
            act_for(request, organization_id);
        }
        Ok(())
    }

    /// The token, if it is good for `left` more.
    fn current(&self, left: TimeDelta) -> Option<Arc<Current>> {
        self.0
            .current
            .load_full()
            .filter(|current| self.0.clock.now() + left < current.expires_at)
    }

    async fn renew(&self) -> Result<Arc<Current>, IssueError> {
        // Counted from before the question, so the token is never thought to live longer than it does.
        let asked_at = self.0.clock.now();
        let issued = tokio::time::timeout(DEADLINE, self.0.issuer.issue())
            .await
            .map_err(|_| IssueError::Timeout)??;
        let current = Arc::new(Current {
            token: issued.token,
            expires_at: asked_at + issued.expires_in,
        });
        self.0.current.store(Some(Arc::clone(&current)));
        Ok(current)
    }
}
