//! From a token to the caller it names.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use clock::Clock;
use jsonwebtoken::Algorithm;
use proto::identity::v1::{
    IdentityServiceForward, identity_service_client::IdentityServiceClient,
    identity_service_server::IdentityService,
};

use super::{
    claims::Claims,
    compact::Compact,
    genuine::{Genuine, GenuineTokens},
};
use crate::{Error, Jwks, KeySourceError, Principal, RemoteKeys, RemoteRevocations, Revocations};

/// A caller and how long the proof holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Whom the token names.
    pub principal: Principal,
    /// When the token was made, UTC.
    pub issued_at: DateTime<Utc>,
    /// When it stops, UTC. A stream that outlives it must end.
    pub expires_at: DateTime<Utc>,
}

/// Checks access tokens. Cheap to clone; clones share the keys and what they have seen.
#[derive(Debug, Clone)]
pub struct Verifier {
    keys: Jwks,
    revocations: Revocations,
    genuine: GenuineTokens,
    clock: Clock,
}

impl Verifier {
    /// A verifier with these keys and revocations.
    pub fn new(keys: Jwks, revocations: Revocations, clock: Clock) -> Self {
        Self {
            keys,
            revocations,
            genuine: GenuineTokens::new(),
            clock,
        }
    }

    /// A verifier with the keys of identity, reached over this client.
    pub fn of_identity<C>(identity: IdentityServiceClient<C>, clock: Clock) -> Self
    where
        C: Clone,
        IdentityServiceForward<C>: IdentityService,
    {
        let keys = Arc::new(RemoteKeys::new(identity.clone()));
        let revocations = Arc::new(RemoteRevocations::new(identity));
        Self::new(
            Jwks::new(keys, clock.clone()),
            Revocations::new(revocations, clock.clone()),
            clock,
        )
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
    /// [`Error::Revoked`], [`Error::KeysUnavailable`] when it names an unknown key and identity can't be asked.
    pub async fn verify(&self, token: &str) -> Result<Verified, Error> {
        let genuine = self.genuine(token).await?;
        let verified = Verified {
            principal: genuine.principal.clone(),
            issued_at: genuine.lifetime.issued_at,
            expires_at: genuine.lifetime.expires_at,
        };
        self.refuse_revoked(&verified).await?;
        Ok(verified)
    }

    /// What a token of ours says that has not expired.
    async fn genuine(&self, token: &str) -> Result<Arc<Genuine>, Error> {
        if let Some(genuine) = self.genuine.get(token) {
            self.keys.get(&genuine.kid).await?;
            genuine.lifetime.check(self.clock.now())?;
            return Ok(genuine);
        }
        let compact = Compact::parse(token)?;
        let key = self.keys.get(&compact.kid).await?;
        let message = compact.message.as_bytes();
        let signed =
            jsonwebtoken::crypto::verify(compact.signature, message, &key, Algorithm::EdDSA)
                .map_err(|_| Error::Invalid("a signature that can't be read"))?;
        if !signed {
            return Err(Error::Invalid("a signature of somebody else"));
        }
        let claims: Claims = compact.claims()?;
        let genuine = Arc::new(Genuine {
            lifetime: claims.check(self.clock.now())?,
            principal: claims.into_principal()?,
            kid: compact.kid,
        });
        self.genuine.remember(token, &genuine);
        Ok(genuine)
    }

    /// Whether a token that was verified earlier is still good: for whoever remembers that it was, or serves a call that
    /// lasts.
    ///
    /// # Errors
    /// [`Error::Expired`], [`Error::Revoked`].
    pub async fn recheck(&self, verified: &Verified) -> Result<(), Error> {
        if verified.expires_at <= self.clock.now() {
            return Err(Error::Expired);
        }
        self.refuse_revoked(verified).await
    }

    async fn refuse_revoked(&self, verified: &Verified) -> Result<(), Error> {
        let void = self
            .revocations
            .include(&verified.principal, verified.issued_at);
        if void.await {
            return Err(Error::Revoked);
        }
        Ok(())
    }
}
