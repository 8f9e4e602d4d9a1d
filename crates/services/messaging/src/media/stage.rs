//! What tests of files begin with: a tenant's number at a sandbox that plays WhatsApp, and a customer who sends files.

use std::{sync::Arc, time::Duration};

use bus::{BatchHandler, Delivery, Envelope};
use clock::Clock;
use ids::{EventId, MediaId, MessageId};
use outbound::Body;
use prost::Message;
use proto::{edge::events::v1::WhatsAppReceived, events::DomainEvent, messaging::v1::MediaKind};
use sandbox::{
    Sandbox, SandboxConfig, SandboxHandle,
    meta::{Fault, FaultKind, SetupSpec},
};
use secrecy::SecretString;
use serde_json::{Value, json};
use tower::ServiceExt;
use whatsapp::client::Upload;

use crate::{
    events::on_whatsapp_received::{OnWhatsAppReceived, SUBSCRIPTION},
    fixture::{Fixture, management},
    jobs::{fetch_media, transfers, upload_media},
    ops::create_media,
    outbound::Engine,
    store::media::{self, Media},
};

/// Of the sandbox.
pub(crate) const NUMBER: &str = "1001";
pub(crate) const ACCOUNT: &str = "2001";
pub(crate) const APP: &str = "3001";

pub(crate) struct Stage {
    pub(crate) fixture: Fixture,
    pub(crate) sandbox: SandboxHandle,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let config = SandboxConfig::default();
        // Its time passes by itself: addresses of files end there and not here.
        let sandbox = Sandbox::start(config, Clock::system()).await;
        let sandbox = sandbox.expect("a sandbox");
        let setup = SetupSpec {
            app_id: Some(APP.to_owned()),
            waba_id: Some("2001".to_owned()),
            phone_number_id: Some(NUMBER.to_owned()),
            enforce_window: false,
            access_token: SecretString::from("t"),
            ..SetupSpec::default()
        };
        sandbox.meta().set_up(setup).await.expect("a number");
        let fixture = Fixture::with_graph(sandbox.base_url()).await;
        Self { fixture, sandbox }
    }

    /// WhatsApp's next `times` answers to these calls are 503, or whatever `kind` is.
    pub(crate) fn fault(&self, call: sandbox::meta::Call, kind: FaultKind, times: u32) {
        let mut fault = Fault::new(kind);
        fault.call = call;
        fault.times = times;
        fault.http_status = Some(503);
        self.sandbox.meta().script(fault);
    }

    /// WhatsApp's id of a file that a customer has sent.
    pub(crate) async fn file_at_whatsapp(&self, mime_type: &str, bytes: &[u8]) -> String {
        let upload = Upload {
            mime_type: mime_type.to_owned(),
            filename: "file".to_owned(),
            size_bytes: bytes.len() as u64,
            body: Body::from(bytes.to_vec()),
        };
        let graph = &self.fixture.engine.files.graph;
        let id = graph.upload(NUMBER, &SecretString::from("t"), upload).await;
        id.expect("an id")
    }

    /// A customer's message with that file arrives; it, and its file.
    pub(crate) async fn arrives(&self, kind: &str, media: Value) -> (MessageId, MediaId) {
        let message = json!({
            "from": "491701", "id": format!("wamid.{}", MessageId::generate()), "timestamp": "1770000000",
            "type": kind, kind: media,
        });
        let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "2001", "changes": [{
            "field": "messages",
            "value": {
                "messaging_product": "whatsapp",
                "metadata": { "display_phone_number": "49301", "phone_number_id": NUMBER },
                "contacts": [{ "wa_id": "491701", "profile": { "name": "Ada" } }],
                "messages": [message],
            },
        }] }] });
        self.hear(body.to_string().into_bytes()).await;
        let row: (uuid::Uuid, uuid::Uuid) = sqlx::query_as(
            "select message_id, id from messaging.media where message_id is not null order by id desc limit 1",
        )
        .fetch_one(&mut self.fixture.admin().await)
        .await
        .expect("a file");
        (MessageId::from_uuid(row.0), MediaId::from_uuid(row.1))
    }

    /// The same with a WhatsApp that can't be reached.
    pub(crate) fn away(&self) -> Arc<Engine> {
        let mut engine = Engine::clone(&self.fixture.engine);
        engine.management = management("http://127.0.0.1:9", self.fixture.db.clock());
        Arc::new(engine)
    }

    /// Pauses within a call wait for the test's clock.
    pub(crate) async fn while_time_passes<T>(&self, work: impl Future<Output = T>) -> T {
        let hand = self.fixture.hand.clone();
        let passing = async move {
            loop {
                tokio::time::sleep(Duration::from_millis(5)).await;
                hand.advance(Duration::from_secs(1));
            }
        };
        tokio::select! {
            done = work => done,
            () = passing => unreachable!("time goes on"),
        }
    }

    /// A webhook arrives.
    pub(crate) async fn hear(&self, body: Vec<u8>) {
        let fixture = &self.fixture;
        let received = WhatsAppReceived {
            webhook_id: "wh_1".to_owned(),
            app: "default".to_owned(),
            body,
            received_at: None,
        };
        let delivery = Delivery {
            envelope: Envelope {
                event_id: EventId::generate(),
                event_type: WhatsAppReceived::SPEC.event_type.to_owned(),
                organization_id: None,
                key: "wh_1".to_owned(),
                occurred_at: fixture.now(),
                traceparent: None,
                causation_id: None,
                actor: None,
                aggregate_version: None,
            },
            exchange: SUBSCRIPTION.exchange.to_owned(),
            routing_key: SUBSCRIPTION.routing_key.to_owned(),
            payload: received.encode_to_vec(),
            attempts: 0,
        };
        let handler = OnWhatsAppReceived {
            clock: fixture.db.clock().clone(),
            callback: fixture.engine.callback.clone(),
        };
        let mut tx = fixture.system().await;
        handler
            .handle(&mut tx, &[delivery])
            .await
            .expect("outcomes");
        tx.commit().await.expect("commit");
    }

    /// Does what is due of fetching; how many jobs there were.
    pub(crate) async fn fetch(&self) -> usize {
        let engine = &self.fixture.engine;
        let leased = transfers::claim(engine, fetch_media::KIND, 8).await;
        let leased = leased.expect("jobs");
        let count = leased.len();
        for job in leased {
            let fetched = fetch_media::fetch(Arc::clone(engine), job).await;
            fetched.expect("an attempt");
        }
        count
    }

    /// Does what is due of uploading; how many jobs there were.
    pub(crate) async fn upload(&self) -> usize {
        let engine = &self.fixture.engine;
        let leased = transfers::claim(engine, upload_media::KIND, 8).await;
        let leased = leased.expect("jobs");
        let count = leased.len();
        for job in leased {
            let uploaded = upload_media::upload(Arc::clone(engine), job).await;
            uploaded.expect("an attempt");
        }
        count
    }

    pub(crate) async fn media(&self, id: MediaId) -> Media {
        let mut tx = self.fixture.tenant().await;
        let of = self.fixture.route.organization_id;
        let found = media::find(tx.conn(), of, id).await.expect("read");
        found.expect("the file")
    }

    /// How many files are kept, of all organizations.
    pub(crate) async fn kept(&self) -> usize {
        use futures::StreamExt as _;
        self.fixture.engine.files.store.list().count().await
    }

    /// How many events of this type were told.
    pub(crate) async fn told<E: DomainEvent>(&self) -> i64 {
        let of = format!("outbox where event_type = '{}'", E::SPEC.event_type);
        self.fixture.count(&of).await
    }
}

