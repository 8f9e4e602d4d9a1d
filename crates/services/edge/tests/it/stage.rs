//! The edge running in the test, with a database of its own and, unless a test brings one, no broker at all: intake
//! must not notice.

use std::{net::SocketAddr, time::Duration};

use bus::BusConfig;
use chassis::{Addresses, Base, Host, HostOptions};
use chrono::{DateTime, Utc};
use clock::Clock;
use db::DbConfig;
use edge::{App, Config, Intake, Resend, Secret, WhatsApp, WhatsAppApp};
use futures::{StreamExt, stream};
use reqwest::{Client, RequestBuilder, Response};
use secrecy::SecretString;
use sqlx::{Connection, PgConnection};
use testkit::{TestDb, eventually};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use whatsapp::signature::{self, AppSecret, AppSecrets};

/// Real servers on a machine that others use too.
pub(crate) const SOON: Duration = Duration::from_secs(20);
pub(crate) const SECRET: &str = "test_app_secret";
pub(crate) const TOKEN: &str = "vibecoding";
/// The path of the app that every stage has.
pub(crate) const HOOK: &str = "/webhooks/whatsapp/default";
const NO_BROKER: &str = "amqp://nobody:nothing@127.0.0.1:1/nowhere";

pub(crate) struct Stage {
    pub(crate) database: TestDb,
    pub(crate) config: Config,
    pub(crate) base: Base,
    pub(crate) clock: Clock,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::on(TestDb::new("edge", &[("edge", &edge::MIGRATOR)]).await)
    }

    pub(crate) fn on(database: TestDb) -> Self {
        let config = config(database.config("edge"));
        Self {
            database,
            config,
            base: Base::for_tests(),
            clock: Clock::system(),
        }
    }

    /// Starts the edge as it is configured by now.
    pub(crate) async fn run(&self) -> Running {
        let mut host = Host::start(HostOptions::for_tests(self.clock.clone()))
            .await
            .expect("a host");
        let addresses = host
            .add::<App>(&self.base, self.config.clone())
            .await
            .expect("the edge starts");
        let running = Running {
            http: addresses.http.expect("it serves HTTP"),
            grpc: addresses,
            host,
            client: client(),
        };
        eventually(SOON, || async { running.host.is_ready() }).await;
        running
    }

    pub(crate) fn app(&mut self, name: &str, secrets: Vec<Secret>) {
        let app = WhatsAppApp {
            secrets,
            verify_token: SecretString::from(TOKEN),
        };
        self.config.whatsapp.apps.insert(name.to_owned(), app);
    }

    /// Receipts and events there are.
    pub(crate) async fn stored(&self) -> (i64, i64) {
        let mut admin = self.database.admin().await;
        let counts = sqlx::query_as(
            "select (select count(*) from edge.webhooks) + (select count(*) from edge.identified_webhooks),
                    (select count(*) from edge.outbox)",
        );
        let counts = counts.fetch_one(&mut admin).await.expect("counts");
        admin.close().await.expect("goodbye");
        counts
    }

    /// Holds up whoever wants to store a webhook, until it is released.
    pub(crate) async fn block_storing(&self) -> Blockade {
        let mut admin = self.database.admin().await;
        sqlx::raw_sql("begin; lock table edge.webhooks in exclusive mode")
            .execute(&mut admin)
            .await
            .expect("lock the table");
        Blockade(admin)
    }
}

pub(crate) struct Blockade(PgConnection);

impl Blockade {
    pub(crate) async fn release(self) {
        self.0.close().await.expect("goodbye");
    }

