//! How what a directory pushes becomes ours.

mod roles;

pub(crate) use roles::{DEFAULT, Mapped, highest, settled};

use scim::User;

use super::sso::EmailDomain;

/// The longest name that a person has, in characters, as in sign-up.
const MAX_NAME: usize = 100;
/// The longest address (RFC 5321, 4.5.3.1.3), in bytes.
const MAX_ADDRESS: usize = 254;

/// The form in which SCIM's texts are compared that have no case.
pub(crate) fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// The address by which the user is recognised: the preferred one, else the name to sign in with, which is one at most
/// directories.
pub(crate) fn address(user: &User) -> Option<&str> {
    user.preferred_email()
        .into_iter()
        .chain([user.user_name.as_str()])
        .map(str::trim)
        .find(|text| is_address(text))
}

fn is_address(text: &str) -> bool {
    text.len() <= MAX_ADDRESS
        && !text
            .chars()
            .any(|one| one.is_whitespace() || one.is_control())
        && EmailDomain::of_address(text).is_some()
}

/// What colleagues call the user.
pub(crate) fn name(user: &User) -> String {
    let parts = user.name.as_ref();
    let whole = user
        .display_name
        .clone()
        .or_else(|| parts?.formatted.clone())
        .or_else(|| {
            let parts = parts?;
            let both = [parts.given_name.as_deref(), parts.family_name.as_deref()];
            let both: Vec<&str> = both.into_iter().flatten().collect();
            (!both.is_empty()).then(|| both.join(" "))
        })
        .unwrap_or_else(|| user.user_name.clone());
    whole.trim().chars().take(MAX_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(json: &str) -> User {
        User::parse(json.as_bytes()).unwrap()
    }

    #[test]
    fn a_user_is_recognised_by_the_preferred_address_or_else_the_name_to_sign_in_with() {
        let both = r#"{"userName": "ada@login.example", "emails": [{"value": "ada@example.com", "type": "work"}]}"#;
        assert_eq!(address(&user(both)), Some("ada@example.com"));
        let odd = r#"{"userName": "ada@login.example", "emails": [{"value": "not an address"}]}"#;
        assert_eq!(address(&user(odd)), Some("ada@login.example"));
        for none in ["ada", "@example.com", "ada@", "a da@example.com"] {
            let json = serde_json::json!({ "userName": none }).to_string();
            assert_eq!(address(&user(&json)), None, "{none}");
        }
        let long = serde_json::json!({ "userName": format!("{}@example.com", "a".repeat(250)) });
        assert_eq!(address(&user(&long.to_string())), None);
    }

    #[test]
    fn the_name_is_the_best_that_the_directory_has() {
        for (json, expected) in [
            (
                r#"{"userName": "a", "displayName": "Ada L.", "name": {"formatted": "x"}}"#,
                "Ada L.",
            ),
            (
                r#"{"userName": "a", "name": {"formatted": "Ada King", "givenName": "x"}}"#,
                "Ada King",
            ),
            (
                r#"{"userName": "a", "name": {"givenName": "Ada", "familyName": "King"}}"#,
                "Ada King",
            ),
            (
                r#"{"userName": "a", "name": {"familyName": "King"}}"#,
                "King",
            ),
            (r#"{"userName": "ada"}"#, "ada"),
        ] {
            assert_eq!(name(&user(json)), expected);
        }
        let long = serde_json::json!({ "userName": "ä".repeat(200) }).to_string();
        assert_eq!(name(&user(&long)).chars().count(), MAX_NAME);
    }
}
