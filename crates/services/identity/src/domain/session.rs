//! A login and the uses of its refresh token.

use std::{fmt, time::Duration};

use auth::{Origin, Proof};
use chrono::{DateTime, Utc};
use ids::{SessionId, SsoConnectionId, UserId};

/// A refresh token that is used again within this time has lost its answer; later, it was stolen.
pub(crate) const GRACE: Duration = Duration::from_secs(10);
/// Uses that are remembered at most. Nobody with honest intentions refreshes faster than that within the grace.
const REMEMBERED: usize = 16;

/// A session that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) user_id: UserId,
    /// Of the refresh token that was not used yet.
    pub(crate) generation: u32,
    /// When the generations before it were used, the newest last.
    pub(crate) used_at: Vec<DateTime<Utc>>,
    pub(crate) refreshed_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) login: Login,
}

/// How a session began.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    /// How the person was recognised, in order.
    pub(crate) methods: Vec<Method>,
    /// The last time it was.
    pub(crate) authenticated_at: DateTime<Utc>,
    /// The single sign-on connection it came through.
    pub(crate) connection_id: Option<SsoConnectionId>,
    /// Where it came from, for whoever reviews logins.
    pub(crate) user_agent: String,
    pub(crate) address: String,
}

/// Without the address and the program: they are personal data.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({:?})", self.methods)
    }
}

impl Login {
    pub(crate) fn new(methods: Vec<Method>, now: DateTime<Utc>, origin: &Origin) -> Self {
        let address = origin.address.map(|address| address.to_string());
        Self {
            methods,
            authenticated_at: now,
            connection_id: None,
            user_agent: origin.user_agent.clone(),
            address: address.unwrap_or_default(),
        }
    }

    /// Two factors, or an identity provider that answers for them.
    pub(crate) fn is_strong(&self) -> bool {
        self.methods
            .iter()
            .any(|method| *method != Method::Password)
    }

    /// The person was recognised again.
    pub(crate) fn prove(&mut self, method: Method, now: DateTime<Utc>) {
        if !self.methods.contains(&method) {
            self.methods.push(method);
        }
        self.authenticated_at = now;
    }

    /// What a token says of it.
    pub(crate) fn proof(&self) -> Proof {
        Proof {
            at: self.authenticated_at,
            strong: self.is_strong(),
        }
    }
}

/// A way to recognise a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Password,
    Totp,
    RecoveryCode,
    Oidc,
    Saml,
}

impl Method {
    const ALL: [Self; 5] = [
        Self::Password,
        Self::Totp,
        Self::RecoveryCode,
        Self::Oidc,
        Self::Saml,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Totp => "totp",
            Self::RecoveryCode => "recovery_code",
            Self::Oidc => "oidc",
            Self::Saml => "saml",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }
}

/// Why a session ended, as `SessionEnded` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndReason {
    LoggedOut,
    RefreshReused,
    /// By its person, from another device.
    Revoked,
    PasswordChanged,
    /// A second factor was added or removed.
    FactorsChanged,
    MemberDeactivated,
    MemberRemoved,
    OrganizationSuspended,
    /// The single sign-on connection that it came through.
    ConnectionDeleted,
    /// Whoever the address belongs to came, and whoever set up the account had not proven it.
    AccountClaimed,
}

impl EndReason {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::RefreshReused => "refresh_reused",
            Self::Revoked => "revoked",
            Self::PasswordChanged => "password_changed",
            Self::FactorsChanged => "factors_changed",
            Self::MemberDeactivated => "member_deactivated",
            Self::MemberRemoved => "member_removed",
            Self::OrganizationSuspended => "organization_suspended",
            Self::ConnectionDeleted => "connection_deleted",
            Self::AccountClaimed => "account_claimed",
        }
    }
}

/// What happens to a session when one of its refresh tokens is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refresh {
    /// The token was the good one; its successor has this generation, and the session was changed.
    Rotated(u32),
    /// The token was used a moment ago; its successor has this generation, and nothing was changed.
    Repeated(u32),
    /// The token was used long ago: one of its two users is not its owner, and the session must end.
    Reused,
    /// The session is too old, or was not used for too long.
    Expired,
    /// The token was never handed out, as after the restore of an older backup.
    Unknown,
}

impl Session {
    /// A login at `now`.
    pub(crate) fn begin(
        user_id: UserId,
        now: DateTime<Utc>,
        lasts: Duration,
        login: Login,
    ) -> Self {
        Self {
            id: SessionId::stamped(now),
            user_id,
            generation: 0,
            used_at: Vec::new(),
            refreshed_at: now,
            expires_at: now + lasts,
            login,
        }
    }

    /// Decides about a presented token, and rotates if it is the good one. `idle` is how long a session may rest.
    pub(crate) fn refresh(
        &mut self,
        presented: u32,
        now: DateTime<Utc>,
        idle: Duration,
    ) -> Refresh {
        if now >= self.expires_at || now >= self.refreshed_at + idle {
            return Refresh::Expired;
        }
        if presented > self.generation {
            return Refresh::Unknown;
        }
        let Some(successor) = presented.checked_add(1) else {
            return Refresh::Expired;
        };
        if presented < self.generation {
            return match self.use_of(presented) {
                Some(used_at) if now <= used_at + GRACE => Refresh::Repeated(successor),
                _ => Refresh::Reused,
            };
        }
        self.generation = successor;
        self.used_at.push(now);
        self.used_at.retain(|used_at| now <= *used_at + GRACE);
        let surplus = self.used_at.len().saturating_sub(REMEMBERED);
        self.used_at.drain(..surplus);
        self.refreshed_at = now;
        Refresh::Rotated(successor)
    }

    /// When an earlier generation was used, if that is still remembered.
    fn use_of(&self, generation: u32) -> Option<DateTime<Utc>> {
        let back = usize::try_from(self.generation - generation).ok()?;
        let index = self.used_at.len().checked_sub(back)?;
        self.used_at.get(index).copied()
    }
}

#[cfg(test)]
mod tests;
