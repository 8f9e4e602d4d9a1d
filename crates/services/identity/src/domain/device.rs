//! A device from which a person has logged in. It proves nothing else, so it lets nobody in; it only spares its person
//! from the waits that other people's wrong guesses cause.

use ids::UserId;
use secrecy::SecretString;
use uuid::Uuid;

use super::{
    mac_key::{MacKey, Usage},
    secret::random_bytes,
};
use crate::keys::Ring;

const DEVICE: Usage = Usage {
    prefix: "sbv_",
    context: b"switchboard.device/1",
};

/// A person's device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Device {
    pub(crate) user_id: UserId,
    pub(crate) id: Uuid,
}

impl Device {
    /// One that was not seen before.
    pub(crate) fn new(user_id: UserId) -> Self {
        let mut id = [0; 16];
        id.copy_from_slice(&random_bytes()[..16]);
        Self {
            user_id,
            id: Uuid::from_bytes(id),
        }
    }

    /// The text the device keeps.
    pub(crate) fn token(&self, key: &MacKey) -> SecretString {
        let mut body = self.user_id.as_uuid().as_bytes().to_vec();
        body.extend_from_slice(self.id.as_bytes());
        key.seal(DEVICE, &body)
    }

    /// The device of a text that we made.
    pub(crate) fn of(ring: &Ring, token: &str) -> Option<Self> {
        let body = ring.open(DEVICE, token)?;
        let (user, id) = body.split_at_checked(16)?;
        Some(Self {
            user_id: UserId::from_uuid(Uuid::from_slice(user).ok()?),
            id: Uuid::from_slice(id).ok()?,
        })
    }
}
