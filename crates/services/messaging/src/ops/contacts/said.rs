//! What people say of a contact, checked before it is written.

use std::str::FromStr;

use db::TenantTx;
use errors::FieldViolation;
use ids::OrganizationId;
use pbjson_types::Struct;
use serde_json::{Map, Value};

use crate::{error::Error, store::attributes};

fn invalid(field: impl Into<String>, message: &str) -> Error {
    Error::Invalid(vec![FieldViolation::new(field.into(), message.to_owned())])
}

/// A name of the IANA time zone database, or nothing.
pub(super) fn time_zone(text: &str) -> Result<(), Error> {
    if text.is_empty() || chrono_tz::Tz::from_str(text).is_ok() {
        return Ok(());
    }
    Err(invalid(
        "timeZone",
        "must be a name of the IANA time zone database",
    ))
}

/// An address in lower case: nobody has two mailboxes that differ by case only.
pub(super) fn email(text: &str) -> Result<String, Error> {
    let address = text.trim().to_lowercase();
    let right = address.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && domain.contains('.')
            && !domain.contains('@')
            && domain.split('.').all(|label| !label.is_empty())
            && !address
                .contains(|c: char| c.is_whitespace() || c.is_control() || "<>,;\"".contains(c))
    });
    if right {
        Ok(address)
    } else {
        Err(invalid("email", "must be an e-mail address"))
    }
}

/// The present values with the new ones over them; null takes one away.
pub(super) async fn attributes(
    tx: &mut TenantTx,
    organization_id: OrganizationId,
    present: Value,
    new: Option<Struct>,
) -> Result<Value, Error> {
    let mut values: Map<String, Value> = match present {
        Value::Object(values) => values,
        _ => Map::new(),
    };
    let Some(new) = new.filter(|new| !new.fields.is_empty()) else {
        return Ok(Value::Object(values));
    };
    let keys: Vec<String> = new.fields.keys().cloned().collect();
    let definitions = attributes::hold(tx.conn(), organization_id, &keys).await?;
    let mut faults = Vec::new();
    for (key, value) in new.fields {
        let value = serde_json::to_value(value).unwrap_or_default();
        let definition = definitions.iter().find(|definition| definition.key == key);
        let fault = match definition {
            None => Some("is not an attribute of contacts"),
            Some(_) if value.is_null() => None,
            Some(definition) => definition.kind.fault(&definition.options, &value),
        };
        match fault {
            Some(fault) => faults.push(FieldViolation::new(
                format!("attributes.{key}"),
                fault.to_owned(),
            )),
            None if value.is_null() => {
                values.remove(&key);
            }
            None => {
                values.insert(key, value);
            }
        }
    }
    if faults.is_empty() {
        return Ok(Value::Object(values));
    }
    faults.sort_by(|one, other| one.field.cmp(&other.field));
    Err(Error::Invalid(faults))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_kept_in_lower_case_and_others_refused() {
        assert_eq!(email(" Ada@Example.com ").expect("one"), "ada@example.com");
        for wrong in ["", "ada", "@x.de", "ada@x", "a@b@c.de", "a b@c.de", "a@.de"] {
            assert!(email(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn time_zones_are_names_of_the_database() {
        for right in ["", "America/Sao_Paulo", "UTC"] {
            assert!(time_zone(right).is_ok(), "{right}");
        }
        for wrong in ["Europe/Atlantis", "+02:00", "berlin"] {
            assert!(time_zone(wrong).is_err(), "{wrong}");
        }
    }
}
