//! What a test registers: the bodies of the control API.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// A Meta app: owner of the secret that signs webhooks, and of the callback they go to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppSpec {
    /// Made up when absent. An existing id is replaced.
    pub app_id: Option<String>,
    #[serde(default)]
    pub name: String,
    pub app_secret: SecretString,
    /// Where webhooks go. Without it none are sent.
    pub callback_url: Option<String>,
    pub verify_token: Option<SecretString>,
    /// Whether to check the callback with the GET handshake, as Meta does when it is saved.
    #[serde(default = "yes")]
    pub handshake: bool,
}

/// A WhatsApp business account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountSpec {
    pub waba_id: Option<String>,
    /// The portfolio; business-scoped user ids depend on it.
    pub business_id: Option<String>,
    #[serde(default)]
    pub name: String,
    /// Apps that get this account's webhooks, as after `POST /{waba}/subscribed_apps`.
    #[serde(default)]
    pub subscribed_apps: Vec<String>,
    #[serde(default = "approved")]
    pub review_status: String,
}

/// A business phone number, and how strictly it behaves.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NumberSpec {
    #[serde(default)]
    pub phone_number_id: String,
    pub waba_id: String,
    /// As a person would write it; the digits are the sender of its messages.
    pub display_phone_number: String,
    #[serde(default)]
    pub verified_name: String,
    /// Messages a second, in plus out: 80, 1000 or 20.
    #[serde(default = "standard_throughput")]
    pub throughput_mps: u32,
    /// Whether free-form messages outside the customer service window are refused.
    #[serde(default = "yes")]
    pub enforce_window: bool,
    #[serde(default)]
    pub window_refusal: WindowRefusal,
    /// `false`: sends fail with 133010.
    #[serde(default = "yes")]
    pub registered: bool,
    /// A test number may write to these only (131030).
    #[serde(default)]
    pub allowed_recipients: Option<Vec<String>>,
    #[serde(default = "green")]
    pub quality_rating: String,
    #[serde(default = "approved")]
    pub name_status: String,
    #[serde(default = "unlimited")]
    pub messaging_limit: String,
    /// `BANNED`, `FLAGGED`, …; absent: `CONNECTED` if it is registered, else `DISCONNECTED`.
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default = "verified")]
    pub code_verification_status: String,
    /// What its health tells: anything limits what can be sent, or blocks it.
    #[serde(default)]
    pub obstacles: Vec<ObstacleSpec>,
}

/// Something in the way of messages, as health tells it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ObstacleSpec {
    /// `PHONE_NUMBER`, `WABA`, `BUSINESS` or `APP`.
    pub entity_type: String,
    pub error_code: u32,
    #[serde(default)]
    pub error_description: String,
    #[serde(default)]
    pub possible_solution: String,
    /// Whether nothing can be sent, rather than less.
    #[serde(default)]
    pub blocks: bool,
}

/// How 131047 reaches the sender: Meta's table lists it as an answer, and it also comes as a
/// `failed` status of an accepted message.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowRefusal {
    #[default]
    Response,
    Webhook,
}

/// An access token and what it opens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenSpec {
    pub access_token: SecretString,
    pub app_id: String,
    /// Accounts shared with the token's system user. Empty: every account.
    #[serde(default)]
    pub waba_ids: Vec<String>,
    #[serde(default = "both_scopes")]
    pub scopes: Vec<String>,
    /// Never, when absent.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Everything a first message needs, in one call. What is absent gets a sensible value.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SetupSpec {
    pub app_id: Option<String>,
    pub app_secret: SecretString,
    pub callback_url: Option<String>,
    pub verify_token: Option<SecretString>,
    pub handshake: bool,
    pub waba_id: Option<String>,
    pub phone_number_id: Option<String>,
    pub display_phone_number: String,
    pub verified_name: String,
    pub throughput_mps: u32,
    pub enforce_window: bool,
    pub access_token: SecretString,
}

impl Default for SetupSpec {
    fn default() -> Self {
        Self {
            app_id: None,
            app_secret: "sandbox-app-secret".to_owned().into(),
            callback_url: None,
            verify_token: None,
            handshake: true,
            waba_id: None,
            phone_number_id: None,
            display_phone_number: "+1 555 078 3881".into(),
            verified_name: "Sandbox Store".into(),
            throughput_mps: standard_throughput(),
            enforce_window: true,
            access_token: "sandbox-access-token".to_owned().into(),
        }
    }
}

/// What [`SetupSpec`] made.
#[derive(Clone, Debug, Serialize)]
pub struct SetupReceipt {
    pub app_id: String,
    pub waba_id: String,
    pub phone_number_id: String,
    pub display_phone_number: String,
    pub templates: Vec<String>,
}

const fn yes() -> bool {
    true
}

const fn standard_throughput() -> u32 {
    80
}

fn green() -> String {
    "GREEN".into()
}

fn approved() -> String {
    "APPROVED".into()
}

fn verified() -> String {
    "VERIFIED".into()
}

fn unlimited() -> String {
    "TIER_UNLIMITED".into()
}

fn both_scopes() -> Vec<String> {
    vec![
        "whatsapp_business_management".into(),
        "whatsapp_business_messaging".into(),
    ]
}
