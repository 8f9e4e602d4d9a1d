//! Who is calling: `Authorization: Bearer` with an access token or an API key.
//!
//! An access token is verified here, with the signing keys of identity. An API key is exchanged
//! for an access token by identity, and that token is what the services see. The result is
//! remembered under a hash of the key for at most 60 seconds, so a revoked key stops working at
//! the gateway within that time.

mod api_keys;
mod bearer;
mod tokens;

use std::{borrow::Cow, net::IpAddr, sync::Arc, time::Duration};

use auth::{IssueError, KeySourceError, Principal, Verified};
use chrono::{DateTime, Utc};
use errors::{Classify, Code, codes};
use http::{HeaderMap, HeaderValue, header};
use ids::SessionId;
use sb_http::{ProblemResponse, refusal};
use sha2::{Digest, Sha256};
use tonic::Status;

use self::bearer::Bearer;
pub(crate) use self::{api_keys::ApiKeys, tokens::Tokens};
use crate::browser::CrossSite;

/// A caller with a valid credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    authorization: HeaderValue,
    expires_at: DateTime<Utc>,
    /// What was verified here; an exchanged key's token is identity's own word.
    verified: Option<Verified>,
}

impl Caller {
    /// A caller whose calls carry `token`, until `expires_at`; `None` if no header can hold it.
    fn new(token: &str, expires_at: DateTime<Utc>, verified: Option<Verified>) -> Option<Self> {
        let mut authorization = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
        authorization.set_sensitive(true);
        Some(Self {
            authorization,
            expires_at,
            verified,
        })
    }

    /// What the services get: always an access token.
    pub(crate) fn authorization(&self) -> HeaderValue {
        self.authorization.clone()
    }

    /// When the access token ends.
    pub(crate) fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    /// The login of a person.
    pub(crate) fn session_id(&self) -> Option<SessionId> {
        match &self.verified.as_ref()?.principal {
            Principal::User { session_id, .. } => Some(*session_id),
            Principal::ApiKey { .. } | Principal::Service { .. } => None,
        }
    }

    fn token(&self) -> Option<&str> {
        self.authorization.to_str().ok()?.strip_prefix("Bearer ")
    }
}

/// Why a credential was not accepted.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Refused {
    #[error("no credential")]
    Missing,
    #[error("the Authorization header is not one bearer credential")]
    Malformed,
    #[error("the access token has expired")]
    Expired,
    #[error("the credential is not valid")]
    Invalid,
    #[error("the session has ended")]
    Revoked,
    #[error("the browser's session has ended")]
    SessionOver,
    #[error("the request has a cookie and another credential")]
    Ambiguous,
    #[error("the browser's page may not do this")]
    CrossSite(#[from] CrossSite),
    #[error("identity did not renew the session")]
    Renewal(#[source] Status),
    #[error("the keys that verify tokens are not known")]
    KeysUnavailable(#[source] KeySourceError),
    #[error("the gateway has no token to exchange the API key with")]
    NoServiceToken(#[source] IssueError),
    #[error("identity did not exchange the API key")]
    Exchange(#[source] Status),
}

impl Classify for Refused {
    fn code(&self) -> &'static Code {
        match self {
            Self::Missing | Self::Malformed | Self::Invalid => &codes::AUTH_UNAUTHENTICATED,
            Self::Expired => &codes::AUTH_TOKEN_EXPIRED,
            Self::Revoked | Self::SessionOver => &codes::AUTH_REVOKED,
            Self::Ambiguous => &codes::REQUEST_MALFORMED,
            Self::CrossSite(refused) => refused.code(),
            Self::KeysUnavailable(_)
            | Self::NoServiceToken(_)
            | Self::Exchange(_)
            | Self::Renewal(_) => &codes::UNAVAILABLE,
        }
    }

    fn detail(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Malformed => "Send one header of the form `Authorization: Bearer <credential>`.",
            Self::Invalid => "The access token or API key is not valid.",
            Self::SessionOver => "The session has ended. Please log in.",
            Self::CrossSite(refused) => return refused.detail(),
            _ => self.code().title,
        })
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::KeysUnavailable(_)
            | Self::NoServiceToken(_)
            | Self::Exchange(_)
            | Self::Renewal(_) => Some(Duration::from_secs(1)),
            Self::Missing
            | Self::Malformed
            | Self::Expired
            | Self::Invalid
            | Self::Revoked
            | Self::SessionOver
            | Self::Ambiguous
            | Self::CrossSite(_) => None,
        }
    }
}

impl Refused {
    /// RFC 6750: no error code where nothing was presented.
    fn challenge(&self) -> Option<HeaderValue> {
        match self {
            Self::Expired | Self::Invalid | Self::Revoked => Some(HeaderValue::from_static(
                r#"Bearer realm="switchboard", error="invalid_token""#,
            )),
            _ => None,
        }
    }
}

impl From<Refused> for ProblemResponse {
    fn from(refused: Refused) -> Self {
        if let Refused::Ambiguous = refused {
            let message = "Send it or the session's cookie, not both.";
            return refusal::header_invalid("Authorization", message);
        }
        let problem = Self::of(&refused);
        match refused.challenge() {
            Some(challenge) => problem.with_header(header::WWW_AUTHENTICATE, challenge),
            None => problem,
        }
    }
}

/// Checks credentials.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub(crate) tokens: Tokens,
    pub(crate) api_keys: ApiKeys,
}

impl Credentials {
    /// The caller behind the request's `Authorization`, who asks from `address`.
    ///
    /// # Errors
    ///
    /// [`Refused`]
    pub(crate) async fn check(
        &self,
        headers: &HeaderMap,
        address: Option<IpAddr>,
    ) -> Result<Arc<Caller>, Refused> {
        match bearer::read(headers)? {
            Bearer::Token(token) => self.tokens.check(token).await,
            Bearer::ApiKey(key) => self.api_keys.check(key, address).await,
        }
    }

    /// The same caller in a form that [`recheck`](Self::recheck) can tell about: the token of an exchanged key is verified
    /// here, too.
    ///
    /// # Errors
    ///
    /// [`Refused`]
    pub(crate) async fn watchable(&self, caller: Arc<Caller>) -> Result<Arc<Caller>, Refused> {
        match (&caller.verified, caller.token()) {
            (None, Some(token)) => self.tokens.check(token).await,
            _ => Ok(caller),
        }
    }

    /// Whether the caller's credential is still good, for an answer that lasts.
    ///
    /// # Errors
    ///
    /// [`Refused::Expired`], [`Refused::Revoked`]
    pub(crate) async fn recheck(&self, caller: &Caller) -> Result<(), Refused> {
        match &caller.verified {
            Some(verified) => self.tokens.recheck(verified).await,
            None => Ok(()),
        }
    }
}

/// The name a credential is remembered under: a memory dump of the cache's keys opens nothing.
pub(crate) type Fingerprint = [u8; 32];

pub(crate) fn fingerprint(credential: &str) -> Fingerprint {
    Sha256::digest(credential.as_bytes()).into()
}
