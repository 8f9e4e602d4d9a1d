//! Registering apps, accounts, numbers, tokens and templates.

use std::sync::Arc;

use rand::Rng;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{
    AccountSpec, AppSpec, ControlError, Meta, NumberSpec, SetupReceipt, SetupSpec, Template,
    TokenSpec, WindowRefusal,
    identifiers::{digits, object_id},
    number::Number,
    registry::{Account, App, Grant, Subscription},
    webhook::{self, HandshakeError, Lane},
};

impl Meta {
    /// Registers an app, or replaces it (webhooks waiting for the old one are dropped). Returns
    /// its id.
    ///
    /// # Errors
    /// When the callback fails the handshake.
    pub async fn register_app(&self, spec: AppSpec) -> Result<String, ControlError> {
        let callback = match &spec.callback_url {
            Some(url) => Some(Url::parse(url).map_err(|_| HandshakeError::Url)?),
            None => None,
        };
        if let Some(url) = &callback
            && spec.handshake
        {
            let token = spec.verify_token.as_ref().ok_or_else(|| {
                ControlError::Invalid("a callback_url needs a verify_token".into())
            })?;
            self.verify_callback(url, token).await?;
        }
        let id = self.id_or_new(spec.app_id);
        let app = Arc::new(App {
            id: id.as_str().into(),
            name: spec.name,
            secret: spec.app_secret,
            callback,
            lane: Arc::new(Lane::new(self.0.stop.child_token())),
        });
        if let Some(old) = self.registry().put_app(Arc::clone(&app)) {
            old.lane.stop.cancel();
        }
        self.tasks().spawn(webhook::run(self.clone(), app));
        Ok(id)
    }

    /// The GET handshake of a callback URL.
    pub(super) async fn verify_callback(
        &self,
        url: &Url,
        verify_token: &SecretString,
    ) -> Result<(), HandshakeError> {
        let challenge = self
            .rng()
            .with(|rng| rng.random_range(1_000_000_000_u64..9_999_999_999))
            .to_string();
        webhook::verify(self.client(), url, verify_token, &challenge).await
    }

    /// Registers a business account. Returns its id.
    ///
    /// # Errors
    /// When a subscribed app doesn't exist.
    pub fn register_account(&self, spec: AccountSpec) -> Result<String, ControlError> {
        let id = self.id_or_new(spec.waba_id);
        let business_id = self.id_or_new(spec.business_id);
        let account = Account::new(id.clone(), business_id, spec.name, spec.review_status);
        for app_id in spec.subscribed_apps {
            self.app_exists(&app_id)?;
            account.subscribe(Subscription {
                app_id,
                callback_override: None,
            });
        }
        self.registry().put_account(Arc::new(account));
        Ok(id)
    }

    /// Registers a number, or replaces it (its windows and limits start afresh). Returns its id.
    ///
    /// # Errors
    /// When its account doesn't exist or the display number isn't one.
    pub fn register_number(&self, mut spec: NumberSpec) -> Result<String, ControlError> {
        if self.registry().find_account(&spec.waba_id).is_none() {
            return Err(ControlError::unknown("account", &spec.waba_id));
        }
        let own_digits = number_digits(&spec)?;
        let asked = Some(std::mem::take(&mut spec.phone_number_id)).filter(|id| !id.is_empty());
        spec.phone_number_id = self.id_or_new(asked);
        let id = spec.phone_number_id.clone();
        let number = Number::new(spec, own_digits, self.clock().now());
        self.registry().put_number(Arc::new(number));
        Ok(id)
    }

    /// # Errors
    /// When there is no such number.
    pub fn number(&self, id: &str) -> Result<NumberSpec, ControlError> {
        let number = self.registry().find_number(id);
        let number = number.ok_or_else(|| ControlError::unknown("phone number", id))?;
        Ok((*number.spec()).clone())
    }

    /// The users whom a number has blocked, by their digits or user ids.
    ///
    /// # Errors
    /// When there is no such number.
    pub fn blocked_users(&self, id: &str) -> Result<Vec<String>, ControlError> {
        let number = self.registry().find_number(id);
        let number = number.ok_or_else(|| ControlError::unknown("phone number", id))?;
        Ok(number.blocked())
    }

    /// Changes how a number behaves; its id, account and display number stay.
    ///
    /// # Errors
    /// When there is no such number.
    pub fn change_number(&self, id: &str, mut spec: NumberSpec) -> Result<(), ControlError> {
        let number = self.registry().find_number(id);
        let number = number.ok_or_else(|| ControlError::unknown("phone number", id))?;
        let current = number.spec();
        spec.phone_number_id.clone_from(&current.phone_number_id);
        spec.waba_id.clone_from(&current.waba_id);
        spec.display_phone_number
            .clone_from(&current.display_phone_number);
        number.change(spec);
        Ok(())
    }

    /// # Errors
    /// When its app doesn't exist.
    pub fn register_token(&self, spec: TokenSpec) -> Result<(), ControlError> {
        self.app_exists(&spec.app_id)?;
        let grant = Grant {
            app_id: spec.app_id,
            accounts: spec.waba_ids,
            scopes: spec.scopes,
            issued_at: self.clock().now(),
            expires_at: spec.expires_at,
            revoked: false,
        };
        let token = spec.access_token.expose_secret().to_owned();
        self.registry().put_token(token, grant);
        Ok(())
    }

