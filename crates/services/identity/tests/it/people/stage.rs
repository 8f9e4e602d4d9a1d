//! An organization with people, and a mailbox.

use std::time::Duration;

use auth::Role;
use chrono::{DateTime, Utc};
use ids::{OrganizationId, UserId};
use proto::identity::v1::{
    self as wire, ExchangeApiKeyRequest, InviteRequest,
    identity_service_client::IdentityServiceClient, people_service_client::PeopleServiceClient,
};
use secrecy::SecretString;
use serde_json::Value;
use testkit::eventually;
use tonic::{Request, Status, transport::Channel};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::path};

use crate::world::{World, as_caller};

const SOON: Duration = Duration::from_secs(30);

pub(super) struct Stage {
    pub(super) world: World,
    pub(super) organization: OrganizationId,
    pub(super) owner: Person,
    /// Takes what is sent.
    resend: MockServer,
}

#[derive(Clone)]
pub(super) struct Person {
    pub(super) id: UserId,
    pub(super) email: String,
    pub(super) token: String,
}

impl Person {
    pub(super) fn asks<T>(&self, message: T) -> Request<T> {
        as_caller(message, &self.token)
    }
}

impl Stage {
    pub(super) async fn set() -> Self {
        Self::with_seats(None).await
    }

    pub(super) async fn with_seats(max: Option<u32>) -> Self {
        let resend = MockServer::start().await;
        let sent = ResponseTemplate::new(200).set_body_json(serde_json::json!({ "id": "em_1" }));
        Mock::given(path("/emails"))
            .respond_with(sent)
            .mount(&resend)
            .await;
        let mut world = World::start().await;
        world.config.app_url = String::from("https://app.example.com");
        world.config.mail.api_key = SecretString::from("re_0123456789abcdef");
        world.config.mail.from = String::from("Switchboard <mail@example.com>");
        world.config.mail.base_url = resend.uri();
        world.config.seats.max = max;
        world.restart().await;
        let email = "owner@example.com";
        let signed_up = world.sign_up(email).await;
        let owner = Person {
            id: signed_up.user.unwrap().id.parse().unwrap(),
            email: email.to_owned(),
            token: signed_up.tokens.unwrap().access_token,
        };
        Self {
            organization: signed_up.organization.unwrap().id.parse().unwrap(),
            owner,
            resend,
            world,
        }
    }

    pub(super) fn people(&self) -> PeopleServiceClient<Channel> {
        PeopleServiceClient::new(self.world.channel.clone())
    }

    pub(super) fn identity(&self) -> IdentityServiceClient<Channel> {
        self.world.client.clone()
    }

    /// Somebody with an account and the owner's password, who belongs nowhere.
    pub(super) async fn person(&self, email: &str) -> UserId {
        let id = UserId::stamped(self.world.clock.now());
        let (new, owner) = (id.as_uuid(), self.owner.id.as_uuid());
        self.world
            .execute(&format!(
                "insert into identity.users (id, email, email_key, name, created_at, email_verified_at)
                 select '{new}', '{email}', '{email}', 'Grace', created_at, created_at
                 from identity.users where id = '{owner}';
                 insert into identity.passwords (user_id, hash, changed_at)
                 select '{new}', hash, changed_at from identity.passwords where user_id = '{owner}'"
            ))
            .await;
        id
    }

    /// A member of the organization, logged in.
    pub(super) async fn member(&self, email: &str, role: Role) -> Person {
        let id = self.person(email).await;
        self.world
            .execute(&format!(
                "insert into identity.memberships (organization_id, user_id, role, created_at)
                 values ('{}', '{}', '{role}', '{}')",
                self.organization.as_uuid(),
                id.as_uuid(),
                self.world.clock.now(),
            ))
            .await;
        self.log_in(id, email).await
    }

    pub(super) async fn log_in(&self, id: UserId, email: &str) -> Person {
        let tokens = self.world.log_in(email).await.tokens.unwrap();
        Person {
            id,
            email: email.to_owned(),
            token: tokens.access_token,
        }
    }

    /// An owner of another organization.
    pub(super) async fn stranger(&self) -> Person {
        let signed_up = self.world.sign_up("stranger@example.org").await;
        Person {
            id: signed_up.user.unwrap().id.parse().unwrap(),
            email: "stranger@example.org".to_owned(),
            token: signed_up.tokens.unwrap().access_token,
        }
    }

    pub(super) async fn invite(
        &self,
        inviter: &Person,
        email: &str,
        role: Role,
    ) -> Result<wire::Invitation, Status> {
        let request = InviteRequest {
            email: email.to_owned(),
            role: wire::Role::from(role).into(),
            role_id: String::new(),
        };
        let sent = self.people().invite(inviter.asks(request)).await?;
        Ok(sent.into_inner())
    }

    /// The secret in the last invitation that was sent to the address, once there are `mails` of them.
    pub(super) async fn secret(&self, email: &str, mails: usize) -> String {
        eventually(SOON, async || self.secrets(email).await.len() >= mails).await;
        self.secrets(email).await.pop().unwrap()
    }

    async fn secrets(&self, email: &str) -> Vec<String> {
        let requests = self.resend.received_requests().await.unwrap();
        let secret = |body: &[u8]| {
            let mail: Value = serde_json::from_slice(body).unwrap();
            let is_for = mail["to"].to_string().contains(email);
            let text = mail["text"].as_str()?;
            let start = text.find("secret=sbi_")? + "secret=".len();
            let end = text[start..].find(char::is_whitespace);
            let secret = &text[start..end.map_or(text.len(), |end| start + end)];
            is_for.then(|| secret.to_owned())
        };
        requests
            .iter()
            .filter_map(|request| secret(&request.body))
            .collect()
    }

    /// The secret of a new API key.
    pub(super) async fn key(&self) -> String {
        let owner = &self.owner.token;
        let made = self.world.create_key(owner, Role::Viewer, &[]).await;
        made.unwrap().secret
    }

    pub(super) async fn exchange(&self, secret: &str) -> Result<wire::AccessToken, Status> {
        let request = ExchangeApiKeyRequest {
            secret: secret.to_owned(),
            ..ExchangeApiKeyRequest::default()
        };
        let request = as_caller(request, &self.world.service().await);
        Ok(self
            .identity()
            .exchange_api_key(request)
            .await?
            .into_inner())
    }

    pub(super) async fn count(&self, query: &str) -> u64 {
        self.world.execute(query).await
    }

    /// What the audit log says was done, in order.
    pub(super) async fn audited(&self) -> Vec<String> {
        let mut admin = self.world.db.admin().await;
        let actions: Vec<String> = sqlx::query_scalar(
            "select action from identity.audit_entries where organization_id = $1 order by seq",
        )
        .bind(self.organization.as_uuid())
        .fetch_all(&mut admin)
        .await
        .unwrap();
        actions
            .into_iter()
            .filter(|action| {
                !["organization.created", "session.started"].contains(&action.as_str())
            })
            .collect()
    }

    /// Until when tokens of the member, the organization or a session are void.
    pub(super) async fn void_until(
        &self,
        kind: &str,
        subject: uuid::Uuid,
    ) -> Option<DateTime<Utc>> {
        let mut admin = self.world.db.admin().await;
        sqlx::query_scalar(
            "select issued_until from identity.revocations
             where organization_id = $1 and kind = $2 and subject = $3",
        )
        .bind(self.organization.as_uuid())
        .bind(kind)
        .bind(subject)
        .fetch_optional(&mut admin)
        .await
        .unwrap()
    }
}
