//! The decision itself, without the transport.

use std::sync::Arc;

use chrono::TimeDelta;
use clock::Clock;
use http::HeaderMap;
use proto::{
    access::{Access, Rule},
    identity::v1::{
        IdentityServiceForward, identity_service_client::IdentityServiceClient,
        identity_service_server::IdentityService,
    },
};

use crate::{
    Error, KeySourceError, Policy, PolicyError, Principal, RequestContext, Verified, Verifier,
    metadata,
};

/// Answers who calls and whether they may. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Authorizer {
    verifier: Verifier,
    policy: Arc<Policy>,
    clock: Clock,
}

/// How fresh the proof of a sensitive change must be.
const STEP_UP: TimeDelta = TimeDelta::minutes(10);

impl Authorizer {
    /// Decides by these tokens and this policy.
    pub fn new(verifier: Verifier, policy: Policy, clock: Clock) -> Self {
        Self {
            verifier,
            policy: Arc::new(policy),
            clock,
        }
    }

    /// Decides by the tokens of identity, reached over this client, and the built-in policy.
    ///
    /// # Errors
    /// When the policy can't be read.
    pub async fn of_identity<C>(
        identity: IdentityServiceClient<C>,
        clock: Clock,
    ) -> Result<Self, PolicyError>
    where
        C: Clone,
        IdentityServiceForward<C>: IdentityService,
    {
        let verifier = Verifier::of_identity(identity, clock.clone());
        Ok(Self::new(verifier, Policy::load().await?, clock))
    }

    /// Whether callers can be told apart: the readiness probe `identity.keys` of a service with a gRPC server.
    ///
    /// # Errors
    /// When there are no keys and identity can't be asked for them.
    pub async fn probe(&self) -> Result<(), KeySourceError> {
        self.verifier.probe().await
    }

    /// Whether `principal` may call the method.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    fn authorize(&self, access: &Access, principal: &Principal) -> Result<(), Error> {
        match access.rule {
            Rule::Public | Rule::Authenticated => Ok(()),
            Rule::Permission(permission) if self.policy.allows(principal, permission) => Ok(()),
            Rule::Permission(permission) => Err(Error::Forbidden(permission)),
            Rule::Service if matches!(principal, Principal::Service { .. }) => Ok(()),
            Rule::Service => Err(Error::Forbidden("a service")),
            Rule::Missing => Err(Error::Forbidden("an access rule")),
        }
    }

    /// Everything the method needs to know about its caller, from the metadata of the call.
    ///
    /// A public method ignores credentials: whoever logs in because a token expired may still send it.
    ///
    /// # Errors
    /// When the caller is unknown or not allowed, or metadata is malformed.
    pub async fn admit(
        &self,
        access: &Access,
        headers: &HeaderMap,
    ) -> Result<RequestContext, Error> {
        let verified = if access.rule == Rule::Public {
            None
        } else {
            let token = metadata::bearer(headers).ok_or(Error::Missing)?;
            let verified = self.verifier.verify(token).await?;
            self.authorize(access, &verified.principal)?;
            if access.step_up {
                self.refuse_old_proof(&verified.principal)?;
            }
            Some(verified)
        };
        let organization_id = match &verified {
            None => None,
            Some(Verified { principal, .. }) => match principal.membership() {
                Some(member) => Some(member.organization_id),
                None => metadata::organization_id(headers)?,
            },
        };
        let idempotency_key = if access.idempotency_key {
            metadata::idempotency_key(headers)?.map(str::to_owned)
        } else {
            None
        };
        let (principal, expires_at) = verified
            .map(|verified| (verified.principal, verified.expires_at))
            .unzip();
        Ok(RequestContext {
            principal,
            expires_at,
            organization_id,
            idempotency_key,
            origin: metadata::origin(headers),
        })
    }

    /// A person must have proved who it is a moment ago; programs prove it with each call.
    fn refuse_old_proof(&self, principal: &Principal) -> Result<(), Error> {
        match principal {
            Principal::User { proof, .. } if proof.at + STEP_UP < self.clock.now() => {
                Err(Error::StepUp)
            }
            _ => Ok(()),
        }
    }
}
