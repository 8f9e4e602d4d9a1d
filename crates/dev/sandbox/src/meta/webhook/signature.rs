use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// `X-Hub-Signature-256`: HMAC-SHA256 of the body's bytes with the app secret.
pub fn sign(secret: &SecretString, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .expect("invariant: HMAC takes a key of any length");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_known_vector() {
        let secret = SecretString::from("test_app_secret".to_owned());
        assert_eq!(
            sign(
                &secret,
                br#"{"object":"whatsapp_business_account","entry":[]}"#
            ),
            "sha256=dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756"
        );
    }
}
