//! Access tokens that are void before they expire, as identity tells.
//!
//! A verifier asks identity for what is new when it verifies a token and has not asked for half a second, so a
//! revocation is effective within a second everywhere, and an idle service asks nothing. While identity does not answer,
//! what is known stays in force and tokens live out their five minutes at most.

use std::{collections::HashMap, error::Error as StdError, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use clock::Clock;
use ids::{ApiKeyId, OrganizationId, SessionId, UserId};
use uuid::Uuid;

use crate::{
    LIFETIME, Principal,
    refreshed::{Fetched, Refreshed, Terms, Unanswered},
};

const TERMS: Terms = Terms {
    what: "revoked access",
    deadline: Duration::from_millis(800),
    pause: Duration::from_secs(1),
    calm: Duration::ZERO,
};
/// Half of the second in which a revocation must be effective.
const RENEW_AFTER: Duration = Duration::from_millis(500);
/// A revocation becomes visible when its transaction commits, later than the time written in it.
const OVERLAP: TimeDelta = TimeDelta::seconds(15);

/// What is void.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Revoked {
    /// A login.
    Session(SessionId),
    /// Everything a person holds in an organization: it may be less, or nothing, by now.
    Member(UserId),
    /// A program's key.
    ApiKey(ApiKeyId),
    /// Everything of the organization.
    Organization,
}

/// A subject whose earlier tokens are void.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revocation {
    /// The tenant.
    pub organization_id: OrganizationId,
    /// Of whom or what.
    pub revoked: Revoked,
    /// Tokens issued until then are void.
    pub issued_until: DateTime<Utc>,
}

/// An answer of identity.
#[derive(Debug, Clone, Default)]
pub struct News {
    /// What was recorded since the time asked for.
    pub revocations: Vec<Revocation>,
    /// Identity's time when it looked.
    pub as_of: DateTime<Utc>,
}

/// Where revocations come from: identity over gRPC, or its own table inside identity.
#[async_trait]
pub trait RevocationSource: Send + Sync {
    /// What was recorded at `since` or later; everything that matters when it is `None`.
    ///
    /// # Errors
    /// When identity can't be asked.
    async fn fetch(&self, since: Option<DateTime<Utc>>) -> Result<News, RevocationsUnknown>;
}

/// Why nobody knows what is revoked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RevocationsUnknown {
    /// The question failed.
    #[error("ask identity what is revoked")]
    Fetch(#[source] Arc<dyn StdError + Send + Sync>),
    /// No answer in time.
    #[error("identity did not answer in time")]
    Timeout,
}

impl From<Unanswered> for RevocationsUnknown {
    fn from(_: Unanswered) -> Self {
        Self::Timeout
    }
}

type Key = (OrganizationId, &'static str, Uuid);

#[derive(Debug, Default)]
struct Known {
    void: HashMap<Key, DateTime<Utc>>,
    as_of: Option<DateTime<Utc>>,
}

/// Revocations that are still of use. Cheap to clone; clones share them.
#[derive(Clone)]
pub struct Revocations(Arc<Shared>);

struct Shared {
    source: Arc<dyn RevocationSource>,
    known: Refreshed<Known, RevocationsUnknown>,
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations").finish_non_exhaustive()
    }
}

impl Revocations {
    /// Nothing is fetched until the first token asks.
    pub fn new(source: Arc<dyn RevocationSource>, clock: Clock) -> Self {
        Self(Arc::new(Shared {
            source,
            known: Refreshed::new(TERMS, clock),
        }))
    }

    /// Whether a token of `principal`, issued at that time, is void.
    pub async fn include(&self, principal: &Principal, issued_at: DateTime<Utc>) -> bool {
        // Whoever holds a token proved who it is within its five minutes. Refusing everybody because identity is away
        // would be worse.
        let Ok(known) = self.0.known.current(self.fetch()).await else {
            return false;
        };
        known.names(principal, issued_at)
    }

    async fn fetch(&self) -> Result<Fetched<Known>, RevocationsUnknown> {
        let held = self.0.known.held();
        let since = held.as_ref().and_then(|held| held.as_of);
        let news = self.0.source.fetch(since.map(|at| at - OVERLAP)).await?;
        let mut void = held.map(|held| held.void.clone()).unwrap_or_default();
        for one in news.revocations {
            let until = void.entry(key(&one)).or_insert(one.issued_until);
            *until = one.issued_until.max(*until);
        }
        // Every token issued until then has expired, with a margin for clocks that differ.
        let useful_from = news.as_of - 2 * LIFETIME;
        void.retain(|_, until| *until > useful_from);
        Ok(Fetched {
            value: Known {
                void,
                as_of: Some(news.as_of),
            },
            renew_after: RENEW_AFTER,
            ends_after: None,
        })
    }
}

impl Known {
    fn names(&self, principal: &Principal, issued_at: DateTime<Utc>) -> bool {
        if self.void.is_empty() {
            return false;
        }
        let Some(member) = principal.membership() else {
            return false;
        };
        let of = |revoked| {
            let revocation = Revocation {
                organization_id: member.organization_id,
                revoked,
                issued_until: issued_at,
            };
            self.void
                .get(&key(&revocation))
                .is_some_and(|until| issued_at <= *until)
        };
        of(Revoked::Organization)
            || match principal {
                Principal::User { id, session_id, .. } => {
                    of(Revoked::Session(*session_id)) || of(Revoked::Member(*id))
                }
                Principal::ApiKey { id, .. } => of(Revoked::ApiKey(*id)),
                Principal::Service { .. } => false,
            }
    }
}

impl Revoked {
    /// The name in tables and on the wire.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Session(_) => "session",
            Self::Member(_) => "member",
            Self::ApiKey(_) => "api_key",
            Self::Organization => "organization",
        }
    }

    /// The id; of the organization itself the nil one.
    pub const fn subject(&self) -> Uuid {
        match self {
            Self::Session(id) => id.as_uuid(),
            Self::Member(id) => id.as_uuid(),
            Self::ApiKey(id) => id.as_uuid(),
            Self::Organization => Uuid::nil(),
        }
    }

    /// What the table and the wire call this; `None` for a kind of a newer identity.
    pub fn from_parts(kind: &str, subject: Uuid) -> Option<Self> {
        Some(match kind {
            "session" => Self::Session(SessionId::from_uuid(subject)),
            "member" => Self::Member(UserId::from_uuid(subject)),
            "api_key" => Self::ApiKey(ApiKeyId::from_uuid(subject)),
            "organization" => Self::Organization,
            _ => return None,
        })
    }
}

fn key(revocation: &Revocation) -> Key {
    let revoked = revocation.revoked;
    (
        revocation.organization_id,
        revoked.kind(),
        revoked.subject(),
    )
}

#[cfg(test)]
mod tests;
