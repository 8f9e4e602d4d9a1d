use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::Sha256;

/// The key inside a `whsec_…` secret.
#[derive(Debug)]
pub(in crate::resend) struct SigningKey(SecretSlice<u8>);

impl SigningKey {
    pub(in crate::resend) fn new(secret: &SecretString) -> Option<Self> {
        let encoded = secret.expose_secret().strip_prefix("whsec_")?;
        let key = STANDARD.decode(encoded).ok()?;
        (!key.is_empty()).then(|| Self(key.into()))
    }

    fn sign(&self, id: &str, at: DateTime<Utc>, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret())
            .expect("invariant: HMAC takes a key of any length");
        mac.update(format!("{id}.{}.", at.timestamp()).as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// `svix-signature`: one entry per key.
pub(in crate::resend) fn signatures(
    keys: &[SigningKey],
    id: &str,
    at: DateTime<Utc>,
    body: &[u8],
) -> String {
    let signatures: Vec<_> = keys.iter().map(|key| key.sign(id, at, body)).collect();
    signatures.join(" ")
}

/// `svix-signature` of a delivery, for tests that write one themselves. `None` if the secret is not `whsec_` and
/// base64.
pub fn sign(secret: &SecretString, id: &str, at: DateTime<Utc>, body: &[u8]) -> Option<String> {
    Some(SigningKey::new(secret)?.sign(id, at, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_specifications_example() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into();
        let at = DateTime::from_timestamp(1_614_265_330, 0).expect("a time");
        let body = br#"{"test": 2432232314}"#;
        assert_eq!(
            sign(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body).as_deref(),
            Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        );
        assert_eq!(sign(&"sec".into(), "msg_1", at, body), None);
    }
}
