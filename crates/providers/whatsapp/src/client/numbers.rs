//! Numbers and accounts: what connecting a channel needs, and what checking it daily needs.

use outbound::Retry;
use secrecy::SecretString;

use super::{CallError, Client};
use crate::webhook::json::Object;

/// What is asked about a number. Meta fails the whole call for a field it does not know.
pub(super) const FIELDS: &str = "id,display_phone_number,verified_name,code_verification_status,\
    quality_rating,status,throughput,name_status,platform_type,is_on_biz_app";

/// A business number. Texts in capitals are Meta's and open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneNumber {
    /// Its id: the address of all calls.
    pub id: String,
    /// The number, formatted for people.
    pub display_phone_number: Option<String>,
    /// The approved name.
    pub verified_name: Option<String>,
    /// `VERIFIED`, `NOT_VERIFIED`, `EXPIRED`.
    pub code_verification_status: Option<String>,
    /// `GREEN`, `YELLOW`, `RED`, `UNKNOWN` or `NA`.
    pub quality_rating: Option<String>,
    /// `CONNECTED`, `BANNED`, …
    pub status: Option<String>,
    /// `STANDARD` (80/s) or `HIGH` (1000/s).
    pub throughput_level: Option<String>,
    /// `APPROVED`, `PENDING_REVIEW`, …
    pub name_status: Option<String>,
    /// `CLOUD_API`, …
    pub platform_type: Option<String>,
    /// Whether people use it in the WhatsApp Business app too (then 20/s).
    pub is_on_biz_app: Option<bool>,
}

impl PhoneNumber {
    pub(super) fn read(object: &Object<'_>) -> Option<Self> {
        Some(Self {
            id: object.id("id")?,
            display_phone_number: object.id("display_phone_number"),
            verified_name: object.id("verified_name"),
            code_verification_status: object.id("code_verification_status"),
            quality_rating: object.id("quality_rating"),
            status: object.id("status"),
            throughput_level: object
                .object("throughput")
                .and_then(|throughput| throughput.id("level")),
            name_status: object.id("name_status"),
            platform_type: object.id("platform_type"),
            is_on_biz_app: object.flag("is_on_biz_app"),
        })
    }
}

/// An app that gets the account's webhooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscribedApp {
    /// Its id.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Where it gets them instead of its own callback.
    pub callback_override: Option<String>,
}

impl Client {
    /// Reads a number: proves that it exists and that the token may use it.
    ///
    /// # Errors
    /// [`CallError`]; its code tells a bad token from the rest.
    pub async fn get_phone_number(
        &self,
        phone_number_id: &str,
        token: &SecretString,
    ) -> Result<PhoneNumber, CallError> {
        let url = self.url(&[phone_number_id])?;
        let request = self.get("phone_numbers.get", url, token);
        let body = self.call(request.query(&[("fields", FIELDS)])).await?;
        let number = body.object().as_ref().and_then(PhoneNumber::read);
        number.ok_or(CallError::Unreadable)
    }

    /// Lists the numbers of an account: proves that a number belongs to it.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn list_phone_numbers(
        &self,
        waba_id: &str,
        token: &SecretString,
    ) -> Result<Vec<PhoneNumber>, CallError> {
        let url = self.url(&[waba_id, "phone_numbers"])?;
        let request = self.get("phone_numbers.list", url, token);
        // A portfolio has at most 20 numbers.
        let body = self
            .call(request.query(&[("fields", FIELDS), ("limit", "100")]))
            .await?;
        let object = body.object().ok_or(CallError::Unreadable)?;
        let numbers = object.objects("data");
        Ok(numbers.iter().filter_map(PhoneNumber::read).collect())
    }

    /// Subscribes the token's app to the account. Without it no webhook arrives, and no error
    /// anywhere says so.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn subscribe_app(
        &self,
        waba_id: &str,
        token: &SecretString,
    ) -> Result<(), CallError> {
        let url = self.url(&[waba_id, "subscribed_apps"])?;
        let request = self.post("subscribed_apps.create", url, token);
        self.succeed(request.idempotent(Retry::default())).await
    }

    /// Lists the apps subscribed to the account.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn list_subscribed_apps(
        &self,
        waba_id: &str,
        token: &SecretString,
    ) -> Result<Vec<SubscribedApp>, CallError> {
        let url = self.url(&[waba_id, "subscribed_apps"])?;
        let body = self
            .call(self.get("subscribed_apps.list", url, token))
            .await?;
        let object = body.object().ok_or(CallError::Unreadable)?;
        let apps = object.objects("data");
        let app = |app: &Object<'_>| {
            let inner = app.object("whatsapp_business_api_data");
            let of = |key| match &inner {
                Some(inner) => inner.id(key),
                None => app.id(key),
            };
            SubscribedApp {
                id: of("id"),
                name: of("name"),
                callback_override: app.id("override_callback_uri"),
            }
        };
        Ok(apps.iter().map(app).collect())
    }
}
