//! What the tests of this crate begin with: a database, a connected number and a customer who has
//! written. Time stands still until a test moves it.

use std::{sync::Arc, time::Duration};

use auth::{Membership, Origin, Principal, Proof, RequestContext, Role, Scopes, View};
use blobs::BlobsConfig;
use chrono::{DateTime, TimeDelta, Utc};
use clock::{Clock, Hand, Jitter};
use db::{Db, SystemTx, TenantTx};
use ids::{
    AttemptId, ChannelId, ContactId, ConversationId, MessageId, OrganizationId, SessionId,
    TemplateId, TenantScope, UserId,
};
use proto::messaging::v1::{MessageContent, TemplateDefinition, Text, message_content::Kind};
use secrecy::SecretString;
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};
use tempfile::TempDir;
use testkit::TestDb;
use tokio::sync::Semaphore;
use vault::{Vault, local::LocalKeys};
use whatsapp::CallbackKey;

use crate::{
    jobs::sweep_files::Brake,
    media::{self, Files, links::Links},
    outbound::Engine,
    store::{
        channels::{self, NewChannel},
        conversations,
        intake::contacts,
        lanes::{self, Lease},
        messages::{self, Outbound},
        queue::{self, Waiting},
        routes::Route,
        templates::sync::{self, Listed},
    },
};

/// A tenant at work.
pub(crate) struct Fixture {
    pub(crate) engine: Arc<Engine>,
    pub(crate) db: Db,
    pub(crate) hand: Hand,
    pub(crate) route: Route,
    /// Where files are.
    pub(crate) folder: TempDir,
    // Dropped last: it takes the database away.
    database: TestDb,
}

impl Fixture {
    /// With a Graph API nobody listens at.
    pub(crate) async fn new() -> Self {
        Self::with_graph("http://127.0.0.1:9").await
    }

    /// With a Graph API at this address.
    pub(crate) async fn with_graph(base_url: &str) -> Self {
        let database = TestDb::new("messaging", &[("messaging", &crate::MIGRATOR)]).await;
        let start = DateTime::from_timestamp(1_770_000_000, 0).expect("a valid time");
        let (clock, hand) = Clock::manual(start);
        let db = database.db_at("messaging", clock.clone()).await;
        // A program does this at its start; only the first test of a process is heard.
        drop(rustls::crypto::ring::default_provider().install_default());
        let graph = whatsapp::client::Config::at(base_url, whatsapp::ApiVersion::DEFAULT);
        let http = outbound::Client::new("whatsapp", outbound::Config::default(), clock.clone());
        let folder = tempfile::tempdir().expect("a folder");
        let engine = Engine {
            vault: Vault::new(Arc::new(LocalKeys::ephemeral()), clock.clone()),
            whatsapp: whatsapp::Client::new(graph.expect("an address"), http.expect("a client")),
            callback: CallbackKey::new(&SecretString::from("0123456789abcdef0123456789abcdef")),
            files: files(&folder, base_url, &clock),
            management: management(base_url, &clock),
            jitter: Jitter::seeded(1),
            replica: "this".to_owned(),
            db: db.clone(),
        };
        let route = Route {
            organization_id: OrganizationId::generate(),
            channel_id: ChannelId::generate(),
        };
        let fixture = Self {
            engine: Arc::new(engine),
            db,
            hand,
            route,
            folder,
            database,
        };
        fixture.connect("1001").await;
        fixture
    }

    /// Another tenant with a number; the fixture is its from now on.
    pub(crate) async fn add_tenant(&mut self, phone_number_id: &str) {
        self.route = Route {
            organization_id: OrganizationId::generate(),
            channel_id: ChannelId::generate(),
        };
        self.connect(phone_number_id).await;
    }

    /// Another number of the same tenant; conversations are made on it from now on.
    pub(crate) async fn add_channel(&mut self, phone_number_id: &str) {
        self.route.channel_id = ChannelId::generate();
        self.connect(phone_number_id).await;
    }

    async fn connect(&self, phone_number_id: &str) {
        let scope = self.scope();
        let token = self.engine.seal_token(&scope, self.route.channel_id, "t");
        let sealed = token.await.expect("seal");
        let channel = NewChannel {
            id: self.route.channel_id,
            name: "Support",
            phone_number_id,
            waba_id: "2001",
            app: "default",
            display_phone_number: "+49 30 1",
            verified_name: "Shop",
            access_token: &sealed,
            throughput_per_second: 80,
        };
        let of = self.route.organization_id;
        let mut tx = self.tenant().await;
        let id = channels::upsert(tx.conn(), of, &channel, self.now()).await;
        let id = id.expect("a channel");
        channels::upsert_route(tx.conn(), of, id, &channel)
            .await
            .expect("a route");
        lanes::insert(tx.conn(), self.route).await.expect("a lane");
        tx.commit().await.expect("commit");
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.db.clock().now()
    }

