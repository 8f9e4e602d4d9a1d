//! An invitation to join an organization, from the first mail to its end.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use ids::{InvitationId, UserId};

use super::assignment::Assignment;

/// How long the link in the mail is good.
pub(crate) const LASTS: TimeDelta = TimeDelta::days(7);
/// Mails of one invitation are this far apart.
const SENT_EVERY: TimeDelta = TimeDelta::minutes(1);

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Invitation {
    pub(crate) id: InvitationId,
    /// As the inviter wrote it.
    pub(crate) email: String,
    pub(crate) assignment: Assignment,
    pub(crate) stored: Stored,
    pub(crate) invited_by: UserId,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) sent_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) accepted_by: Option<UserId>,
}

/// Without the address.
impl std::fmt::Debug for Invitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Invitation({} {:?})", self.id, self.stored)
    }
}

/// What the row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    Pending,
    Accepted,
    Revoked,
}

/// What it is at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Pending,
    Accepted,
    Expired,
    Revoked,
}

/// Why it is not sent once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResendRefused {
    /// Accepted or revoked.
    Closed,
    /// That was a moment ago; how long to wait.
    TooSoon(Duration),
}

impl Invitation {
    pub(crate) fn new(
        email: &str,
        assignment: Assignment,
        invited_by: UserId,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id: InvitationId::stamped(now),
            email: email.trim().to_owned(),
            assignment,
            stored: Stored::Pending,
            invited_by,
            created_at: now,
            sent_at: now,
            expires_at: now + LASTS,
            accepted_by: None,
        }
    }

    pub(crate) fn state(&self, now: DateTime<Utc>) -> State {
        match self.stored {
            Stored::Accepted => State::Accepted,
            Stored::Revoked => State::Revoked,
            Stored::Pending if now < self.expires_at => State::Pending,
            Stored::Pending => State::Expired,
        }
    }

    /// Sends it once more, with the same link and a new end.
    pub(crate) fn resend(&mut self, now: DateTime<Utc>) -> Result<(), ResendRefused> {
        if self.stored != Stored::Pending {
            return Err(ResendRefused::Closed);
        }
        if let Ok(left) = (self.sent_at + SENT_EVERY - now).to_std()
            && !left.is_zero()
        {
            return Err(ResendRefused::TooSoon(left));
        }
        self.sent_at = now;
        self.expires_at = now + LASTS;
        Ok(())
    }
}

impl State {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl Stored {
    const ALL: [Self; 3] = [Self::Pending, Self::Accepted, Self::Revoked];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Revoked => "revoked",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// An address that its owner recognises and others don't learn: `a…@example.com`.
pub(crate) fn masked(email: &str) -> String {
    let (local, domain) = email.rsplit_once('@').unwrap_or((email, ""));
    let first: String = local.chars().take(1).collect();
    format!("{first}…@{domain}")
}

#[cfg(test)]
mod tests {
    use auth::Role;

    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    fn invitation() -> Invitation {
        let assignment = Assignment::new(Role::Agent, None).unwrap();
        Invitation::new(" ada@example.com ", assignment, UserId::generate(), at(0))
    }

    #[test]
    fn it_expires_after_seven_days_to_the_moment() {
        let invitation = invitation();
        assert_eq!(invitation.state(at(7 * 24 * 60 - 1)), State::Pending);
        assert_eq!(invitation.state(at(7 * 24 * 60)), State::Expired);
    }

    #[test]
    fn what_was_closed_stays_closed_however_late_it_is() {
        let mut invitation = invitation();
        for (stored, state) in [
            (Stored::Accepted, State::Accepted),
            (Stored::Revoked, State::Revoked),
        ] {
            invitation.stored = stored;
            assert_eq!(invitation.state(at(0)), state);
            assert_eq!(invitation.state(at(1_000_000)), state);
            let resent = invitation.resend(at(1_000));
            assert_eq!(resent, Err(ResendRefused::Closed));
        }
    }

    #[test]
    fn it_is_sent_once_a_minute_and_each_time_for_seven_days() {
        let mut invitation = invitation();
        let soon = invitation.resend(at(0) + TimeDelta::seconds(20));
        let left = Duration::from_secs(40);
        assert_eq!(soon, Err(ResendRefused::TooSoon(left)));
        invitation.resend(at(1)).unwrap();
        assert_eq!(invitation.expires_at, at(1) + LASTS);
        // An expired one is pending again.
        let late = at(30 * 24 * 60);
        assert_eq!(invitation.state(late), State::Expired);
        invitation.resend(late).unwrap();
        assert_eq!(invitation.state(late), State::Pending);
    }

    #[test]
    fn a_masked_address_keeps_the_first_letter_and_the_domain() {
        assert_eq!(masked("ada@example.com"), "a…@example.com");
        assert_eq!(masked("äda@example.com"), "ä…@example.com");
        assert_eq!(masked("\"a@b\"@example.com"), "\"…@example.com");
        assert_eq!(masked(""), "…@");
    }

    #[test]
    fn states_survive_their_text() {
        for stored in Stored::ALL {
            assert_eq!(Stored::parse(stored.as_str()), Some(stored));
        }
        assert_eq!(Stored::parse("expired"), None);
    }
}
