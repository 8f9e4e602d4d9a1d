//! What makes two deliveries of the same thing equal. Meta repeats whole batches, regroups items
//! and sends to every subscribed app again when one failed; it signs no time. So each item has a
//! key of its own, and the key is all there is against replays: keep it longer than the 7 days of
//! Meta's retries.

use std::fmt;

use serde_json::{Value, value::RawValue};
use sha2::{Digest, Sha256};

/// The identity of one item: equal for repetitions, different for everything else. A short fixed
/// text without personal data, fit for a unique index and a log.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DedupeKey(String);

impl DedupeKey {
    /// 128 bits of a hash over the parts, after the kind in clear.
    pub(crate) fn of(kind: &str, parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            // The length keeps ("ab", "c") apart from ("a", "bc").
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let digest = hash.finalize();
        let short = digest.get(..16).unwrap_or_default();
        Self(format!("{kind}:{}", hex::encode(short)))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DedupeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The JSON with sorted keys and no blanks, so that formatting does not matter.
pub(crate) fn canonical(value: &RawValue) -> String {
    match serde_json::from_str::<Value>(value.get()) {
        Ok(value) => {
            let mut text = String::new();
            write_canonical(&value, &mut text);
            text
        }
        // Nested too deeply to be read: identical repetitions are still recognised.
        Err(_) => value.get().to_owned(),
    }
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            // Whether serde_json sorts depends on features other crates switch on.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (key, value) in members {
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_canonical(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(elements) => {
            out.push('[');
            for element in elements {
                write_canonical(element, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.push_str(&value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        canonical(serde_json::from_str(text).expect("JSON"))
    }

    #[test]
    fn formatting_and_key_order_do_not_matter_but_values_and_list_order_do() {
        let one = of(r#"{"a":1,"b":[1,{"y":"\u00e4","x":null}]}"#);
        assert_eq!(one, of(r#" { "b" : [1, {"x":null,"y":"ä"}], "a" : 1 } "#));
        assert_ne!(one, of(r#"{"a":1,"b":[{"y":"ä","x":null},1]}"#));
        assert_ne!(one, of(r#"{"a":"1","b":[1,{"y":"ä","x":null}]}"#));
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(
            DedupeKey::of("m", &["ab", "c"]),
            DedupeKey::of("m", &["a", "bc"])
        );
        assert_ne!(DedupeKey::of("m", &["a"]), DedupeKey::of("s", &["a"]));
        assert_eq!(DedupeKey::of("m", &["a"]).as_str().len(), 2 + 32);
    }
}
