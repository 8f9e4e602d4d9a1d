//! Ids in the shapes Meta gives them.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rand::{Rng, rngs::StdRng};
use sha2::{Digest, Sha256};

/// Which way a message went; part of its wamid.
#[derive(Clone, Copy, Debug)]
pub(super) enum Direction {
    FromBusiness,
    FromCustomer,
}

/// Mints message ids that never repeat, even across restarts.
#[derive(Debug)]
pub(super) struct Wamids {
    salt: u32,
    next: AtomicU64,
}

impl Wamids {
    pub(super) fn new(salt: u32) -> Self {
        Self {
            salt,
            next: AtomicU64::new(1),
        }
    }

    /// `wamid.` and base64, with the customer's number inside, as Meta's are.
    pub(super) fn mint(&self, customer: &str, direction: Direction) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let unique = format!("{:08X}{number:010X}", self.salt);
        let mut bytes = vec![0x1c, 0x18];
        bytes.push(u8::try_from(customer.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(customer.as_bytes());
        bytes.extend_from_slice(&[0x15, 0x02, 0x00]);
        bytes.push(match direction {
            Direction::FromBusiness => 0x11,
            Direction::FromCustomer => 0x12,
        });
        bytes.extend_from_slice(&[0x18, 0x12]);
        bytes.extend_from_slice(unique.as_bytes());
        bytes.push(0);
        format!("wamid.{}", STANDARD.encode(bytes))
    }
}

/// A Graph object id: fifteen digits, kept as a string because JavaScript can't hold them all.
pub(super) fn object_id(rng: &mut StdRng) -> String {
    rng.random_range(100_000_000_000_000_u64..1_000_000_000_000_000)
        .to_string()
}

/// `fbtrace_id` and the request id headers.
pub(super) fn trace_id(rng: &mut StdRng) -> String {
    format!("A{}", URL_SAFE_NO_PAD.encode(rng.random::<[u8; 16]>()))
}

/// Digits of a phone number however it was written; `None` when it isn't one.
pub(super) fn digits(phone: &str) -> Option<String> {
    let phone = phone.trim();
    let body = phone.strip_prefix('+').unwrap_or(phone);
    let mut found = String::with_capacity(15);
    for character in body.chars() {
        match character {
            '0'..='9' => found.push(character),
            ' ' | '-' | '.' | '(' | ')' => {}
            _ => return None,
        }
    }
    (7..=15).contains(&found.len()).then_some(found)
}

/// The business-scoped user id of a customer: stable, different for every portfolio.
pub(super) fn user_id(business_id: &str, wa_id: &str) -> String {
    let hash = Sha256::new()
        .chain_update(business_id)
        .chain_update(b"/")
        .chain_update(wa_id)
        .finalize();
    let number = hash
        .iter()
        .take(8)
        .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    format!("{}.{number:020}", country(wa_id))
}

/// Country of the user id. Nobody may derive anything from it, so the common calling codes suffice
/// and the rest get one fixed valid country.
fn country(wa_id: &str) -> &'static str {
    const CODES: [(&str, &str); 14] = [
        ("1", "US"),
        ("27", "ZA"),
        ("31", "NL"),
        ("33", "FR"),
        ("34", "ES"),
        ("39", "IT"),
        ("44", "GB"),
        ("49", "DE"),
        ("52", "MX"),
        ("54", "AR"),
        ("55", "BR"),
        ("62", "ID"),
        ("91", "IN"),
        ("234", "NG"),
    ];
    CODES
        .iter()
        .find(|(prefix, _)| wa_id.starts_with(prefix))
        .map_or("CH", |(_, country)| country)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wamid_is_unique_and_names_the_customer() {
        let wamids = Wamids::new(7);
        let first = wamids.mint("16505551234", Direction::FromBusiness);
        let second = wamids.mint("16505551234", Direction::FromBusiness);
        assert_ne!(first, second);
        let bytes = STANDARD
            .decode(first.strip_prefix("wamid.").expect("the prefix"))
            .expect("base64");
        assert_eq!(&bytes[3..14], b"16505551234");
    }

    #[test]
    fn a_phone_number_is_read_in_any_common_notation() {
        assert_eq!(digits("+1 (650) 555-1234").as_deref(), Some("16505551234"));
        assert_eq!(digits("49123"), None);
        assert_eq!(digits("US.1349120865530"), None);
    }

    #[test]
    fn a_user_id_has_metas_shape_and_depends_on_the_portfolio() {
        let one = user_id("1", "16505551234");
        assert!(one.starts_with("US."));
        assert_eq!(one, user_id("1", "16505551234"));
        assert_ne!(one, user_id("2", "16505551234"));
    }
}
