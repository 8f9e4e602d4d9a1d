use std::fmt;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use whatsapp::signature::AppSecret;

/// An app secret, perhaps with an end.
///
/// Written as text, or as `{ value = "…", expires_at = "2026-10-01T00:00:00Z" }`; in a variable, as an item of a JSON
/// array.
#[derive(Debug, Clone)]
pub struct Secret {
    /// The secret.
    pub value: SecretString,
    /// From then on it does not count any more.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Secret {
    pub(crate) fn to_app_secret(&self) -> AppSecret {
        match self.expires_at {
            Some(end) => AppSecret::until(self.value.clone(), end),
            None => AppSecret::new(self.value.clone()),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expiring {
    value: SecretString,
    expires_at: Option<DateTime<Utc>>,
}

impl From<Expiring> for Secret {
    fn from(expiring: Expiring) -> Self {
        Self {
            value: expiring.value,
            expires_at: expiring.expires_at,
        }
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecretVisitor)
    }
}

struct SecretVisitor;

impl<'de> Visitor<'de> for SecretVisitor {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret, or { value, expires_at } with a time as 2026-10-01T00:00:00Z")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
        let text = text.trim();
        if !text.starts_with('{') {
            return Ok(Secret {
                value: SecretString::from(text),
                expires_at: None,
            });
        }
        // The parser's own words could quote the secret.
        let parsed: Result<Expiring, _> = serde_json::from_str(text);
        parsed
            .map(Secret::from)
            .map_err(|_| E::invalid_value(de::Unexpected::Other("this"), &self))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Secret, A::Error> {
        Expiring::deserialize(MapAccessDeserializer::new(map)).map(Secret::from)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn read(value: serde_json::Value) -> Result<Secret, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_secret_is_text_or_has_an_end() {
        let plain = read("s3cret".into()).expect("text");
        assert_eq!(
            (plain.value.expose_secret(), plain.expires_at),
            ("s3cret", None)
        );
        let end = serde_json::json!({"value": "old", "expires_at": "2026-10-01T00:00:00Z"});
        for spelled in [end.clone(), end.to_string().into()] {
            let ending = read(spelled).expect("with an end");
            assert_eq!(ending.value.expose_secret(), "old");
            assert_eq!(
                ending.expires_at.map(|end| end.timestamp()),
                Some(1_790_812_800)
            );
        }
    }

    #[test]
    fn a_malformed_secret_is_refused_without_being_repeated() {
        let wrong = serde_json::json!({"value": "hunter2", "expires_at": "hunter2"});
        for spelled in [
            wrong.to_string(),
            "{hunter2".to_owned(),
            r#"{"value":"hunter2","x":1}"#.to_owned(),
        ] {
            let error = read(spelled.into()).expect_err("malformed");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
