//! A SCRAM-SHA-256 verifier (RFC 5802 and 7677), in the form in which PostgreSQL stores and accepts it.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// What PostgreSQL itself uses by default.
const ITERATIONS: u32 = 4096;

/// The verifier; `None` for a password that would need to be normalized first (SASLprep), or is empty.
pub(super) fn verifier(password: &str, salt: &[u8]) -> Option<String> {
    let printable = password.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if password.is_empty() || !printable {
        return None;
    }
    let salted = salted_password(password.as_bytes(), salt);
    let stored_key = Sha256::digest(mac(&salted, &[b"Client Key"]));
    let server_key = mac(&salted, &[b"Server Key"]);
    Some(format!(
        "SCRAM-SHA-256${ITERATIONS}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored_key),
        STANDARD.encode(server_key),
    ))
}

/// PBKDF2 with one block: the output is as long as the hash.
fn salted_password(password: &[u8], salt: &[u8]) -> [u8; 32] {
    let mut round = mac(password, &[salt, &1u32.to_be_bytes()]);
    let mut result = round;
    for _ in 1..ITERATIONS {
        round = mac(password, &[&round]);
        for (byte, other) in result.iter_mut().zip(round) {
            *byte ^= other;
        }
    }
    result
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exchange of RFC 7677, section 3: the server's last message proves the server key.
    #[test]
    fn the_published_exchange_verifies() {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").expect("base64");
        let verifier = verifier("pencil", &salt).expect("printable");
        let server_key = verifier.rsplit(':').next().expect("a key");
        let server_key = STANDARD.decode(server_key).expect("base64");
        let messages = "n=user,r=rOprNGfwEbeRWgbNEkqO,\
            r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
            c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let signature = mac(&server_key, &[messages.as_bytes()]);
        assert_eq!(
            STANDARD.encode(signature),
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
        );
    }

    #[test]
    fn passwords_that_need_normalizing_are_refused() {
        assert_eq!(verifier("pässword", b"salt"), None);
        assert_eq!(verifier("", b"salt"), None);
    }
}
