//! The people on the other side.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::identifiers;
use crate::locked::Locked;

/// How a customer's phone behaves: `PATCH /_sandbox/customers/{phone}`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    pub name: Option<String>,
    pub username: Option<String>,
    /// The id WhatsApp knows the person by, when it isn't the number dialled (Brazil, Mexico,
    /// Argentina).
    pub wa_id: Option<String>,
    /// Webhooks carry no phone number, only the business-scoped user id (a person with a username).
    pub hide_phone: bool,
    /// `false`: messages are accepted and then fail with 131026.
    pub on_whatsapp: bool,
    pub read_receipts: bool,
    /// Marketing templates fail with 131050.
    pub stopped_marketing: bool,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            name: None,
            username: None,
            wa_id: None,
            hide_phone: false,
            on_whatsapp: true,
            read_receipts: true,
            stopped_marketing: false,
        }
    }
}

/// A customer as one business portfolio sees them.
#[derive(Clone, Debug)]
pub(super) struct Customer {
    pub(super) wa_id: String,
    pub(super) user_id: String,
    pub(super) profile: Profile,
}

/// Everybody whose profile was set or who wrote. Anyone else has the default profile and costs
/// nothing.
#[derive(Debug, Default)]
pub(super) struct Directory(Locked<Entries>);

#[derive(Debug, Default)]
struct Entries {
    /// By digits as dialled.
    profiles: HashMap<String, Profile>,
    /// From the id WhatsApp gave to the digits dialled.
    dialled: HashMap<String, String>,
    /// From the user id to the digits, once a portfolio has met the person.
    by_user_id: HashMap<String, String>,
}

impl Directory {
    pub(super) fn profile(&self, digits: &str) -> Profile {
        self.0.with(|entries| {
            let key = entries.dialled.get(digits).map_or(digits, String::as_str);
            entries.profiles.get(key).cloned().unwrap_or_default()
        })
    }

    pub(super) fn set(&self, digits: &str, profile: Profile) {
        self.0.with(|entries| {
            if let Some(wa_id) = &profile.wa_id {
                entries.dialled.insert(wa_id.clone(), digits.to_owned());
            }
            entries.profiles.insert(digits.to_owned(), profile);
        });
    }

    /// The customer behind a number as dialled or as WhatsApp gave it.
    pub(super) fn by_phone(&self, digits: &str, business_id: &str) -> Customer {
        let profile = self.profile(digits);
        let wa_id = profile.wa_id.clone().unwrap_or_else(|| digits.to_owned());
        Customer {
            user_id: identifiers::user_id(business_id, &wa_id),
            wa_id,
            profile,
        }
    }

    /// The customer behind a business-scoped user id, if the portfolio has met them.
    pub(super) fn by_user_id(&self, user_id: &str, business_id: &str) -> Option<Customer> {
        let digits = self
            .0
            .with(|entries| entries.by_user_id.get(user_id).cloned())?;
        let customer = self.by_phone(&digits, business_id);
        (customer.user_id == user_id).then_some(customer)
    }

    pub(super) fn met(&self, customer: &Customer) {
        self.0.with(|entries| {
            entries
                .by_user_id
                .entry(customer.user_id.clone())
                .or_insert_with(|| customer.wa_id.clone());
        });
    }

    pub(super) fn clear(&self) {
        self.0.with(|entries| *entries = Entries::default());
    }
}
