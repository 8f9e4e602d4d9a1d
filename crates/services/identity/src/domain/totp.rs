//! Codes of authenticator apps (RFC 6238), and the codes for whoever lost the app.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use sha2::Sha256;
use totp_rs::{Builder, Secret, Totp};
use zeroize::Zeroizing;

use super::secret::random_bytes;

/// 160 bits (RFC 4226, section 4, R6).
const SECRET: usize = 20;
/// Steps of 30 seconds that a clock may be off, either way.
const SKEW: u16 = 1;
/// Recovery codes a person has.
pub(crate) const RECOVERY_CODES: usize = 10;
/// Characters of one, five random bits each.
const RECOVERY_LENGTH: usize = 13;
/// Crockford's: none that is taken for another.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// What an app and we share.
#[derive(Clone)]
pub(crate) struct TotpSecret(Zeroizing<[u8; SECRET]>);

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

impl TotpSecret {
    pub(crate) fn generate() -> Self {
        let mut bytes = Zeroizing::new([0; SECRET]);
        bytes.copy_from_slice(&random_bytes()[..SECRET]);
        Self(bytes)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// For typing.
    pub(crate) fn base32(&self) -> SecretString {
        SecretString::from(Secret::new_stack(*self.0).to_base32())
    }

    /// For a QR code. `None` for an address that such a URL can't carry.
    pub(crate) fn url(&self, email: &str) -> Option<SecretString> {
        // A colon parts the issuer from the account.
        let totp = self
            .builder()
            .with_issuer(Some("Switchboard"))
            .with_account_name(email.replace(':', "_"))
            .build()
            .ok()?;
        Some(SecretString::from(totp.to_url().ok()?))
    }

    /// The step that a code is of, when it is good at `now` and later than the last one that was accepted: a code counts
    /// once (NIST SP 800-63B, 3.1.4).
    pub(crate) fn accept(
        &self,
        code: &str,
        now: DateTime<Utc>,
        last_step: Option<i64>,
    ) -> Option<i64> {
        let time = u64::try_from(now.timestamp()).ok()?;
        let step = i64::try_from(self.totp().check(code, time)?).ok()?;
        last_step.is_none_or(|last| step > last).then_some(step)
    }

    /// What is stored of a recovery code: nobody can search for the code without this secret, which is sealed elsewhere.
    pub(crate) fn recovery_hash(&self, code: &str) -> [u8; 32] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(b"switchboard.recovery-code/1");
        mac.update(readable(code).as_bytes());
        mac.finalize().into_bytes().into()
    }

    fn totp(&self) -> Totp {
        self.builder().build_noncompliant()
    }

    fn builder(&self) -> Builder {
        Builder::new()
            .with_secret(Secret::new_stack(*self.0))
            .with_skew(SKEW)
    }
}

/// Ten codes that were never handed out.
pub(crate) fn recovery_codes() -> Vec<SecretString> {
    (0..RECOVERY_CODES).map(|_| recovery_code()).collect()
}

/// 65 random bits as `XXXX-XXXX-XXXXX`.
fn recovery_code() -> SecretString {
    let random = random_bytes();
    let mut code = Zeroizing::new(String::with_capacity(RECOVERY_LENGTH + 2));
    for (position, byte) in random.iter().take(RECOVERY_LENGTH).enumerate() {
        if matches!(position, 4 | 8) {
            code.push('-');
        }
        code.push(char::from(ALPHABET[usize::from(byte & 31)]));
    }
    SecretString::from(code.as_str())
}

/// As it was shown, whatever a person made of it when typing.
fn readable(code: &str) -> Zeroizing<String> {
    Zeroizing::new(
        code.chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|letter| match letter.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            })
            .collect(),
    )
}

#[cfg(test)]
mod tests;
