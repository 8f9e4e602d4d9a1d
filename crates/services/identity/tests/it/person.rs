//! What a test does with a person's account.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use db::DataKeys;
use hmac::{Hmac, KeyInit, Mac};
use ids::LinkId;
use proto::identity::v1::{
    CompleteLoginRequest, ConfirmTotpRequest, LogInRequest, LogInResponse, SessionTokens,
    StartTotpRequest, account_service_client::AccountServiceClient,
};
use serde_json::Value;
use sha2::Sha256;
use tonic::{Request, Status, transport::Channel};
use totp_rs::{Builder, Secret};
use vault::{Owner, Place, Purpose};

use crate::world::{PASSWORD, World, as_caller};

/// A person's app and recovery codes.
pub(crate) struct App {
    pub(crate) secret: String,
    pub(crate) recovery_codes: Vec<String>,
}

impl World {
    pub(crate) fn accounts(&self) -> AccountServiceClient<Channel> {
        AccountServiceClient::new(self.channel.clone())
    }

    /// The letters that wait to be sent, oldest first.
    pub(crate) async fn letters(&self, name: &str) -> Vec<Value> {
        let mut admin = self.db.admin().await;
        let letters: Vec<Value> = sqlx::query_scalar(
            "select payload from identity.jobs where kind = 'send-mail' and payload->>'letter' = $1 order by created_at, id",
        )
        .bind(name)
        .fetch_all(&mut admin)
        .await
        .unwrap();
        letters
    }

    /// The secret of the link in the newest letter of a kind, made as the documentation of links says.
    pub(crate) async fn link(&self, letter: &str) -> String {
        let letters = self.letters(letter).await;
        let id = letters.last().unwrap()["link_id"]
            .as_str()
            .unwrap()
            .to_owned();
        let id: LinkId = id.parse().unwrap();
        let key = self.newest_key().await;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(b"switchboard.email-link/1");
        mac.update(id.as_uuid().as_bytes());
        let mut body = id.as_uuid().as_bytes().to_vec();
        body.extend_from_slice(&mac.finalize().into_bytes());
        format!("sbl_{}", BASE64_URL_SAFE_NO_PAD.encode(body))
    }

    /// The key that seals the texts people carry.
    async fn newest_key(&self) -> Vec<u8> {
        let mut admin = self.db.admin().await;
        let (id, sealed): (String, Vec<u8>) = sqlx::query_as(
            "select id, secret from identity.signing_keys where signs = 'refresh_tokens' order by active_at desc limit 1",
        )
        .fetch_one(&mut admin)
        .await
        .unwrap();
        let db = self.db.db_at("identity", self.clock.clone()).await;
        let vault = self.config.vault.open(self.clock.clone()).unwrap();
        let purpose = Purpose::new("signing-keys");
        let place = Place::new(Owner::Platform, purpose, "signing_keys", "secret", &id);
        let store = DataKeys::of_platform(&db);
        vault.open(&store, &place, &sealed).await.unwrap().to_vec()
    }

    pub(crate) async fn log_in_with(&self, request: LogInRequest) -> Result<LogInResponse, Status> {
        Ok(self.client.clone().log_in(request).await?.into_inner())
    }

    /// A login from somewhere.
    pub(crate) async fn log_in_from(
        &self,
        address: &str,
        request: LogInRequest,
    ) -> Result<LogInResponse, Status> {
        let request = from(address, request);
        Ok(self.client.clone().log_in(request).await?.into_inner())
    }

    /// What the app shows, so many steps from now.
    pub(crate) fn code(&self, secret: &str, steps: i64) -> String {
        let time = self.clock.now().timestamp() + 30 * steps;
        let totp = Builder::new()
            .with_secret(Secret::try_from_base32(secret).unwrap())
            .build()
            .unwrap();
        totp.generate(u64::try_from(time).unwrap()).to_string()
    }

    /// Sets up an app; the code of the present step is used up.
    pub(crate) async fn enable_totp(&self, token: &str) -> App {
        let mut accounts = self.accounts();
        let setup = accounts.start_totp(as_caller(StartTotpRequest {}, token));
        let secret = setup.await.unwrap().into_inner().secret;
        let totp_code = self.code(&secret, 0);
        let confirm = accounts.confirm_totp(as_caller(ConfirmTotpRequest { totp_code }, token));
        let recovery_codes = confirm.await.unwrap().into_inner().codes;
        App {
            secret,
            recovery_codes,
        }
    }

    /// The challenge of a login whose password is right.
    pub(crate) async fn challenge(&self, email: &str) -> String {
        let answer = self.log_in(email).await;
        assert!(answer.tokens.is_none() && answer.device_token.is_empty());
        answer.mfa_required.unwrap().challenge_token
    }

    pub(crate) async fn complete(
        &self,
        challenge: &str,
        totp_code: &str,
        recovery_code: &str,
    ) -> Result<SessionTokens, Status> {
        let request = CompleteLoginRequest {
            challenge_token: challenge.to_owned(),
            totp_code: totp_code.to_owned(),
            recovery_code: recovery_code.to_owned(),
        };
        let answer = self.accounts().complete_login(request).await?;
        Ok(answer.into_inner().tokens.unwrap())
    }

    /// A second organization of everybody there is; its id.
    pub(crate) async fn second_organization(&self) -> ids::OrganizationId {
        let id = ids::OrganizationId::generate();
        let uuid = id.as_uuid();
        self.execute(&format!(
            "insert into identity.organizations (organization_id, name, created_at) values ('{uuid}', 'Toko Roti', now());
             insert into identity.memberships (organization_id, user_id, role, created_at)
             select '{uuid}', id, 'viewer', '2100-01-01' from identity.users"
        ))
        .await;
        id
    }
}

pub(crate) fn password_of(email: &str, password: &str) -> LogInRequest {
    LogInRequest {
        email: email.to_owned(),
        password: password.to_owned(),
        ..LogInRequest::default()
    }
}

pub(crate) fn right(email: &str) -> LogInRequest {
    password_of(email, PASSWORD)
}

pub(crate) fn wrong(email: &str) -> LogInRequest {
    password_of(email, "not the password")
}

/// A call that the gateway passes on from an address.
pub(crate) fn from<T>(address: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let address = address.parse().unwrap();
    request.metadata_mut().insert("sb-client-address", address);
    request
}
