//! What a token says, and its meaning as a [`Principal`].

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use ids::{OrganizationId, SessionId};
use serde::{Deserialize, Serialize};

use super::{AUDIENCE, ISSUER, LIFETIME};
use crate::{Error, Membership, Principal, Role, Scopes};

/// How far two machines' clocks may differ.
const SKEW: TimeDelta = TimeDelta::seconds(5);

/// The claims as JSON. serde refuses a wrong type, a fraction where an integer belongs, a missing claim and a claim
/// that appears twice; an unknown claim is skipped, so that a newer identity may add one.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    iss: String,
    /// RFC 7519 allows a list; ours is one string, so that a token is for one audience.
    aud: String,
    sub: String,
    kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    org: Option<OrganizationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<SessionId>,
    /// Seconds since the epoch.
    iat: i64,
    nbf: i64,
    exp: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    User,
    ApiKey,
    Service,
}

impl Claims {
    /// The claims of a token for `principal`, valid from `now`. Times are cut to whole seconds, downwards.
    pub(super) fn new(principal: &Principal, now: DateTime<Utc>, lifetime: Duration) -> Self {
        let (kind, sid) = match principal {
            Principal::User { session_id, .. } => (Kind::User, Some(*session_id)),
            Principal::ApiKey { .. } => (Kind::ApiKey, None),
            Principal::Service { .. } => (Kind::Service, None),
        };
        let member = principal.membership();
        let scopes = member.and_then(|member| match &member.scopes {
            Scopes::All => None,
            Scopes::Only(scopes) => Some(scopes.iter().cloned().collect()),
        });
        let now = now.timestamp();
        let lifetime = lifetime.min(LIFETIME).as_secs();
        Self {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: principal.id(),
            kind,
            org: member.map(|member| member.organization_id),
            role: member.map(|member| member.role),
            scopes,
            sid,
            iat: now,
            nbf: now,
            exp: now.saturating_add_unsigned(lifetime),
        }
    }

    /// Checks issuer, audience and times; the moment the token expires.
    pub(super) fn check(&self, now: DateTime<Utc>) -> Result<DateTime<Utc>, Error> {
        if self.iss != ISSUER {
            return Err(Error::Invalid("another issuer"));
        }
        if self.aud != AUDIENCE {
            return Err(Error::Invalid("another audience"));
        }
        let time = |seconds| {
            DateTime::from_timestamp(seconds, 0).ok_or(Error::Invalid("an impossible time"))
        };
        let (issued_at, not_before, expires_at) =
            (time(self.iat)?, time(self.nbf)?, time(self.exp)?);
        if issued_at > now + SKEW || not_before > now + SKEW {
            return Err(Error::Invalid("from the future"));
        }
        // Whoever gets hold of the signing key for a moment must not make a token for years.
        if expires_at - issued_at > TimeDelta::from_std(LIFETIME).unwrap_or(TimeDelta::zero()) {
            return Err(Error::Invalid("lives too long"));
        }
        if expires_at + SKEW <= now {
            return Err(Error::Expired);
        }
        Ok(expires_at)
    }

    /// Whom the claims name.
    pub(super) fn into_principal(self) -> Result<Principal, Error> {
        const SHAPE: Error = Error::Invalid("claims that do not fit its kind");
        let member = match (self.org, self.role) {
            (Some(organization_id), Some(role)) => Some(Membership {
                organization_id,
                role,
                scopes: self.scopes.map_or(Scopes::All, |scopes| {
                    Scopes::Only(scopes.into_iter().collect())
                }),
            }),
            (None, None) if self.scopes.is_none() => None,
            _ => return Err(SHAPE),
        };
        match (self.kind, member, self.sid) {
            (Kind::User, Some(member), Some(session_id)) => Ok(Principal::User {
                id: self.sub.parse().map_err(|_| SHAPE)?,
                session_id,
                member,
            }),
            (Kind::ApiKey, Some(member), None) => Ok(Principal::ApiKey {
                id: self.sub.parse().map_err(|_| SHAPE)?,
                member,
            }),
            (Kind::Service, None, None) if !self.sub.is_empty() => {
                Ok(Principal::Service { name: self.sub })
            }
            _ => Err(SHAPE),
        }
    }
}
