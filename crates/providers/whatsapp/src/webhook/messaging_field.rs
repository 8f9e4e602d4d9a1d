//! What else comes about users: clicks, preferences, calls.

use chrono::{DateTime, Utc};

use super::{contact::Contact, json::Object};

kept_private!(Preference, Call);

/// Something a user did with a message. Names no user: join by the click's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAction {
    /// `marketing_messages_link_click`, `landing_page_view`, …
    pub action: Option<String>,
    /// When.
    pub happened_at: Option<DateTime<Utc>>,
    /// What was tapped, in lower case: `cta`, … (captures have capitals).
    pub click_component: Option<String>,
    /// The click's id.
    pub click_id: Option<String>,
    /// The product tapped.
    pub product_id: Option<String>,
    /// Meta's token for conversion reports.
    pub tracking_token: Option<String>,
}

impl UserAction {
    pub(crate) fn read(object: &Object<'_>) -> Self {
        let action = object.id("action_type");
        let data = action
            .as_deref()
            .and_then(|action| object.object(&format!("{action}_data")));
        let of_data = |key| data.as_ref().and_then(|data| data.id(key));
        Self {
            happened_at: object.time("timestamp"),
            click_component: of_data("click_component").map(|text| text.to_lowercase()),
            click_id: of_data("click_id"),
            product_id: of_data("product_id"),
            tracking_token: of_data("tracking_token"),
            action,
        }
    }
}

/// A user's wish about marketing. Feeds the opt-out list.
#[derive(Clone, PartialEq, Eq)]
pub struct Preference {
    /// The user's number.
    pub wa_id: Option<String>,
    /// The user's business-scoped id.
    pub user_id: Option<String>,
    /// `marketing_messages`.
    pub category: Option<String>,
    /// What the user wants.
    pub value: PreferenceValue,
    /// A sentence for people.
    pub detail: Option<String>,
    /// The offer the user signed up for.
    pub signup_id: Option<String>,
    /// When.
    pub stated_at: Option<DateTime<Utc>>,
    /// The user as the delivery describes them.
    pub contact: Option<Contact>,
}

/// What a user wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PreferenceValue {
    /// No more of it.
    Stop,
    /// Again.
    Resume,
    /// Signed up.
    Signup,
    /// Something this version does not know.
    Other(Option<String>),
}

impl Preference {
    pub(crate) fn read(object: &Object<'_>, contacts: &[Contact]) -> Self {
        let wa_id = object.id("wa_id");
        let user_id = object.id("user_id");
        let value = object.id("value");
        Self {
            category: object.id("category"),
            value: match value.as_deref() {
                Some("stop") => PreferenceValue::Stop,
                Some("resume") => PreferenceValue::Resume,
                Some("signup") => PreferenceValue::Signup,
                _ => PreferenceValue::Other(value),
            },
            detail: object.text("detail"),
            signup_id: object.id("signup_id"),
            stated_at: object.time("timestamp"),
            contact: Contact::matching(contacts, wa_id.as_deref(), user_id.as_deref()),
            wa_id,
            user_id,
        }
    }
}

/// A step of a call. Session descriptions stay in the item's JSON.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// The call's id.
    pub id: Option<String>,
    /// The caller's number.
    pub from: Option<String>,
    /// The called number.
    pub to: Option<String>,
    /// `connect`, `terminate`, or the status of an outgoing call (`RINGING`, …).
    pub event: Option<String>,
    /// `USER_INITIATED` or `BUSINESS_INITIATED`.
    pub direction: Option<String>,
    /// When.
    pub happened_at: Option<DateTime<Utc>>,
    /// The user as the delivery describes them.
    pub contact: Option<Contact>,
}

impl Call {
    pub(crate) fn read(object: &Object<'_>, contacts: &[Contact]) -> Self {
        let from = object.id("from");
        let to = object.id("to").or_else(|| object.id("recipient_id"));
        let by_phone = |phone: &Option<String>| Contact::matching(contacts, phone.as_deref(), None);
        Self {
            id: object.id("id"),
            event: object.id("event").or_else(|| object.id("status")),
            direction: object.id("direction"),
            happened_at: object.time("timestamp"),
            contact: by_phone(&from).or_else(|| by_phone(&to)),
            from,
            to,
        }
    }
}
