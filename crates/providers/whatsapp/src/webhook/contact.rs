//! The WhatsApp user a message or status is about.

use super::json::Object;

kept_private!(Contact);

/// A user as `value.contacts[]` describes them. Any part may be missing: since 2026 the phone
/// number is left out for users with a username who have not written to this number lately.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Contact {
    /// WhatsApp's id for the phone number: digits, not always the number that was dialled.
    pub wa_id: Option<String>,
    /// The id within the business portfolio, `US.1349…`.
    pub user_id: Option<String>,
    /// The id across linked portfolios, `US.ENT.1181…`.
    pub parent_user_id: Option<String>,
    /// The profile name: chosen by the user, not to be trusted.
    pub profile_name: Option<String>,
    /// The WhatsApp username.
    pub username: Option<String>,
    /// Present if identity checks are switched on for the number.
    pub identity_key_hash: Option<String>,
}

impl Contact {
    pub(crate) fn read(object: &Object<'_>) -> Self {
        let profile = object.object("profile");
        let of_profile = |key| profile.as_ref().and_then(|profile| profile.id(key));
        Self {
            wa_id: object.id("wa_id"),
            user_id: object.id("user_id"),
            parent_user_id: object.id("parent_user_id"),
            profile_name: of_profile("name"),
            username: of_profile("username"),
            identity_key_hash: object.id("identity_key_hash"),
        }
    }

    /// The contact that has one of these ids. Never a guess by position: one delivery may be about
    /// several users.
    pub(crate) fn matching(
        contacts: &[Self],
        phone: Option<&str>,
        user: Option<&str>,
    ) -> Option<Self> {
        let same =
            |wanted: Option<&str>, id: &Option<String>| wanted.is_some() && wanted == id.as_deref();
        contacts
            .iter()
            .find(|contact| same(user, &contact.user_id) || same(phone, &contact.wa_id))
            .cloned()
    }
}