    /// Waits until so many transactions are held up.
    pub(crate) async fn holds(&mut self, count: i64) {
        let waiting = "select count(*) from pg_stat_activity
                       where datname = current_database() and wait_event_type = 'Lock'";
        loop {
            let held: i64 = sqlx::query_scalar(waiting)
                .fetch_one(&mut self.0)
                .await
                .expect("activity");
            if held >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

pub(crate) fn config(db: DbConfig) -> Config {
    let app = WhatsAppApp {
        secrets: vec![secret(SECRET)],
        verify_token: SecretString::from(TOKEN),
    };
    Config {
        db,
        bus: broker(NO_BROKER),
        whatsapp: WhatsApp {
            apps: [("default".to_owned(), app)].into(),
        },
        resend: Resend::default(),
        intake: Intake::default(),
    }
}

pub(crate) fn broker(url: &str) -> BusConfig {
    let mut config = BusConfig::new(SecretString::from(url));
    config.reconnect_min_ms = 20;
    config.reconnect_max_ms = 200;
    config
}

pub(crate) fn secret(value: &str) -> Secret {
    Secret {
        value: SecretString::from(value),
        expires_at: None,
    }
}

pub(crate) fn secret_until(value: &str, end: DateTime<Utc>) -> Secret {
    Secret {
        expires_at: Some(end),
        ..secret(value)
    }
}

/// The header's value that Meta would send.
pub(crate) fn sign(secret: &str, body: &[u8]) -> String {
    let secrets = vec![AppSecret::new(SecretString::from(secret))];
    AppSecrets::new(secrets).expect("one secret").sign(body)
}

pub(crate) fn client() -> Client {
    chassis::install_crypto();
    #[expect(
        clippy::disallowed_methods,
        reason = "the test's own server, not somebody else's"
    )]
    Client::builder()
        .no_proxy()
        .timeout(SOON)
        .build()
        .expect("an HTTP client")
}

pub(crate) struct Running {
    pub(crate) host: Host,
    pub(crate) http: SocketAddr,
    grpc: Addresses,
    pub(crate) client: Client,
}

impl Running {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }

    /// A delivery without a signature.
    pub(crate) fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.client
            .post(self.url(path))
            .header("content-type", "application/json")
            .body(body)
    }

    /// A delivery with this value in the signature's header.
    pub(crate) async fn deliver_signed(
        &self,
        path: &str,
        body: &[u8],
        signature: &str,
    ) -> Response {
        let request = self
            .post(path, body.to_vec())
            .header(signature::HEADER, signature);
        request.send().await.expect("an answer")
    }

    /// A delivery as Meta makes it, and the answer's status.
    pub(crate) async fn deliver(&self, body: &[u8]) -> u16 {
        let answer = self.deliver_signed(HOOK, body, &sign(SECRET, body)).await;
        answer.status().as_u16()
    }

    /// Delivers all of them, so many at once, and gives the statuses in order.
    pub(crate) async fn deliver_all(&self, bodies: &[Vec<u8>], at_once: usize) -> Vec<u16> {
        let deliveries = stream::iter(bodies).map(|body| self.deliver(body));
        deliveries.buffered(at_once).collect().await
    }

    pub(crate) async fn readyz(&self) -> (u16, String) {
        let admin = self.host.admin_address().expect("an admin server");
        let answer = self
            .client
            .get(format!("http://{admin}/readyz"))
            .send()
            .await
            .expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    }

    /// Stops in order, and nothing may have died or had to be dropped.
    pub(crate) async fn stop(self) {
        assert_eq!(self.grpc.grpc, None, "there is no gRPC here");
        drop(self.client);
        let outcome = self.host.shutdown().await;
        assert!(outcome.is_success() && outcome.dropped == 0, "{outcome:?}");
    }
}

/// Bodies that differ.
pub(crate) fn bodies(count: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|n| format!(r#"{{"object":"whatsapp_business_account","entry":[{n}]}}"#).into_bytes())
        .collect()
}

/// A connection on which a test writes what no HTTP client would.
pub(crate) struct Wire(pub(crate) TcpStream);

impl Wire {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.expect("connect"))
    }

    /// The head of a delivery up to its last line, which is for the caller to write: `content-length: 3\r\n\r\n`.
    pub(crate) async fn begin(&mut self, signature: &str) {
        let head = format!(
            "POST {HOOK} HTTP/1.1\r\nhost: edge\r\n{}: {signature}\r\n",
            signature::HEADER
        );
        self.write(head.as_bytes()).await;
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("write");
    }

    /// Everything that comes until the other side closes; what came before a reset, too.
    pub(crate) async fn read_to_end(&mut self) -> String {
        let mut heard = Vec::new();
        let reading = async {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = self.0.read(&mut buffer).await {
                heard.extend_from_slice(&buffer[..length]);
            }
        };
        tokio::time::timeout(SOON, reading)
            .await
            .expect("the other side closes");
        String::from_utf8_lossy(&heard).into_owned()
    }

    /// The beginning of the answer, as soon as there is one.
    pub(crate) async fn status(&mut self) -> String {
        let mut line = [0; 12];
        let read = tokio::time::timeout(SOON, self.0.read_exact(&mut line))
            .await
            .expect("an answer");
        read.expect("an answer");
        String::from_utf8_lossy(&line[9..]).into_owned()
    }
}
