//! Address cards that a user shares.

use crate::webhook::json::Object;

kept_private!(SharedContact, SharedName, SharedPhone);

/// One card. Every part is what the sender claims.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedContact {
    /// Missing when the user answers a request for their own number.
    pub name: Option<SharedName>,
    /// The numbers.
    pub phones: Vec<SharedPhone>,
    /// The e-mail addresses.
    pub emails: Vec<String>,
    /// Company, department, title.
    pub organization: Option<String>,
    /// `contact_request` for the user's own number given on request, else `other`.
    pub origin: Option<String>,
    /// The card as vCard text, if the origin is `other`.
    pub vcard: Option<String>,
}

/// The name on a card.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedName {
    /// The whole name.
    pub formatted: Option<String>,
    /// Given name.
    pub first: Option<String>,
    /// Family name.
    pub last: Option<String>,
}

/// A number on a card.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedPhone {
    /// As written on the card.
    pub phone: Option<String>,
    /// WhatsApp's id, if the number has an account.
    pub wa_id: Option<String>,
    /// `MOBILE`, `HOME`, …
    pub kind: Option<String>,
}

impl SharedContact {
    pub(crate) fn read(card: &Object<'_>) -> Self {
        let phones = card.objects("phones");
        let emails = card.objects("emails");
        Self {
            name: card.object("name").map(|name| SharedName {
                formatted: name.id("formatted_name"),
                first: name.id("first_name"),
                last: name.id("last_name"),
            }),
            phones: phones
                .iter()
                .map(|phone| SharedPhone {
                    phone: phone.id("phone"),
                    wa_id: phone.id("wa_id"),
                    kind: phone.id("type"),
                })
                .collect(),
            emails: emails
                .iter()
                .filter_map(|email| email.id("email"))
                .collect(),
            organization: card.object("org").and_then(|org| org.id("company")),
            origin: card.id("origin"),
            vcard: card.id("vcard"),
        }
    }
}
