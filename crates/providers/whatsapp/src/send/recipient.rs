//! Whom a message goes to.

use serde::{Deserialize, Serialize};

use super::limits::Check;
use crate::phone::digits;

kept_private!(Recipient);

/// Whom a message goes to.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// A phone number with its country code, or the `wa_id` WhatsApp returned. Decoration is
    /// ignored; it is sent with a plus, since Meta may otherwise put the business's own country
    /// code in front.
    Phone(String),
    /// A business-scoped user id, `US.1349…`, for users who hide their number. Some
    /// authentication templates can't go there (131062).
    BusinessScoped(String),
    /// A group.
    Group(String),
}

impl Recipient {
    /// The number as it is sent.
    pub(crate) fn dialled(number: &str) -> String {
        format!("+{}", digits(number))
    }

    pub(crate) fn check(&self, check: &mut Check) {
        match self {
            Self::Phone(number) => check.field("to", |check| {
                let decorated = |c: char| c.is_ascii_digit() || " -().\u{a0}".contains(c);
                let plain = number.strip_prefix('+').unwrap_or(number);
                let digits = plain.chars().filter(char::is_ascii_digit).count();
                let leading_zero = plain.trim_start_matches(|c: char| !c.is_ascii_digit());
                // E.164: at most 15 digits, and no country code begins with 0.
                if !(7..=15).contains(&digits)
                    || !plain.chars().all(decorated)
                    || leading_zero.starts_with('0')
                {
                    check.wrong("must be a phone number with its country code (+49…)");
                }
            }),
            Self::BusinessScoped(id) => check.field("recipient", |check| {
                if !is_business_scoped(id) {
                    check.wrong("must be a business-scoped user id (US.1349…)");
                }
            }),
            Self::Group(id) => check.text("to", id, 512),
        }
    }
}

/// Meta: `^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$`, case sensitive.
fn is_business_scoped(id: &str) -> bool {
    let Some((country, rest)) = id.split_once('.') else {
        return false;
    };
    let rest = rest.strip_prefix("ENT.").unwrap_or(rest);
    country.len() == 2
        && country.bytes().all(|byte| byte.is_ascii_uppercase())
        && (1..=128).contains(&rest.len())
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
