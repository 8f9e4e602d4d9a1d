use chrono::{DateTime, Utc};
use resend::webhook::{SecretsError, SigningSecret};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;
use whatsapp::signature::AppSecret;

/// A secret that a provider signs with, perhaps with an end.
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

    /// # Errors
    /// When it is not as Resend shows it.
    pub(crate) fn to_signing_secret(&self) -> Result<SigningSecret, SecretsError> {
        let secret = SigningSecret::new(&self.value)?;
        Ok(match self.expires_at {
            Some(end) => secret.until(end),
            None => secret,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expiring {
    value: SecretString,
    expires_at: Option<DateTime<Utc>>,
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Read as anything and judged here: a deserializer's own words could quote the secret.
        read(Value::deserialize(deserializer)?).ok_or_else(|| {
            de::Error::custom(
                "expected a secret as text, or { value, expires_at } with a time as 2026-10-01T00:00:00Z",
            )
        })
    }
}

fn read(value: Value) -> Option<Secret> {
    let expiring: Expiring = match value {
        Value::String(text) if text.trim().starts_with('{') => serde_json::from_str(&text).ok()?,
        Value::String(text) => {
            return Some(Secret {
                value: SecretString::from(text.trim()),
                expires_at: None,
            });
        }
        other => serde_json::from_value(other).ok()?,
    };
    Some(Secret {
        value: expiring.value,
        expires_at: expiring.expires_at,
    })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;

    fn parse(value: Value) -> Result<Secret, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_secret_is_text_or_has_an_end() {
        let plain = parse("s3cret".into()).expect("text");
        assert_eq!(
            (plain.value.expose_secret(), plain.expires_at),
            ("s3cret", None)
        );
        let end = json!({"value": "old", "expires_at": "2026-10-01T00:00:00Z"});
        for spelled in [end.clone(), end.to_string().into()] {
            let ending = parse(spelled).expect("with an end");
            assert_eq!(ending.value.expose_secret(), "old");
            assert_eq!(
                ending.expires_at.map(|end| end.timestamp()),
                Some(1_790_812_800)
            );
        }
    }

    #[test]
    fn a_malformed_secret_is_refused_without_being_repeated() {
        for wrong in [
            json!({"value": "hunter2", "expires_at": "hunter2"}),
            json!({"value": 271_828, "expires_at": "2026-10-01T00:00:00Z"}),
            json!({"value": "hunter2", "x": 1}),
            json!({"hunter2": "x"}),
            json!({}),
        ] {
            for spelled in [wrong.to_string().into(), wrong] {
                let error = parse(spelled).expect_err("malformed");
                assert_secret_is_kept(&error);
            }
        }
        for wrong in [
            json!("{hunter2"),
            json!(271_828),
            json!(-271_828),
            json!(271_828.5),
            json!(true),
            json!(null),
            json!(["hunter2"]),
        ] {
            assert_secret_is_kept(&parse(wrong).expect_err("malformed"));
        }
    }
    fn assert_secret_is_kept(error: &str) {
        let quoted = error.contains("hunter2") || error.contains("271828");
        assert!(!quoted && error.contains("expected a secret"), "{error}");
    }
}