    pub(crate) fn scope(&self) -> TenantScope {
        TenantScope::system(self.route.organization_id, "test")
    }

    pub(crate) async fn tenant(&self) -> TenantTx {
        TenantTx::begin(&self.db, &self.scope())
            .await
            .expect("begin")
    }

    pub(crate) async fn system(&self) -> SystemTx {
        SystemTx::begin(&self.db, "test").await.expect("begin")
    }

    pub(crate) async fn admin(&self) -> PgConnection {
        self.database.admin().await
    }

    /// A conversation with somebody who wrote a moment ago.
    pub(crate) async fn conversation(&self, phone: &str) -> Thread {
        let contact_id = self.contact(phone).await;
        self.thread(contact_id).await
    }

    /// Somebody who is known by a number.
    pub(crate) async fn contact(&self, phone: &str) -> ContactId {
        let (of, id, now) = (
            self.route.organization_id,
            ContactId::generate(),
            self.now(),
        );
        let identity = contacts::Identity {
            organization_id: of,
            kind: "phone",
            value: phone.to_owned(),
        };
        let mut tx = self.tenant().await;
        contacts::insert(tx.conn(), &[(of, id, String::new())], now)
            .await
            .expect("a contact");
        contacts::insert_identities(tx.conn(), &[(identity, id)].into(), now)
            .await
            .expect("an identity");
        tx.commit().await.expect("commit");
        id
    }

    /// A conversation with somebody who wrote a moment ago.
    pub(crate) async fn thread(&self, id: ContactId) -> Thread {
        let (of, now) = (self.route.organization_id, self.now());
        let thread = Thread {
            contact_id: id,
            id: ConversationId::generate(),
        };
        let mut tx = self.tenant().await;
        conversations::open(
            tx.conn(),
            of,
            self.route.channel_id,
            id,
            None,
            thread.id,
            now,
        )
        .await
        .expect("a conversation");
        sqlx::query("update messaging.conversations set last_inbound_at = $1 where id = $2")
            .bind(now)
            .bind(thread.id.as_uuid())
            .execute(tx.conn())
            .await
            .expect("a message from the customer");
        tx.commit().await.expect("commit");
        thread
    }

    /// Queues a text that is given up after `lifetime`.
    pub(crate) async fn queue(&self, thread: Thread, lifetime: Duration) -> MessageId {
        let text = Text {
            body: "Hello".to_owned(),
            preview_url: false,
        };
        let content = MessageContent {
            kind: Some(Kind::Text(text)),
        };
        let content: Value = serde_json::to_value(content).expect("JSON");
        let id = MessageId::stamped(self.now());
        let expires_at = self.now() + TimeDelta::from_std(lifetime).expect("a lifetime");
        let row = Outbound {
            id,
            conversation_id: thread.id,
            channel_id: self.route.channel_id,
            contact_id: thread.contact_id,
            content: &content,
            reply_to_message_id: None,
            author: "system:test",
            expires_at,
        };
        let waiting = Waiting {
            route: self.route,
            message_id: id,
            conversation_id: thread.id,
            priority: 0,
            due_at: self.now(),
            expires_at,
        };
        let mut tx = self.tenant().await;
        messages::insert_outbound(tx.conn(), self.route.organization_id, &row, self.now())
            .await
            .expect("a message");
        queue::insert(tx.conn(), waiting).await.expect("a place");
        tx.commit().await.expect("commit");
        id
    }

    /// An approved template without parameters, as Meta lists it.
    pub(crate) async fn template(&self, name: &str, category: &str) {
        let definition = TemplateDefinition {
            body: "Today only".to_owned(),
            ..TemplateDefinition::default()
        };
        let listed = Listed {
            provider_id: "1".to_owned(),
            name: name.to_owned(),
            language: "en_US".to_owned(),
            category: category.to_owned(),
            parameter_format: "positional".to_owned(),
            status: "approved".to_owned(),
            status_reason: String::new(),
            quality: "green".to_owned(),
            definition: serde_json::to_value(definition).expect("JSON"),
        };
        let (of, now) = (self.route.organization_id, self.now());
        let id = TemplateId::stamped(now);
        let mut tx = self.tenant().await;
        sync::insert(tx.conn(), of, id, "2001", &listed, now)
            .await
            .expect("a template");
        tx.commit().await.expect("commit");
    }

