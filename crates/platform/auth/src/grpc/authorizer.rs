//! The decision itself, without the transport: the gateway makes it for REST, the layer for gRPC.

use http::HeaderMap;
use proto::access::{Access, Rule};

use crate::{Error, Policy, Principal, RequestContext, Verified, Verifier, metadata};

/// Answers who calls and whether they may. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Authorizer {
    verifier: Verifier,
    policy: std::sync::Arc<Policy>,
}

impl Authorizer {
    /// Decides by these tokens and this policy.
    pub fn new(verifier: Verifier, policy: Policy) -> Self {
        Self {
            verifier,
            policy: std::sync::Arc::new(policy),
        }
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Checks tokens.
    pub const fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Whether `principal` may call the method.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn authorize(&self, access: &Access, principal: &Principal) -> Result<(), Error> {
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
            metadata::idempotency_key(headers)?
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
            request_id: headers
                .get(metadata::REQUEST_ID)
                .and_then(|id| id.to_str().ok())
                .map(str::to_owned),
            idempotency_key,
        })
    }
}
