//! How a number, its account and its token are doing.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};

use super::{CallError, Client, PhoneNumber, numbers};
use crate::webhook::json::Object;

/// What is asked of a number besides what every version of the API knows. Meta fails the whole call for a field it does
/// not know, so without an answer the others are asked for alone.
const MORE: &str = "whatsapp_business_manager_messaging_limit,health_status,webhook_configuration";
/// Meta's code for a parameter that is not valid, such as a field.
const PARAMETER: i64 = 100;
/// Its subcode for an object that does not exist, or that the token may not see.
const NO_OBJECT: i64 = 33;

/// A number and whether messages can be sent from it. Texts in capitals are Meta's and open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberHealth {
    /// The number itself.
    pub number: PhoneNumber,
    /// `TIER_250` … `TIER_UNLIMITED`: customers in 24 hours that have not written, of the whole portfolio.
    pub messaging_limit: Option<String>,
    /// `AVAILABLE`, `LIMITED` or `BLOCKED`; `None` when it is not known.
    pub can_send: Option<String>,
    /// What is in the way.
    pub obstacles: Vec<Obstacle>,
    /// Where webhooks of this number go instead of the app's own callback.
    pub callback_override: Option<String>,
}

/// Why messages are limited or blocked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// `PHONE_NUMBER`, `WABA`, `BUSINESS`, `APP`.
    pub entity: Option<String>,
    /// Meta's code.
    pub code: Option<i64>,
    /// Meta's words.
    pub description: Option<String>,
    /// Meta's advice.
    pub solution: Option<String>,
}

/// The review of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountHealth {
    /// `APPROVED`, `PENDING`, `REJECTED`.
    pub review_status: Option<String>,
    /// `verified`, `not_verified`, `pending`, …
    pub business_verification: Option<String>,
}

/// What a token is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenInfo {
    /// Whether it is good for anything.
    pub is_valid: bool,
    /// The Meta app it belongs to.
    pub app_id: Option<String>,
    /// When it ends; `None` for never.
    pub expires_at: Option<DateTime<Utc>>,
    /// The permissions it has.
    pub scopes: Vec<String>,
}

impl NumberHealth {
    fn read(object: &Object<'_>) -> Option<Self> {
        let health = object.object("health_status");
        let callback = object.object("webhook_configuration");
        let of = |key| callback.as_ref().and_then(|callback| callback.id(key));
        Some(Self {
            number: PhoneNumber::read(object)?,
            messaging_limit: object.id("whatsapp_business_manager_messaging_limit"),
            can_send: health
                .as_ref()
                .and_then(|health| health.id("can_send_message")),
            obstacles: health.as_ref().map(obstacles).unwrap_or_default(),
            callback_override: of("phone_number").or_else(|| of("whatsapp_business_account")),
        })
    }
}

fn obstacles(health: &Object<'_>) -> Vec<Obstacle> {
    let entities = health.objects("entities");
    let errors = entities.iter().flat_map(|entity| {
        let errors = entity.objects("errors");
        let of: Vec<Obstacle> = errors
            .iter()
            .map(|error| Obstacle {
                entity: entity.id("entity_type"),
                code: error.int("error_code"),
                description: error.id("error_description"),
                solution: error.id("possible_solution"),
            })
            .collect();
        of
    });
    errors.collect()
}

impl Client {
    /// Reads a number and whether messages can be sent from it.
    ///
    /// # Errors
    /// [`CallError`]; its code tells a bad token from the rest.
    pub async fn get_number_health(
        &self,
        phone_number_id: &str,
        token: &SecretString,
    ) -> Result<NumberHealth, CallError> {
        let url = self.url(&[phone_number_id])?;
        let request = self.get("phone_numbers.health", url, token);
        let fields = format!("{},{MORE}", numbers::FIELDS);
        let body = self.call(request.query(&[("fields", fields.as_str())]));
        match body.await {
            Ok(body) => {
                let health = body.object().as_ref().and_then(NumberHealth::read);
                health.ok_or(CallError::Unreadable)
            }
            Err(CallError::Rejected(rejection))
                if rejection.code == Some(PARAMETER) && rejection.subcode != Some(NO_OBJECT) =>
            {
                let number = self.get_phone_number(phone_number_id, token).await?;
                Ok(NumberHealth {
                    number,
                    messaging_limit: None,
                    can_send: None,
                    obstacles: Vec::new(),
                    callback_override: None,
                })
            }
            Err(error) => Err(error),
        }
    }

    /// Reads the review of an account.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn get_account_health(
        &self,
        waba_id: &str,
        token: &SecretString,
    ) -> Result<AccountHealth, CallError> {
        let url = self.url(&[waba_id])?;
        let request = self.get("accounts.health", url, token);
        let fields = "id,account_review_status,business_verification_status";
        let body = self.call(request.query(&[("fields", fields)])).await?;
        let object = body.object().ok_or(CallError::Unreadable)?;
        Ok(AccountHealth {
            review_status: object.id("account_review_status"),
            business_verification: object.id("business_verification_status"),
        })
    }

    /// Asks what a token is good for, as that token: a token may always be asked about itself by its own app.
    ///
    /// # Errors
    /// [`CallError`]; a token that has ended is refused, or is answered as not valid.
    pub async fn inspect_token(&self, token: &SecretString) -> Result<TokenInfo, CallError> {
        let url = self.url(&["debug_token"])?;
        let request = self.get("tokens.inspect", url, token);
        // Meta takes it in the address only; addresses are not logged.
        let asked = request.query(&[("input_token", token.expose_secret())]);
        let body = self.call(asked).await?;
        let object = body.object().ok_or(CallError::Unreadable)?;
        let data = object.object("data").ok_or(CallError::Unreadable)?;
        let scopes = data.list("scopes").into_iter();
        Ok(TokenInfo {
            is_valid: data.flag("is_valid").ok_or(CallError::Unreadable)?,
            app_id: data.id("app_id"),
            // Zero is never.
            expires_at: data
                .time("expires_at")
                .filter(|at| *at > DateTime::UNIX_EPOCH),
            scopes: scopes.filter_map(crate::webhook::json::text).collect(),
        })
    }
}