    /// Takes the lane.
    pub(crate) async fn lease(&self) -> Lease {
        let (now, until) = (self.now(), self.now() + TimeDelta::seconds(15));
        let mut tx = self.system().await;
        let mut taken = lanes::acquire(tx.conn(), &self.engine.replica, now, until, 16)
            .await
            .expect("lanes");
        tx.commit().await.expect("commit");
        assert_eq!(taken.len(), 1, "one lane has something to do");
        taken.remove(0)
    }

    /// Claims a message by hand, as a lane does before the call.
    pub(crate) async fn begin(&self, lease: &Lease, message: MessageId) -> AttemptId {
        let attempt = AttemptId::stamped(self.now());
        let mut tx = self.tenant().await;
        sqlx::query("update messaging.send_queue set state = 'sending' where message_id = $1")
            .bind(message.as_uuid())
            .execute(tx.conn())
            .await
            .expect("claim");
        let attempts = [(attempt, message, 1)];
        queue::begin_attempts(tx.conn(), lease, &attempts, self.now())
            .await
            .expect("an attempt");
        tx.commit().await.expect("commit");
        attempt
    }

    /// The message as it is stored.
    pub(crate) async fn message(&self, id: MessageId) -> messages::Message {
        let mut tx = self.tenant().await;
        messages::find(tx.conn(), self.route.organization_id, id)
            .await
            .expect("read")
            .expect("the message")
    }

    /// Statements that wait for a lock.
    pub(crate) async fn lock_waits(&self) -> i64 {
        sqlx::query_scalar(
            "select count(*) from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock'",
        )
        .fetch_one(&mut self.admin().await)
        .await
        .expect("a count")
    }

    /// What `select count(*) from messaging.…` says.
    pub(crate) async fn count(&self, of: &str) -> i64 {
        let statement = format!("select count(*) from messaging.{of}");
        sqlx::query_scalar(AssertSqlSafe(statement))
            .fetch_one(&mut self.admin().await)
            .await
            .expect("a count")
    }
}

fn files(folder: &TempDir, base_url: &str, clock: &Clock) -> Files {
    let store = BlobsConfig {
        path: Some(folder.path().join("blobs")),
        ..BlobsConfig::default()
    };
    let graph = whatsapp::client::Config::at(base_url, whatsapp::ApiVersion::DEFAULT);
    // Tests move the clock over hours of retries: pauses within a call would wait for it.
    let http = outbound::Client::new("whatsapp-media", outbound::Config::default(), clock.clone());
    let secret = SecretString::from("0123456789abcdef0123456789abcdef");
    Files {
        store: store.open().expect("a store"),
        links: Links::new(secret, "https://files.example"),
        pictures: Arc::new(Semaphore::new(media::PICTURES)),
        uploads: Arc::new(Semaphore::new(media::UPLOADS)),
        graph: whatsapp::Client::new(graph.expect("an address"), http.expect("a client")),
        brake: Brake { most_percent: 20 },
    }
}

pub(crate) fn management(base_url: &str, clock: &Clock) -> whatsapp::Client {
    let graph = whatsapp::client::Config::at(base_url, whatsapp::ApiVersion::DEFAULT);
    let limits = outbound::Config::default();
    let http = outbound::Client::new("whatsapp-management", limits, clock.clone());
    whatsapp::Client::new(graph.expect("an address"), http.expect("a client"))
}

/// A call of a member who sees everything.
pub(crate) fn member_context(fixture: &Fixture) -> RequestContext {
    let organization_id = fixture.route.organization_id;
    let member = Membership {
        organization_id,
        role: Role::Agent,
        scopes: Scopes::All,
        view: View::default(),
    };
    let principal = Principal::User {
        id: UserId::generate(),
        session_id: SessionId::generate(),
        member,
        proof: Proof {
            at: fixture.now(),
            strong: false,
        },
    };
    RequestContext {
        principal: Some(principal),
        expires_at: None,
        organization_id: Some(organization_id),
        idempotency_key: None,
        origin: Origin::default(),
    }
}

/// A conversation and with whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thread {
    pub(crate) id: ConversationId,
    pub(crate) contact_id: ContactId,
}
