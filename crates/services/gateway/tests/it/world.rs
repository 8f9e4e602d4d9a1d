//! A gateway in front of the played services, on real connections.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use auth::{
    Authorizer, GrpcLayer, Jwks, KeySource, KeySourceError, News, Policy, RevocationSource,
    Revocations, RevocationsUnknown, Role, Verifier,
};
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    response::Response,
};
use chassis::{ChannelConfig, Host, HostOptions, Service};
use chrono::{DateTime, Utc};
use clock::{Clock, Hand};
use gateway::{App, Config, Events, ServiceClient};
use http_body_util::BodyExt;
use proto::{
    identity::v1::{
        Jwk, ScimServiceValidated, SsoServiceValidated,
        account_service_server::AccountServiceServer, audit_service_server::AuditServiceServer,
        identity_service_server::IdentityServiceServer, people_service_server::PeopleServiceServer,
        scim_service_server::ScimServiceServer, sso_service_server::SsoServiceServer,
    },
    messaging::v1::{
        channel_health_service_server::ChannelHealthServiceServer,
        contact_service_server::ContactServiceServer, inbox_service_server::InboxServiceServer,
        messaging_service_server::MessagingServiceServer,
        template_service_server::TemplateServiceServer,
    },
};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};
use tokio_stream::wrappers::TcpListenerStream;
use tower::ServiceExt;

use crate::services::{Script, user};

/// Bounds every wait for something that must come.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// Calls that a connection to a service carries at once: few, so that a test can use them up.
pub(crate) const STREAMS: u32 = 4;

pub(crate) struct World {
    pub(crate) script: Script,
    pub(crate) hand: Hand,
    pub(crate) host: Host,
    pub(crate) config: Config,
    router: Router,
    identity: Server,
    messaging: Server,
    addresses: (SocketAddr, SocketAddr),
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// A world whose gateway has other settings.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::built(change, Part::Identity).await
    }

    /// A world whose identity checks the fields of single sign-on and SCIM, as the real one does.
    pub(crate) async fn strict(change: impl FnOnce(&mut Config)) -> Self {
        Self::built(change, Part::StrictIdentity).await
    }

    async fn built(change: impl FnOnce(&mut Config), identity: Part) -> Self {
        let start = DateTime::from_timestamp(1_760_000_000, 0).expect("a time");
        let (clock, hand) = Clock::manual(start);
        let script = Script::new(clock.clone());
        let (identity, first) = serve(&script, identity, None).await;
        let (messaging, second) = serve(&script, Part::Messaging, None).await;
        let mut config = Config {
            identity: ChannelConfig::to(format!("http://{first}")),
            messaging: ChannelConfig::to(format!("http://{second}")),
            client: ServiceClient {
                id: "gateway".into(),
                secret: "gateway-secret".to_owned().into(),
            },
            api: gateway::Api::default(),
            browser: gateway::Browser::default(),
            cors: gateway::Cors::default(),
            events: Events::default(),
            credentials: gateway::Remembered::default(),
        };
        change(&mut config);
        let host = Host::start(HostOptions::for_tests(clock))
            .await
            .expect("a host");
        let app = App::build(config.clone(), host.deps("gateway"))
            .await
            .expect("a gateway");
        Self {
            script,
            hand,
            host,
            config,
            router: app.http().expect("a router"),
            identity,
            messaging,
            addresses: (first, second),
        }
    }

    /// Another replica takes over.
    pub(crate) async fn replace_gateway(&mut self) {
        let app = App::build(self.config.clone(), self.host.deps("gateway"))
            .await
            .expect("a gateway");
        self.router = app.http().expect("a router");
    }

    /// Messaging dies, with every connection.
    pub(crate) async fn kill_messaging(&mut self) {
        self.messaging.kill().await;
    }

    /// Messaging comes back where it was.
    pub(crate) async fn restart_messaging(&mut self) {
        self.kill_messaging().await;
        let (server, _) = serve(&self.script, Part::Messaging, Some(self.addresses.1)).await;
        self.messaging = server;
    }

    pub(crate) async fn kill_identity(&mut self) {
        self.identity.kill().await;
    }

    pub(crate) fn agent_token(&self) -> String {
        self.script.token(&user(Role::Agent))
    }

    /// A request as an agent.
    pub(crate) fn agent(&self, method: &str, path: &str) -> Ask<'_> {
        self.ask(method, path).bearer(&self.agent_token())
    }

    /// A request without credentials.
    pub(crate) fn ask(&self, method: &str, path: &str) -> Ask<'_> {
        Ask {
            world: self,
            request: Request::builder().method(method).uri(path),
            body: Body::empty(),
        }
    }
}

/// A request that is being put together.
pub(crate) struct Ask<'w> {
    world: &'w World,
    request: http::request::Builder,
    body: Body,
}