    /// Makes a token invalid (190 from now on).
    ///
    /// # Errors
    /// When there is no such token.
    pub fn revoke_token(&self, token: &SecretString) -> Result<(), ControlError> {
        if self.registry().revoke_token(token.expose_secret()) {
            Ok(())
        } else {
            Err(ControlError::Unknown("no such access token".into()))
        }
    }

    /// Registers a template, or replaces the one with the same name and language. Returns its id.
    ///
    /// # Errors
    /// When the account doesn't exist.
    pub fn register_template(
        &self,
        waba_id: &str,
        mut template: Template,
    ) -> Result<String, ControlError> {
        let account = self.registry().find_account(waba_id);
        let account = account.ok_or_else(|| ControlError::unknown("account", waba_id))?;
        if template.id.is_empty() {
            let known = account.find_template(&template.name, &template.language);
            template.id = self.id_or_new(known.map(|known| known.template.id.clone()));
        }
        let id = template.id.clone();
        account.put_template(template.normalized());
        Ok(id)
    }

    /// The templates of an account as they are now; none of an account that does not exist.
    pub fn templates(&self, waba_id: &str) -> Vec<Template> {
        let account = self.registry().find_account(waba_id);
        let known = account.map(|account| account.templates());
        let known = known.unwrap_or_default().into_iter();
        known.map(|known| known.template.clone()).collect()
    }

    /// App, account, number, token and a few templates in one go.
    ///
    /// # Errors
    /// When the callback fails the handshake or a number isn't one.
    pub async fn set_up(&self, spec: SetupSpec) -> Result<SetupReceipt, ControlError> {
        let app_id = self
            .register_app(AppSpec {
                app_id: spec.app_id,
                name: "Sandbox app".into(),
                app_secret: spec.app_secret,
                callback_url: spec.callback_url,
                verify_token: spec.verify_token,
                handshake: spec.handshake,
            })
            .await?;
        let waba_id = self.register_account(AccountSpec {
            waba_id: spec.waba_id,
            business_id: None,
            name: spec.verified_name.clone(),
            subscribed_apps: vec![app_id.clone()],
            review_status: "APPROVED".into(),
        })?;
        let phone_number_id = self.register_number(NumberSpec {
            phone_number_id: spec.phone_number_id.unwrap_or_default(),
            waba_id: waba_id.clone(),
            display_phone_number: spec.display_phone_number.clone(),
            verified_name: spec.verified_name,
            throughput_mps: spec.throughput_mps,
            enforce_window: spec.enforce_window,
            window_refusal: WindowRefusal::Response,
            registered: true,
            allowed_recipients: None,
            quality_rating: "GREEN".into(),
            name_status: "APPROVED".into(),
            messaging_limit: "TIER_UNLIMITED".into(),
            status: None,
            code_verification_status: "VERIFIED".into(),
            obstacles: Vec::new(),
        })?;
        self.register_token(TokenSpec {
            access_token: spec.access_token,
            app_id: app_id.clone(),
            waba_ids: vec![waba_id.clone()],
            scopes: vec![
                "whatsapp_business_management".into(),
                "whatsapp_business_messaging".into(),
            ],
            expires_at: None,
        })?;
        let mut templates = Vec::new();
        for template in sample_templates() {
            templates.push(format!("{}/{}", template.name, template.language));
            self.register_template(&waba_id, template)?;
        }
        Ok(SetupReceipt {
            app_id,
            waba_id,
            phone_number_id,
            display_phone_number: spec.display_phone_number,
            templates,
        })
    }

    fn app_exists(&self, id: &str) -> Result<(), ControlError> {
        let found = self.registry().find_app(id);
        found
            .map(|_| ())
            .ok_or_else(|| ControlError::unknown("app", id))
    }

    pub(super) fn id_or_new(&self, id: Option<String>) -> String {
        id.unwrap_or_else(|| self.rng().with(object_id))
    }
}

fn number_digits(spec: &NumberSpec) -> Result<String, ControlError> {
    digits(&spec.display_phone_number).ok_or_else(|| {
        ControlError::Invalid("display_phone_number has 7 to 15 digits and nothing else".into())
    })
}

/// One template of each kind a product needs to show.
fn sample_templates() -> Vec<Template> {
    let samples = json!([
        {"name": "hello_world", "language": "en_US", "category": "UTILITY", "components": [
            {"type": "HEADER", "format": "TEXT", "text": "Hello World"},
            {"type": "BODY", "text": "Welcome and congratulations! This message demonstrates \
                your ability to send a WhatsApp message."},
            {"type": "FOOTER", "text": "Sandbox"},
        ]},
        {"name": "order_update", "language": "en_US", "category": "UTILITY", "components": [
            {"type": "BODY", "text": "Hi {{1}}, your order {{2}} is on its way."},
            {"type": "BUTTONS", "buttons": [
                {"type": "URL", "text": "Track", "url": "https://shop.example/track/{{1}}"},
                {"type": "QUICK_REPLY", "text": "Help"},
            ]},
        ]},
        {"name": "season_offer", "language": "en_US", "category": "MARKETING",
         "parameter_format": "NAMED", "components": [
            {"type": "HEADER", "format": "IMAGE"},
            {"type": "BODY", "text": "Dear {{first_name}}, {{discount}} off until Sunday."},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Stop promotions"}]},
        ]},
        {"name": "login_code", "language": "en_US", "category": "AUTHENTICATION", "components": [
            {"type": "BODY", "text": "*{{1}}* is your verification code."},
            {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE",
                "text": "Copy code"}]},
        ]},
    ]);
    serde_json::from_value(samples).expect("invariant: the samples above are templates")
}
