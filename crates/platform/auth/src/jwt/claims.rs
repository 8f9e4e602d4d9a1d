//! What a token says, and its meaning as a [`Principal`].

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use ids::{OrganizationId, SessionId, TeamId};
use serde::{Deserialize, Serialize};

use super::{AUDIENCE, ISSUER, LIFETIME};
use crate::{Conversations, Error, Membership, Principal, Proof, Role, Scopes, View};

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
    /// Which conversations; absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conv: Option<Conversations>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    mask: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    teams: Vec<TeamId>,
    /// OpenID Connect: when a person last proved who it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    /// Two factors were shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    mfa: bool,
    /// As `iat`, in milliseconds: revocations are as fine as that.
    ims: i64,
    /// Seconds since the epoch.
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// When a token was made and when it ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lifetime {
    pub(super) issued_at: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
}

impl Lifetime {
    /// Whether it has not ended.
    pub(super) fn check(&self, now: DateTime<Utc>) -> Result<(), Error> {
        if self.expires_at + SKEW <= now {
            return Err(Error::Expired);
        }
        Ok(())
    }
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
        let (kind, sid, proof) = match principal {
            Principal::User {
                session_id, proof, ..
            } => (Kind::User, Some(*session_id), Some(proof)),
            Principal::ApiKey { .. } => (Kind::ApiKey, None, None),
            Principal::Service { .. } => (Kind::Service, None, None),
        };
        let member = principal.membership();
        let view = member.map(|member| member.view.clone()).unwrap_or_default();
        let ims = now.timestamp_millis();
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
            conv: (view.conversations != Conversations::All).then_some(view.conversations),
            mask: view.hides_contact_details,
            teams: view.teams,
            auth_time: proof.map(|proof| proof.at.timestamp()),
            mfa: proof.is_some_and(|proof| proof.strong),
            ims,
            iat: now,
            nbf: now,
            exp: now.saturating_add_unsigned(lifetime),
        }
    }

    /// Checks issuer, audience and times.
    pub(super) fn check(&self, now: DateTime<Utc>) -> Result<Lifetime, Error> {
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
        if self.ims.div_euclid(1_000) != self.iat {
            return Err(Error::Invalid("two times of issue"));
        }
        let issued_ms = DateTime::from_timestamp_millis(self.ims);
        if issued_at > now + SKEW || not_before > now + SKEW {
            return Err(Error::Invalid("from the future"));
        }
        // Whoever gets hold of the signing key for a moment must not make a token for years.
        if expires_at - issued_at > TimeDelta::from_std(LIFETIME).unwrap_or(TimeDelta::zero()) {
            return Err(Error::Invalid("lives too long"));
        }
        let lifetime = Lifetime {
            issued_at: issued_ms.unwrap_or(issued_at),
            expires_at,
        };
        lifetime.check(now)?;
        Ok(lifetime)
    }

    /// Whom the claims name.
    pub(super) fn into_principal(self) -> Result<Principal, Error> {
        const SHAPE: Error = Error::Invalid("claims that do not fit its kind");
        let view = View {
            conversations: self.conv.unwrap_or_default(),
            hides_contact_details: self.mask,
            teams: self.teams,
        };
        let proof = self
            .auth_time
            .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
            .map(|at| Proof {
                at,
                strong: self.mfa,
            });
        let member = match (self.org, self.role) {
            (Some(organization_id), Some(role)) => Some(Membership {
                organization_id,
                role,
                scopes: self.scopes.map_or(Scopes::All, |scopes| {
                    Scopes::Only(scopes.into_iter().collect())
                }),
                view,
            }),
            (None, None) if self.scopes.is_none() && view == View::default() => None,
            _ => return Err(SHAPE),
        };
        // A made-up role is nothing but its permissions.
        if member
            .as_ref()
            .is_some_and(|member| member.role == Role::Custom && member.scopes == Scopes::All)
        {
            return Err(SHAPE);
        }
        match (self.kind, member, self.sid.zip(proof)) {
            (Kind::User, Some(member), Some((session_id, proof))) => Ok(Principal::User {
                id: self.sub.parse().map_err(|_| SHAPE)?,
                session_id,
                member,
                proof,
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
