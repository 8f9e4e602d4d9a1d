//! The running service, its clock, and what a test says to it.

use std::{collections::BTreeMap, path::PathBuf};

use auth::Role;
use bus::BusConfig;
use chassis::{Base, Host, HostOptions};
use chrono::{DateTime, Utc};
use clock::{Clock, Hand};
use errors::Problem;
use identity::{App, Config, MIGRATOR, Mail, Sessions, SignUps};
use proto::identity::v1::{
    CreateApiKeyRequest, CreateApiKeyResponse, GetCallerRequest, IssueServiceTokenRequest,
    LogInRequest, LogInResponse, RefreshSessionRequest, SessionTokens, SignUpRequest,
    SignUpResponse, identity_service_client::IdentityServiceClient,
};
use secrecy::SecretString;
use sqlx::{AssertSqlSafe, Row};
use testkit::TestDb;
use tonic::{Request, Status, transport::Channel};
use vault::VaultConfig;

pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// The secret of the client `gateway`.
pub(crate) const GATEWAY: &str = "gateway-secret-of-32-characters!";

pub(crate) type Client = IdentityServiceClient<Channel>;

pub(crate) struct World {
    pub(crate) db: TestDb,
    pub(crate) clock: Clock,
    pub(crate) hand: Hand,
    pub(crate) config: Config,
    host: Host,
    pub(crate) channel: Channel,
    pub(crate) client: Client,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_at(DateTime::from_timestamp(1_760_000_000, 0).unwrap(), |_| ()).await
    }

    /// At another time and with other settings.
    pub(crate) async fn start_at(now: DateTime<Utc>, change: impl FnOnce(&mut Config)) -> Self {
        let db = TestDb::new("identity", &[("identity", &MIGRATOR)]).await;
        let (clock, hand) = Clock::manual(now);
        let mut config = config(&db);
        change(&mut config);
        let (host, channel) = serve(&config, &clock).await;
        Self {
            db,
            clock,
            hand,
            config,
            host,
            client: Client::new(channel.clone()),
            channel,
        }
    }

    /// Another replica on the same database.
    pub(crate) async fn replica(&self, config: &Config) -> (Host, Client) {
        let (host, channel) = serve(config, &self.clock).await;
        (host, Client::new(channel))
    }

    /// The same, for whichever of its services.
    pub(crate) async fn another(&self) -> (Host, Channel) {
        serve(&self.config, &self.clock).await
    }

    /// Why another replica does not start.
    pub(crate) async fn try_replica(&self, config: &Config) -> Result<(), String> {
        let mut host = Host::start(HostOptions::for_tests(self.clock.clone()))
            .await
            .unwrap();
        let started = host.add::<App>(&Base::for_tests(), config.clone()).await;
        host.shutdown().await;
        started.map(drop).map_err(|error| errors::chain(&error))
    }

    /// The same service, started anew with the present `config`.
    pub(crate) async fn restart(&mut self) {
        let (host, channel) = serve(&self.config, &self.clock).await;
        self.client = Client::new(channel.clone());
        self.channel = channel;
        std::mem::replace(&mut self.host, host).shutdown().await;
    }

    pub(crate) async fn sign_up(&self, email: &str) -> SignUpResponse {
        self.client
            .clone()
            .sign_up(sign_up(email))
            .await
            .unwrap()
            .into_inner()
    }

    pub(crate) async fn log_in(&self, email: &str) -> LogInResponse {
        self.try_log_in(email, PASSWORD).await.unwrap()
    }

    pub(crate) async fn try_log_in(
        &self,
        email: &str,
        password: &str,
    ) -> Result<LogInResponse, Status> {
        let request = LogInRequest {
            email: email.to_owned(),
            password: password.to_owned(),
            ..LogInRequest::default()
        };
        Ok(self.client.clone().log_in(request).await?.into_inner())
    }

    pub(crate) async fn refresh(&self, refresh_token: &str) -> Result<SessionTokens, Status> {
        let request = RefreshSessionRequest {
            refresh_token: refresh_token.to_owned(),
        };
        let answer = self.client.clone().refresh_session(request).await?;
        Ok(answer.into_inner().tokens.unwrap())
    }

    /// An owner's access token.
    pub(crate) async fn owner(&self, email: &str) -> String {
        self.sign_up(email).await.tokens.unwrap().access_token
    }

    /// A token of somebody who signed up, after the role was changed.
    pub(crate) async fn member(&self, email: &str, role: Role) -> String {
        let user = self.sign_up(email).await.user.unwrap();
        let id: ids::UserId = user.id.parse().unwrap();
        let id = id.as_uuid();
        let sql = if role == Role::Custom {
            self.custom_role(id).await
        } else {
            format!("update identity.memberships set role = '{role}' where user_id = '{id}'")
        };
        self.execute(&sql).await;
        self.log_in(email).await.tokens.unwrap().access_token
    }

    /// How to give a member a role of the organization's own with every permission that such a role can have.
    async fn custom_role(&self, user_id: uuid::Uuid) -> String {
        let policy = auth::Policy::load().await.unwrap();
        let permissions: Vec<&str> = policy.of_role(Role::Custom).collect();
        let permissions = permissions.join(",");
        let role_id = ids::RoleId::generate().as_uuid();
        format!(
            "with role as (
                 insert into identity.roles (organization_id, id, name, permissions, conversations,
                                             hides_contact_details, created_at, updated_at)
                 select organization_id, '{role_id}', 'all', string_to_array('{permissions}', ','), 'all', false,
                        now(), now()
                 from identity.memberships where user_id = '{user_id}'
                 returning id
             )
             update identity.memberships m set role = 'custom', role_id = role.id
             from role where m.user_id = '{user_id}'"
        )
    }

    pub(crate) async fn service(&self) -> String {
        let request = IssueServiceTokenRequest {
            client_id: "gateway".to_owned(),
            client_secret: GATEWAY.to_owned(),
        };
        let token = self
            .client
            .clone()
            .issue_service_token(request)
            .await
            .unwrap();
        token.into_inner().access_token
    }

    pub(crate) async fn create_key(
        &self,
        token: &str,
        role: Role,
        scopes: &[&str],
    ) -> Result<CreateApiKeyResponse, Status> {
        let request = CreateApiKeyRequest {
            name: "shop".to_owned(),
            role: proto::identity::v1::Role::from(role).into(),
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            ..CreateApiKeyRequest::default()
        };
        let created = self
            .client
            .clone()
            .create_api_key(as_caller(request, token))
            .await?;
        Ok(created.into_inner())
    }

    /// Kind, role and permissions of a token's holder.
    pub(crate) async fn caller(&self, token: &str) -> Result<proto::identity::v1::Caller, Status> {
        let request = as_caller(GetCallerRequest {}, token);
        Ok(self.client.clone().get_caller(request).await?.into_inner())
    }

    pub(crate) async fn execute(&self, sql: &str) -> u64 {
        let mut admin = self.db.admin().await;
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&mut admin)
            .await;
        done.unwrap().rows_affected()
    }

    /// Payloads of the events of a type in the outbox, oldest first.
    pub(crate) async fn events<E: proto::events::DomainEvent + Default>(&self) -> Vec<E> {
        let mut admin = self.db.admin().await;
        let payloads: Vec<Vec<u8>> = sqlx::query_scalar(
            "select payload from identity.outbox where event_type = $1 order by seq",
        )
        .bind(E::SPEC.event_type)
        .fetch_all(&mut admin)
        .await
        .unwrap();
        payloads
            .iter()
            .map(|payload| E::decode(payload.as_slice()).unwrap())
            .collect()
    }

    /// Everything the schema stores, as text.
    pub(crate) async fn dump(&self) -> String {
        let mut admin = self.db.admin().await;
        let tables: Vec<String> = sqlx::query_scalar(
            "select tablename::text from pg_tables where schemaname = 'identity'",
        )
        .fetch_all(&mut admin)
        .await
        .unwrap();
        let mut dump = String::new();
        for table in tables {
            let rows = sqlx::query(AssertSqlSafe(format!(
                "select t::text from identity.{table} t"
            )))
            .fetch_all(&mut admin)
            .await
            .unwrap();
            for row in rows {
                dump.push_str(&row.get::<String, _>(0));
                dump.push('\n');
            }
        }
        dump
    }
}

