use std::collections::HashSet;

use proptest::prelude::*;
use secrecy::ExposeSecret;

use super::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

/// The code that an app shows at a time.
fn code(secret: &TotpSecret, seconds: i64) -> String {
    secret
        .totp()
        .generate(u64::try_from(seconds).unwrap())
        .to_string()
}

/// The vectors of RFC 6238, appendix B; the last six digits of SHA-1.
#[test]
fn codes_are_those_of_the_standard() {
    let secret = TotpSecret::from_bytes(b"12345678901234567890").unwrap();
    for (seconds, expected) in [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ] {
        assert_eq!(code(&secret, seconds), expected);
        assert_eq!(
            secret.accept(expected, at(seconds), None),
            Some(seconds / 30)
        );
    }
}

#[test]
fn the_url_carries_issuer_account_and_secret() {
    let secret = TotpSecret::from_bytes(b"12345678901234567890").unwrap();
    let url = secret.url("ada:x@example.com").unwrap();
    let url = url.expose_secret();
    assert!(
        url.starts_with("otpauth://totp/Switchboard:ada_x%40example.com?"),
        "{url}"
    );
    assert!(
        url.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"),
        "{url}"
    );
    assert!(url.contains("issuer=Switchboard"), "{url}");
}

#[test]
fn recovery_codes_are_all_different_and_readable() {
    let codes: HashSet<String> = (0..20)
        .flat_map(|_| recovery_codes())
        .map(|code| code.expose_secret().to_owned())
        .collect();
    assert_eq!(codes.len(), 200);
    for code in &codes {
        assert_eq!(code.len(), 15);
        assert!(
            code.bytes()
                .all(|byte| byte == b'-' || ALPHABET.contains(&byte)),
            "{code}"
        );
    }
}

#[test]
fn a_recovery_code_is_itself_however_it_is_typed() {
    let (mine, other) = (TotpSecret::generate(), TotpSecret::generate());
    let hash = mine.recovery_hash("01AB-CDEF-GHJKM");
    for typed in [
        "01abcdefghjkm",
        " O1AB CDEF GHJKM ",
        "0lAB-cdef-GHJKM",
        "oiab-cdef-ghjkm",
    ] {
        assert_eq!(mine.recovery_hash(typed), hash, "{typed}");
    }
    assert_ne!(mine.recovery_hash("01AB-CDEF-GHJKN"), hash);
    assert_ne!(
        other.recovery_hash("01AB-CDEF-GHJKM"),
        hash,
        "another person's"
    );
}

proptest! {
    /// O-TOTP: one step either way, nothing further, and never twice or backwards.
    #[test]
    fn a_code_is_good_for_a_step_either_way_and_once(
        bytes in prop::array::uniform20(any::<u8>()), now in 1_000_000_000_i64..4_000_000_000, off in -5_i64..=5,
    ) {
        let secret = TotpSecret::from_bytes(&bytes).unwrap();
        let step = now / 30 + off;
        let code = code(&secret, step * 30);
        let near: Vec<String> = (-1..=1).map(|off| self::code(&secret, (now / 30 + off) * 30)).collect();
        let accepted = secret.accept(&code, at(now), None);
        prop_assert_eq!(accepted.is_some(), near.contains(&code));
        if off.abs() <= 1 {
            // Two steps may happen to have the same code.
            let accepted = accepted.unwrap();
            prop_assert_eq!(self::code(&secret, accepted * 30), code.clone());
            prop_assert_eq!(secret.accept(&code, at(now), Some(accepted)), None);
            prop_assert_eq!(secret.accept(&code, at(now), Some(accepted + 1)), None);
            prop_assert_eq!(secret.accept(&code, at(now), Some(accepted - 1)), Some(accepted));
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,12}") {
        let _any = TotpSecret::generate().accept(&text, at(1_760_000_000), None);
    }
}
