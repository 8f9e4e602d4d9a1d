//! The mark we send along with every message and get back with its statuses.
//!
//! There is no idempotency key in the API: when the answer to a send is lost, only a status that
//! carries our mark tells that the message went out. The mark is visible to every app subscribed to
//! the account, so it has no personal data, and a MAC, so that another app can't make us believe in
//! a message that was never accepted.

use std::fmt;

use ids::MessageId;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::mac::hmac_sha256;

const VERSION: &str = "v1";

/// Makes and checks marks. The key is derived from a secret of ours, apart from its other uses.
#[derive(Clone)]
pub struct CallbackKey([u8; 32]);

/// Which attempt at which message a mark belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallbackMark {
    /// The message.
    pub message_id: MessageId,
    /// The attempt, from 1.
    pub attempt: u32,
}

impl fmt::Debug for CallbackKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallbackKey")
    }
}

impl CallbackKey {
    /// Derives the key.
    pub fn new(secret: &SecretString) -> Self {
        let secret = secret.expose_secret().as_bytes();
        Self(hmac_sha256(secret, b"whatsapp callback mark"))
    }

    /// The mark, `v1.<message id>.<attempt>.<16 hex digits>`: goes into
    /// `biz_opaque_callback_data`.
    pub fn seal(&self, mark: CallbackMark) -> String {
        let text = format!("{VERSION}.{}.{}", mark.message_id, mark.attempt);
        let tag = self.tag(&text);
        format!("{text}.{}", hex::encode(tag))
    }

    /// Reads a mark out of a status; `None` if it is not ours.
    pub fn open(&self, data: &str) -> Option<CallbackMark> {
        let (text, tag) = data.rsplit_once('.')?;
        let mut given = [0; 8];
        hex::decode_to_slice(tag, &mut given).ok()?;
        if !bool::from(self.tag(text).ct_eq(&given)) {
            return None;
        }
        let mut parts = text.split('.');
        let (version, message_id, attempt) = (parts.next()?, parts.next()?, parts.next()?);
        if version != VERSION || parts.next().is_some() {
            return None;
        }
        Some(CallbackMark {
            message_id: message_id.parse().ok()?,
            attempt: attempt.parse().ok()?,
        })
    }

    fn tag(&self, text: &str) -> [u8; 8] {
        let mut tag = [0; 8];
        let full = hmac_sha256(&self.0, text.as_bytes());
        tag.copy_from_slice(full.split_at(8).0);
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark() -> CallbackMark {
        CallbackMark {
            message_id: MessageId::generate_at(1_700_000_000_000),
            attempt: 2,
        }
    }

    #[test]
    fn a_mark_comes_back_as_it_went_out() {
        let key = CallbackKey::new(&"secret".into());
        let text = key.seal(mark());
        assert!(text.starts_with("v1.msg_"), "{text}");
        assert!(text.len() < 512);
        let again = key.open(&text).expect("ours");
        assert_eq!(key.seal(again), text);
        assert_eq!(again.attempt, 2);
    }

    #[test]
    fn a_foreign_or_changed_mark_is_nobodys() {
        let key = CallbackKey::new(&"secret".into());
        let text = key.seal(mark());
        assert_eq!(CallbackKey::new(&"other".into()).open(&text), None);
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'1' { b'2' } else { b'1' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_eq!(key.open(&changed), None, "{changed}");
        }
        for other in [
            "",
            ".",
            "v1.x",
            "order-17",
            &text[..text.len() - 2],
            &text[..text.len() - 16],
        ] {
            assert_eq!(key.open(other), None, "{other}");
        }
    }
}
