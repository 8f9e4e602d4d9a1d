//! What an operation knows about the call it serves.

use std::{fmt, net::IpAddr};

use chrono::{DateTime, Utc};
use errors::to_status;
use ids::{OrganizationId, TenantScope};
use tonic::{Request, Status};

use crate::{Error, Principal};

/// Made once for each call by [`GrpcLayer`](crate::GrpcLayer). The deadline of the call is kept by the chassis.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// Who calls; `None` for a public method.
    pub principal: Option<Principal>,
    /// When the caller's token expires; `None` for a public method.
    pub expires_at: Option<DateTime<Utc>>,
    /// The tenant: of the token, or the one that a service named.
    pub organization_id: Option<OrganizationId>,
    /// Set when the caller gave one and the method honours it.
    pub idempotency_key: Option<String>,
    /// Where the call comes from, as the gateway saw it.
    pub origin: Origin,
}

/// A caller's network address and program, for brakes and for people who review logins. Personal data.
#[derive(Clone, Default)]
pub struct Origin {
    /// `None` for a call from inside.
    pub address: Option<IpAddr>,
    /// The `User-Agent`, cut to 256 characters; may be empty.
    pub user_agent: String,
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Origin")
    }
}

impl RequestContext {
    /// Who calls.
    ///
    /// # Errors
    /// [`Error::Missing`] in a public method.
    pub fn principal(&self) -> Result<&Principal, Error> {
        self.principal.as_ref().ok_or(Error::Missing)
    }

    /// The tenant's rows that the caller may touch; `None` for a public method and for a service that named no tenant.
    pub fn scope(&self) -> Option<TenantScope> {
        Some(TenantScope {
            organization_id: self.organization_id?,
            actor: self.principal.as_ref()?.actor(),
        })
    }

    /// [`RequestContext::scope`], for methods that work on a tenant's rows.
    ///
    /// # Errors
    /// [`Error::Missing`] in a public method, [`Error::OrganizationMissing`] for a service that named no tenant.
    pub fn require_scope(&self) -> Result<TenantScope, Error> {
        self.principal()?;
        self.scope().ok_or(Error::OrganizationMissing)
    }
}

/// The context of a call.
///
/// # Errors
/// `INTERNAL` when the server has no [`GrpcLayer`](crate::GrpcLayer).
pub fn context<T>(request: &Request<T>) -> Result<&RequestContext, Status> {
    #[derive(Debug, thiserror::Error)]
    #[error("the server has no auth::GrpcLayer")]
    struct LayerMissing;
    impl errors::Classify for LayerMissing {
        fn code(&self) -> &'static errors::Code {
            &errors::codes::INTERNAL
        }
    }
    request
        .extensions()
        .get::<RequestContext>()
        .ok_or_else(|| to_status(&LayerMissing))
}
