//! A reader that can't fail: it takes from a JSON object what has a usable shape and reports the
//! rest as absent. Values are kept as text until they are asked for, so prices keep their decimals
//! and ids that come as numbers keep all digits.

use std::{borrow::Cow, fmt};

use chrono::{DateTime, Utc};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

/// The JSON text of one item, after repair: safe for a `jsonb` column. Prints only its length,
/// since it holds what customers wrote.
#[derive(Clone, PartialEq, Eq)]
pub struct Raw(Box<str>);

impl Raw {
    pub(crate) fn new(value: &RawValue) -> Self {
        Self(value.get().into())
    }

    /// The JSON text.
    pub fn get(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raw({} bytes)", self.0.len())
    }
}

/// The members of a JSON object. Of a key given twice the last one counts.
#[derive(Debug)]
pub(crate) struct Object<'a>(Vec<(Key<'a>, &'a RawValue)>);

#[derive(Debug, Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Vec<(Key<'de>, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Members).map(Self)
    }
}

impl<'a> Object<'a> {
    /// The object of this text, or `None` if it is something else.
    pub(crate) fn read(value: &'a RawValue) -> Option<Self> {
        serde_json::from_str(value.get()).ok()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.0.as_ref())
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.raw(key).is_some()
    }

    /// The member's text; `null` counts as absent.
    pub(crate) fn raw(&self, key: &str) -> Option<&'a RawValue> {
        let found = self.0.iter().rev().find(|(name, _)| name.0 == key);
        found
            .map(|(_, value)| *value)
            .filter(|value| value.get() != "null")
    }

    /// A string, or the text of a number or truth value.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        text(self.raw(key)?)
    }

    /// As [`Object::text`], with an empty string counting as absent: for ids and names.
    pub(crate) fn id(&self, key: &str) -> Option<String> {
        self.text(key).filter(|text| !text.is_empty())
    }

    /// A whole number, given as such or as a string.
    pub(crate) fn int(&self, key: &str) -> Option<i64> {
        self.text(key)?.trim().parse().ok()
    }

    pub(crate) fn float(&self, key: &str) -> Option<f64> {
        let number: f64 = self.text(key)?.trim().parse().ok()?;
        number.is_finite().then_some(number)
    }

    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        self.text(key)?.parse().ok()
    }

    /// Unix seconds, given as a number or as a string.
    pub(crate) fn time(&self, key: &str) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.int(key)?, 0)
    }

    pub(crate) fn object(&self, key: &str) -> Option<Self> {
        Self::read(self.raw(key)?)
    }

    /// The elements of a list; anything else where a list is documented counts as a list of one, so
    /// that nothing gets lost.
    pub(crate) fn list(&self, key: &str) -> Vec<&'a RawValue> {
        let Some(value) = self.raw(key) else {
            return Vec::new();
        };
        serde_json::from_str(value.get()).unwrap_or_else(|_| vec![value])
    }

    /// The object without some of its members and without empty ones; `None` if nothing is left.
    pub(crate) fn rest(&self, without: &[&str]) -> Option<Box<RawValue>> {
        let left: Vec<String> = self
            .0
            .iter()
            .filter(|(key, value)| !without.contains(&&*key.0) && !is_empty(value))
            .map(|(key, value)| format!("{}:{}", Value::from(&*key.0), value.get()))
            .collect();
        if left.is_empty() {
            return None;
        }
        RawValue::from_string(format!("{{{}}}", left.join(","))).ok()
    }

    /// The elements of a list that are objects.
    pub(crate) fn objects(&self, key: &str) -> Vec<Self> {
        self.list(key).into_iter().filter_map(Self::read).collect()
    }
}

/// Whether this is `null` or an empty list.
fn is_empty(value: &RawValue) -> bool {
    let text = value.get();
    let elements = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    text == "null" || elements.is_some_and(|elements| elements.trim().is_empty())
}

pub(crate) fn text(value: &RawValue) -> Option<String> {
    let text = value.get();
    match text.as_bytes().first()? {
        b'"' => serde_json::from_str(text).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Object<'_> {
        serde_json::from_str(text).expect("an object")
    }

    #[test]
    fn numbers_and_strings_stand_for_each_other() {
        let object = object(r#"{"a":"12","b":12,"c":12345678901234567890123,"d":1.50,"e":true}"#);
        assert_eq!((object.int("a"), object.int("b")), (Some(12), Some(12)));
        assert_eq!(object.text("c").as_deref(), Some("12345678901234567890123"));
        assert_eq!(object.text("d").as_deref(), Some("1.50"));
        assert_eq!(object.flag("e"), Some(true));
    }

    #[test]
    fn what_has_the_wrong_shape_is_absent() {
        let object = object(r#"{"a":null,"b":{"x":1},"c":[1],"d":"soon","e":1e999}"#);
        assert_eq!(object.text("a"), None);
        assert_eq!(object.text("b"), None);
        assert_eq!(object.text("c"), None);
        assert_eq!(object.int("d"), None);
        assert_eq!(object.float("e"), None);
        assert!(object.object("c").is_none());
        assert_eq!(object.list("b").len(), 1);
        assert_eq!(object.objects("c").len(), 0);
    }

    #[test]
    fn of_a_key_given_twice_the_last_one_counts() {
        let object = object(r#"{"a":1,"\u0061":2}"#);
        assert_eq!(object.int("a"), Some(2));
    }

    #[test]
    fn the_rest_has_what_was_not_named_and_is_not_empty() {
        let object = object(r#"{"a":1,"b\"":[ ],"c\"":[{"x":1.50}],"d":null,"e":"ä"}"#);
        let rest = object.rest(&["a"]).expect("something");
        assert_eq!(rest.get(), r#"{"c\"":[{"x":1.50}],"e":"ä"}"#);
        assert!(object.rest(&["a", "c\"", "e"]).is_none());
    }

    #[test]
    fn raw_json_does_not_print_its_content() {
        let raw: &RawValue = serde_json::from_str(r#"{"body":"hello"}"#).expect("JSON");
        assert_eq!(format!("{:?}", Raw::new(raw)), "Raw(16 bytes)");
    }
}
