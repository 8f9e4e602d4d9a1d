//! A login that went to a provider.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use ids::{SsoConnectionId, SsoFlowId};
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::ReturnPath;
use crate::domain::secret::{SecretHash, random_bytes};

/// From the start to the way back.
pub(crate) const LASTS: TimeDelta = TimeDelta::minutes(10);

/// What is known of a login until the browser is back.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    pub(crate) id: SsoFlowId,
    pub(crate) connection_id: SsoConnectionId,
    /// What the answer is checked against, sealed.
    pub(crate) pending: Vec<u8>,
    /// Of the secret in the browser that began it.
    pub(crate) browser_hash: Vec<u8>,
    pub(crate) return_to: ReturnPath,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) used_at: Option<DateTime<Utc>>,
}

/// Why a login can't be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlowFault {
    OtherBrowser,
    Used,
    Expired,
}

impl Flow {
    /// Whether the holder of this secret may end the login now.
    pub(crate) fn check(&self, browser_secret: &str, now: DateTime<Utc>) -> Result<(), FlowFault> {
        // First of all: nobody else learns how the login stands.
        let hash = SecretHash::of(browser_secret);
        if !bool::from(hash.as_bytes().ct_eq(self.browser_hash.as_slice())) {
            return Err(FlowFault::OtherBrowser);
        }
        if self.used_at.is_some() {
            return Err(FlowFault::Used);
        }
        if now >= self.expires_at {
            return Err(FlowFault::Expired);
        }
        Ok(())
    }
}

/// The flow that a state or relay state belongs to: the text is a secret, and its hash names the row.
pub(crate) fn flow_id(state: &str) -> SsoFlowId {
    let hash = Sha256::new()
        .chain_update(b"switchboard.sso-flow/1")
        .chain_update(state.as_bytes())
        .finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    SsoFlowId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// 256 random bits, as letters that fit a cookie, a query and a relay state.
pub(crate) fn random_text() -> SecretString {
    SecretString::from(BASE64_URL_SAFE_NO_PAD.encode(random_bytes().as_slice()))
}

/// A secret for the browser, and what is stored of it.
pub(crate) fn browser_secret() -> (SecretString, SecretHash) {
    use secrecy::ExposeSecret;

    let secret = random_text();
    let hash = SecretHash::of(secret.expose_secret());
    (secret, hash)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn one_browser_ends_a_login_once_and_in_time() {
        let now = DateTime::from_timestamp(1_760_000_000, 0).unwrap();
        let (secret, hash) = browser_secret();
        let mut flow = Flow {
            id: flow_id("state"),
            connection_id: SsoConnectionId::generate(),
            pending: Vec::new(),
            browser_hash: hash.as_bytes().to_vec(),
            return_to: ReturnPath::default(),
            expires_at: now + LASTS,
            used_at: None,
        };
        let secret = secret.expose_secret();
        assert_eq!(flow.check(secret, now), Ok(()));
        assert_eq!(flow.check(secret, now + LASTS), Err(FlowFault::Expired));
        let other = browser_secret().0;
        for foreign in ["", other.expose_secret()] {
            assert_eq!(
                flow.check(foreign, now + LASTS),
                Err(FlowFault::OtherBrowser)
            );
        }
        flow.used_at = Some(now);
        assert_eq!(flow.check(secret, now), Err(FlowFault::Used));
    }

    #[test]
    fn a_state_names_its_flow_and_does_not_show_in_it() {
        let (one, other) = (random_text(), random_text());
        let (one, other) = (one.expose_secret(), other.expose_secret());
        assert_eq!(flow_id(one), flow_id(one));
        assert_ne!(flow_id(one), flow_id(other));
        assert_eq!(one.len(), 43);
    }
}