/// A configuration without a broker: events stay in the outbox, where tests read them.
fn config(db: &TestDb) -> Config {
    let key_path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("identity.keys");
    vault::local::create(&key_path).unwrap();
    Config {
        db: db.config("identity"),
        bus: BusConfig::new(SecretString::from("amqp://nobody:nothing@127.0.0.1:1/%2f")),
        vault: VaultConfig {
            provider: vault::Provider::Local,
            key_path,
        },
        app_url: String::new(),
        mail: Mail::default(),
        sessions: Sessions::default(),
        // Most tests are not about mail; those that are turn this off.
        sign_up: SignUps { unproven: true },
        seats: identity::Seats::default(),
        sso: identity::Sso::default(),
        service_clients: BTreeMap::from([("gateway".to_owned(), SecretString::from(GATEWAY))]),
    }
}

async fn serve(config: &Config, clock: &Clock) -> (Host, Channel) {
    let mut host = Host::start(HostOptions::for_tests(clock.clone()))
        .await
        .unwrap();
    let addresses = host
        .add::<App>(&Base::for_tests(), config.clone())
        .await
        .unwrap();
    let url = format!("http://{}", addresses.grpc.unwrap());
    (
        host,
        Channel::from_shared(url).unwrap().connect().await.unwrap(),
    )
}

pub(crate) fn sign_up(email: &str) -> SignUpRequest {
    SignUpRequest {
        organization_name: "Kedai Kopi".to_owned(),
        name: "Ada".to_owned(),
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
    }
}

pub(crate) fn as_caller<T>(message: T, token: &str) -> Request<T> {
    let mut request = Request::new(message);
    let bearer = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    request
}

/// The stable code of a failure.
pub(crate) fn code(status: &Status) -> String {
    Problem::from_status(status).code
}
