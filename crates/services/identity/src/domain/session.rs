//! A login and the uses of its refresh token.

use std::time::Duration;

use chrono::{DateTime, Utc};
use ids::{SessionId, UserId};

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
}

/// Why a session ended, as `SessionEnded` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndReason {
    LoggedOut,
    RefreshReused,
}

impl EndReason {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::LoggedOut => "logged_out",
            Self::RefreshReused => "refresh_reused",
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
    pub(crate) fn begin(user_id: UserId, now: DateTime<Utc>, lasts: Duration) -> Self {
        Self {
            id: SessionId::stamped(now),
            user_id,
            generation: 0,
            used_at: Vec::new(),
            refreshed_at: now,
            expires_at: now + lasts,
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
