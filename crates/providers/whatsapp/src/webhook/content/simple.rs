//! Content with a shape of its own but little to it.

use crate::webhook::json::Object;

kept_private!(Location, Order, OrderItem, Reaction);
kept_private!(System, |system| format_args!("{:?}", system.kind));

/// A place. Degrees as given.
#[derive(Clone, PartialEq)]
pub struct Location {
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// The place's name.
    pub name: Option<String>,
    /// Its address.
    pub address: Option<String>,
    /// Its web page.
    pub url: Option<String>,
}

impl Location {
    pub(crate) fn read(object: &Object<'_>) -> Self {
        Self {
            latitude: object.float("latitude"),
            longitude: object.float("longitude"),
            name: object.id("name"),
            address: object.id("address"),
            url: object.id("url"),
        }
    }
}

/// A product of a catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The catalogue.
    pub catalog_id: Option<String>,
    /// The seller's own id.
    pub product_retailer_id: Option<String>,
}

impl Product {
    pub(crate) fn read(object: &Object<'_>) -> Self {
        Self {
            catalog_id: object.id("catalog_id"),
            product_retailer_id: object.id("product_retailer_id"),
        }
    }
}

/// A basket.
#[derive(Clone, PartialEq, Eq)]
pub struct Order {
    /// The catalogue ordered from.
    pub catalog_id: Option<String>,
    /// The user's note.
    pub text: Option<String>,
    /// What is ordered.
    pub items: Vec<OrderItem>,
}

/// One line of a basket.
#[derive(Clone, PartialEq, Eq)]
pub struct OrderItem {
    /// The seller's own id.
    pub product_retailer_id: Option<String>,
    /// How many.
    pub quantity: Option<i64>,
    /// Price of one, as the decimal text of the payload: never a binary fraction.
    pub item_price: Option<String>,
    /// ISO 4217 code.
    pub currency: Option<String>,
}

impl Order {
    pub(crate) fn read(object: &Object<'_>) -> Self {
        let items = object.objects("product_items");
        Self {
            catalog_id: object.id("catalog_id"),
            text: object.id("text"),
            items: items
                .iter()
                .map(|item| OrderItem {
                    product_retailer_id: item.id("product_retailer_id"),
                    quantity: item.int("quantity"),
                    item_price: item.id("item_price"),
                    currency: item.id("currency"),
                })
                .collect(),
        }
    }
}

/// A reaction.
#[derive(Clone, PartialEq, Eq)]
pub struct Reaction {
    /// The message reacted to.
    pub message_id: Option<String>,
    /// `None` when the reaction was taken back: Meta leaves the key out or sends "".
    pub emoji: Option<String>,
}

impl Reaction {
    pub(crate) fn read(object: &Object<'_>) -> Self {
        Self {
            message_id: object.id("message_id"),
            emoji: object.id("emoji"),
        }
    }
}

/// A change about the user.
#[derive(Clone, PartialEq, Eq)]
pub struct System {
    /// Which change.
    pub kind: SystemKind,
    /// A sentence for people; names the user's numbers.
    pub body: Option<String>,
    /// The new number. The old one is the message's `from`.
    pub wa_id: Option<String>,
    /// The new business-scoped id.
    pub user_id: Option<String>,
    /// The old one. Trust this, not the message's `from_user_id`, which sources contradict.
    pub previous_user_id: Option<String>,
    /// The new parent id.
    pub parent_user_id: Option<String>,
    /// The old parent id.
    pub previous_parent_user_id: Option<String>,
}

/// Which change a system message reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SystemKind {
    /// The user has a new number (and with it a new business-scoped id).
    UserChangedNumber,
    /// The user has a new business-scoped id.
    UserChangedUserId,
    /// The user's key changed; the new hash is in the message's identity.
    CustomerIdentityChanged,
    /// Another one.
    Other(Option<String>),
}

impl System {
    pub(crate) fn read(object: &Object<'_>) -> Self {
        let kind = object.id("type");
        Self {
            kind: match kind.as_deref() {
                // The older spelling is still in old payloads.
                Some("user_changed_number" | "customer_changed_number") => {
                    SystemKind::UserChangedNumber
                }
                Some("user_changed_user_id") => SystemKind::UserChangedUserId,
                Some("customer_identity_changed") => SystemKind::CustomerIdentityChanged,
                _ => SystemKind::Other(kind),
            },
            body: object.text("body"),
            wa_id: object.id("wa_id"),
            user_id: object.id("user_id"),
            previous_user_id: object.id("previous_user_id"),
            parent_user_id: object.id("parent_user_id"),
            previous_parent_user_id: object.id("previous_parent_user_id"),
        }
    }
}
