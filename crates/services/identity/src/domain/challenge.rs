//! A login whose password was right and that still lacks something. The client carries it; we store nothing.

use chrono::{DateTime, TimeDelta, Utc};
use ids::{OrganizationId, UserId};
use secrecy::SecretString;
use uuid::Uuid;

use super::{
    device::Device,
    mac_key::{MacKey, Usage},
};
use crate::keys::Ring;

/// Long enough to find the phone.
const LASTS: TimeDelta = TimeDelta::minutes(5);
const SECOND_FACTOR: Usage = Usage {
    prefix: "sbc_",
    context: b"switchboard.login-challenge/1",
};
const ENROLMENT: Usage = Usage {
    prefix: "sbc_",
    context: b"switchboard.login-enrolment/1",
};

/// What a login lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lacks {
    /// The second factor.
    SecondFactor,
    /// A second factor to begin with.
    Enrolment,
}

impl Lacks {
    const fn usage(self) -> Usage {
        match self {
            Self::SecondFactor => SECOND_FACTOR,
            Self::Enrolment => ENROLMENT,
        }
    }
}

/// Who gave the password, where, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) organization_id: OrganizationId,
    pub(crate) device: Device,
    /// Whether the device was known before this login.
    pub(crate) device_known: bool,
    /// To the millisecond.
    pub(crate) issued_at: DateTime<Utc>,
}

impl Challenge {
    pub(crate) const fn user_id(&self) -> UserId {
        self.device.user_id
    }

    pub(crate) fn token(&self, lacks: Lacks, key: &MacKey) -> SecretString {
        let mut body = Vec::with_capacity(57);
        body.extend_from_slice(self.organization_id.as_uuid().as_bytes());
        body.extend_from_slice(self.device.user_id.as_uuid().as_bytes());
        body.extend_from_slice(self.device.id.as_bytes());
        body.push(u8::from(self.device_known));
        body.extend_from_slice(&self.issued_at.timestamp_millis().to_be_bytes());
        key.seal(lacks.usage(), &body)
    }

    /// The challenge in a text that we made for this, if it is fresh.
    pub(crate) fn of(ring: &Ring, lacks: Lacks, token: &str, now: DateTime<Utc>) -> Option<Self> {
        let body = ring.open(lacks.usage(), token)?;
        let uuid = |from: usize| Uuid::from_slice(body.get(from..from + 16)?).ok();
        let millis = i64::from_be_bytes(body.get(49..)?.try_into().ok()?);
        let challenge = Self {
            organization_id: OrganizationId::from_uuid(uuid(0)?),
            device: Device {
                user_id: UserId::from_uuid(uuid(16)?),
                id: uuid(32)?,
            },
            device_known: *body.get(48)? == 1,
            issued_at: DateTime::from_timestamp_millis(millis)?,
        };
        (now <= challenge.issued_at + LASTS).then_some(challenge)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::domain::secret::random_bytes;

    #[test]
    fn a_challenge_is_good_for_its_purpose_and_five_minutes() {
        let key = MacKey::new(random_bytes());
        let mut ring = Ring::default();
        ring.add_refresh_key(DateTime::UNIX_EPOCH, key.clone());
        let now = DateTime::from_timestamp_millis(1_760_000_000_123).unwrap();
        let device = Device::new(UserId::generate());
        let challenge = Challenge {
            organization_id: OrganizationId::generate(),
            device,
            device_known: true,
            issued_at: now,
        };
        let text = challenge.token(Lacks::SecondFactor, &key);
        let text = text.expose_secret();
        let open = |lacks, at| Challenge::of(&ring, lacks, text, at);
        assert_eq!(open(Lacks::SecondFactor, now), Some(challenge));
        assert_eq!(open(Lacks::SecondFactor, now + LASTS), Some(challenge));
        let late = now + LASTS + TimeDelta::milliseconds(1);
        assert_eq!(open(Lacks::SecondFactor, late), None);
        assert_eq!(open(Lacks::Enrolment, now), None);
        assert_eq!(ring.refresh_token(text), None);
        let token = device.token(&key);
        assert_eq!(Device::of(&ring, token.expose_secret()), Some(device));
        assert_eq!(Device::of(&ring, text), None);
        assert_eq!(
            Challenge::of(&ring, Lacks::SecondFactor, token.expose_secret(), now),
            None
        );
    }
}