impl Ask<'_> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// As a connection from there.
    pub(crate) fn from(mut self, peer: &str) -> Self {
        let peer: SocketAddr = peer.parse().expect("an address and a port");
        self.request = self.request.extension(ConnectInfo(peer));
        self
    }

    pub(crate) fn bearer(self, credential: &str) -> Self {
        self.header("authorization", &format!("Bearer {credential}"))
    }

    pub(crate) fn json(self, body: &str) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_owned())
    }

    pub(crate) fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// The answer; its body may still be coming.
    pub(crate) async fn send(self) -> Response {
        let request = self.request.body(self.body).expect("a request");
        let answering = self.world.router.clone().oneshot(request);
        tokio::time::timeout(SOON, answering)
            .await
            .expect("an answer in time")
            .expect("infallible")
    }

    /// The answer, read whole, and checked for what every answer has.
    pub(crate) async fn answer(self) -> Answer {
        let response = self.send().await;
        let (head, body) = response.into_parts();
        let body = tokio::time::timeout(SOON, body.collect())
            .await
            .expect("a body in time")
            .expect("a body");
        let answer = Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body.to_bytes().to_vec(),
        };
        assert!(answer.headers.contains_key("x-request-id"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        answer
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let values = self.headers.get_all(name).iter();
        values
            .map(|value| value.to_str().expect("text").to_owned())
            .collect()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The document of an error, checked for its form.
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        let body = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{body}");
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{body}"
        );
        assert_eq!(self.header("cache-control"), Some("no-store"));
        let problem = self.json();
        assert_eq!(problem["code"], code, "{body}");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["request_id"].as_str(), self.header("x-request-id"));
        for member in ["type", "title", "detail"] {
            assert!(problem[member].is_string(), "{member} is missing: {body}");
        }
        if status == 401 {
            let challenge = self.header("www-authenticate").expect("a challenge");
            assert!(challenge.starts_with("Bearer "), "{challenge}");
        }
        problem
    }
}

#[derive(Clone, Copy)]
enum Part {
    Identity,
    StrictIdentity,
    Messaging,
}

/// Identity's keys, known without asking.
struct Known(Jwk);

#[tonic::async_trait]
impl KeySource for Known {
    async fn fetch(&self) -> Result<Vec<Jwk>, KeySourceError> {
        Ok(vec![self.0.clone()])
    }
}

/// The gateway is what is tested; the services behind it let everybody in.
struct NothingRevoked;

#[tonic::async_trait]
impl RevocationSource for NothingRevoked {
    async fn fetch(&self, _: Option<DateTime<Utc>>) -> Result<News, RevocationsUnknown> {
        Ok(News::default())
    }
}

/// A server in a runtime of its own, so that it can die at once and take its connections along.
struct Server(Option<Runtime>);

impl Server {
    async fn kill(&mut self) {
        if let Some(runtime) = self.0.take() {
            let ending = move || runtime.shutdown_timeout(SOON);
            tokio::task::spawn_blocking(ending).await.expect("an end");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

async fn serve(script: &Script, part: Part, address: Option<SocketAddr>) -> (Server, SocketAddr) {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = std::net::TcpListener::bind(address.unwrap_or(any)).expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("an address");
    let keys = Jwks::new(Arc::new(Known(script.key.jwk())), script.clock.clone());
    let authorizer = Authorizer::new(
        Verifier::new(
            keys,
            Revocations::new(Arc::new(NothingRevoked), script.clock.clone()),
            script.clock.clone(),
        ),
        Policy::load().await.expect("the policy"),
        script.clock.clone(),
    );
    let mut server = tonic::transport::Server::builder()
        .max_concurrent_streams(STREAMS)
        .layer(GrpcLayer::new(authorizer));
    let router = match part {
        Part::StrictIdentity => server
            .add_service(IdentityServiceServer::new(script.clone()))
            .add_service(ScimServiceServer::new(ScimServiceValidated(script.clone())))
            .add_service(SsoServiceServer::new(SsoServiceValidated(script.clone()))),
        Part::Identity => server
            .add_service(IdentityServiceServer::new(script.clone()))
            .add_service(AccountServiceServer::new(script.clone()))
            .add_service(AuditServiceServer::new(script.clone()))
            .add_service(PeopleServiceServer::new(script.clone()))
            .add_service(ScimServiceServer::new(script.clone()))
            .add_service(SsoServiceServer::new(script.clone())),
        Part::Messaging => server
            .add_service(MessagingServiceServer::new(script.clone()))
            .add_service(TemplateServiceServer::new(script.clone()))
            .add_service(ContactServiceServer::new(script.clone()))
            .add_service(InboxServiceServer::new(script.clone()))
            .add_service(ChannelHealthServiceServer::new(script.clone())),
    };
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.spawn(async move {
        let listener = TcpListener::from_std(listener).expect("a socket");
        let incoming = TcpListenerStream::new(listener);
        router
            .serve_with_incoming(incoming)
            .await
            .expect("a server");
    });
    (Server(Some(runtime)), address)
}