/// A PNG of some colour.
pub(crate) fn png(colour: u8) -> Vec<u8> {
    let picture = image::RgbImage::from_pixel(8, 4, image::Rgb([colour, 0, 0]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::ImageRgb8(picture)
        .write_to(&mut bytes, image::ImageFormat::Png)
        .expect("a PNG");
    bytes.into_inner()
}

impl Stage {
    /// Begins an upload; where to put the bytes, as a path.
    pub(crate) async fn begin(&self, kind: MediaKind, filename: &str) -> (MediaId, String) {
        let input = create_media::Input {
            kind,
            filename: filename.to_owned(),
            idempotency: None,
        };
        let (db, scope) = (&self.fixture.db, self.fixture.scope());
        let begun = create_media::create_media(db, &self.fixture.engine.files, &scope, input);
        let begun = begun.await.expect("an upload");
        let id = begun.media.expect("a file").id.parse().expect("an id");
        (id, path(&begun.upload_url))
    }

    /// A request to an address of a file.
    pub(crate) async fn ask(&self, request: http::Request<axum::body::Body>) -> Answer {
        let router = super::http::router(Arc::clone(&self.fixture.engine));
        let response = router.oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX)
            .await
            .expect("a body");
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.to_vec(),
        }
    }

    pub(crate) async fn put(&self, path: &str, mime_type: &str, bytes: &[u8]) -> Answer {
        let request = http::Request::put(path)
            .header("content-type", mime_type)
            .body(axum::body::Body::from(bytes.to_vec()));
        self.ask(request.expect("a request")).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = http::Request::get(path).body(axum::body::Body::empty());
        self.ask(request.expect("a request")).await
    }

    /// An uploaded file.
    pub(crate) async fn uploaded(&self, kind: MediaKind, mime_type: &str, bytes: &[u8]) -> MediaId {
        let (id, path) = self.begin(kind, "").await;
        assert_eq!(self.put(&path, mime_type, bytes).await.status, 200);
        id
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The code of a problem document.
    pub(crate) fn code(&self) -> String {
        let problem: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        problem["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// An address without its host.
pub(crate) fn path(address: &str) -> String {
    let path = address.strip_prefix("https://files.example");
    path.expect("an address of ours").to_owned()
}
