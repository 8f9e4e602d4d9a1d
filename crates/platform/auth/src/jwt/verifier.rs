//! From a token to the caller it names.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use clock::Clock;
use jsonwebtoken::Algorithm;
use proto::identity::v1::{
    IdentityServiceForward, identity_service_client::IdentityServiceClient,
    identity_service_server::IdentityService,
};

use super::{claims::Claims, compact::Compact};
use crate::{Error, Jwks, KeySourceError, Principal, RemoteKeys};

/// A caller and how long the proof holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Whom the token names.
    pub principal: Principal,
    /// When it stops, UTC. A stream that outlives it must end.
    pub expires_at: DateTime<Utc>,
}

/// Checks access tokens. Cheap to clone; clones share the keys.
#[derive(Debug, Clone)]
pub struct Verifier {
    keys: Jwks,
    clock: Clock,
}

impl Verifier {
    /// A verifier with these keys.
    pub const fn new(keys: Jwks, clock: Clock) -> Self {
        Self { keys, clock }
    }

    /// A verifier with the keys of identity, reached over this client.
    pub fn of_identity<C>(identity: IdentityServiceClient<C>, clock: Clock) -> Self
    where
        IdentityServiceForward<C>: IdentityService,
    {
        let source = Arc::new(RemoteKeys::new(identity));
        Self::new(Jwks::new(source, clock.clone()), clock)
    }

    /// Whether tokens can be verified: the readiness probe `identity.keys` of whoever verifies them.
    ///
    /// # Errors
    /// When there are no keys and identity can't be asked for them.
    pub async fn probe(&self) -> Result<(), KeySourceError> {
        self.keys.warm().await
    }

    /// Whom the token names.
    ///
    /// # Errors
    /// [`Error::Invalid`] for anything that is not a token of ours, [`Error::Expired`],
    /// [`Error::KeysUnavailable`] when it names an unknown key and identity can't be asked.
    pub async fn verify(&self, token: &str) -> Result<Verified, Error> {
        let compact = Compact::parse(token)?;
        let key = self.keys.get(&compact.kid).await?;
        let message = compact.message.as_bytes();
        let genuine =
            jsonwebtoken::crypto::verify(compact.signature, message, &key, Algorithm::EdDSA)
                .map_err(|_| Error::Invalid("a signature that can't be read"))?;
        if !genuine {
            return Err(Error::Invalid("a signature of somebody else"));
        }
        let claims: Claims = compact.claims()?;
        let expires_at = claims.check(self.clock.now())?;
        Ok(Verified {
            principal: claims.into_principal()?,
            expires_at,
        })
    }
}
