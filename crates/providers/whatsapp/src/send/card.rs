//! Address cards.

use serde::{Deserialize, Serialize};

use super::limits::Check;

kept_private!(ContactCard, CardName);

/// An address card.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactCard {
    /// The name.
    pub name: CardName,
    /// Numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<CardPhone>,
    /// E-mail addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<CardEmail>,
    /// Postal addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<CardAddress>,
    /// Web addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<CardUrl>,
    /// Where the person works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<CardOrganization>,
    /// `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birthday: Option<String>,
}

macro_rules! card_part {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident $(as $wire:literal)?),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name {
            $(
                $(#[$field_doc])*
                #[serde(default, $(rename = $wire,)? skip_serializing_if = "Option::is_none")]
                pub $field: Option<String>,
            )+
        }

        kept_private!($name);
    };
}

card_part! {
    /// A number on a card.
    CardPhone {
        /// The number.
        phone,
        /// `HOME` or `WORK`.
        kind as "type",
        /// WhatsApp's id, which makes the number tappable.
        wa_id,
    }
}
card_part! {
    /// An e-mail address on a card.
    CardEmail {
        /// The address.
        email,
        /// `HOME` or `WORK`.
        kind as "type",
    }
}
card_part! {
    /// A web address on a card.
    CardUrl {
        /// The address.
        url,
        /// `HOME` or `WORK`.
        kind as "type",
    }
}
card_part! {
    /// Where the person works.
    CardOrganization {
        /// The company.
        company,
        /// The department.
        department,
        /// The position.
        title,
    }
}
card_part! {
    /// A postal address on a card.
    CardAddress {
        /// Street and number.
        street,
        /// City.
        city,
        /// State or province.
        state,
        /// Postal code.
        zip,
        /// Country.
        country,
        /// Two letters.
        country_code,
        /// `HOME` or `WORK`.
        kind as "type",
    }
}

/// The name on a card. Meta asks for the whole name and at least one more part.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardName {
    /// The whole name.
    pub formatted_name: String,
    /// Given name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Family name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Middle name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    /// What comes before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// What comes after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
}

impl ContactCard {
    pub(crate) fn check(&self, check: &mut Check) {
        check.field("name", |check| self.name.check(check));
    }
}

impl CardName {
    fn check(&self, check: &mut Check) {
        check.text("formatted_name", &self.formatted_name, 1000);
        let parts = [
            &self.first_name,
            &self.last_name,
            &self.middle_name,
            &self.prefix,
            &self.suffix,
        ];
        if !parts.into_iter().flatten().any(|part| !part.is_empty()) {
            check.field("first_name", |check| {
                check.wrong("or another part of the name is needed beside the whole name");
            });
        }
    }
}
