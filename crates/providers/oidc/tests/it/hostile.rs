//! A provider that does what it is told, at each of its endpoints.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

/// What an endpoint answers.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Json(Value),
    Error(u16, Value),
    Text(&'static str),
    Status(u16),
    Redirect(String),
    /// 100 MB.
    Huge,
    /// Never.
    Silence,
    /// A byte now and then, for ever.
    Trickle,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) form: HashMap<String, String>,
}

#[derive(Default)]
struct Script {
    answers: HashMap<&'static str, Answer>,
    received: Vec<Received>,
}

pub(crate) struct Hostile {
    pub(crate) issuer: String,
    pub(crate) port: u16,
    script: Arc<Mutex<Script>>,
}

pub(crate) const DISCOVERY: &str = "/.well-known/openid-configuration";
pub(crate) const KEYS: &str = "/keys";
pub(crate) const TOKEN: &str = "/token";
pub(crate) const USERINFO: &str = "/userinfo";

impl Hostile {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let script = Arc::new(Mutex::new(Script::default()));
        let router = Router::new()
            .fallback(serve)
            .with_state(Arc::clone(&script));
        #[expect(
            clippy::disallowed_methods,
            reason = "a test server lives as long as the test's runtime"
        )]
        tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves");
        });
        let issuer = format!("http://127.0.0.1:{port}");
        let hostile = Self {
            issuer,
            port,
            script,
        };
        hostile.answer(DISCOVERY, Answer::Json(hostile.document()));
        hostile
    }

    /// The document of an honest provider.
    pub(crate) fn document(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        json!({
            "issuer": self.issuer,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at(TOKEN),
            "userinfo_endpoint": at(USERINFO),
            "jwks_uri": at(KEYS),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "EdDSA"],
            "code_challenge_methods_supported": ["S256"],
        })
    }

    pub(crate) fn answer(&self, path: &'static str, answer: Answer) {
        let mut script = self.script.lock().expect("not poisoned");
        script.answers.insert(path, answer);
    }

    /// What came for an endpoint so far.
    pub(crate) fn received(&self, path: &str) -> Vec<Received> {
        let script = self.script.lock().expect("not poisoned");
        let here = |request: &&Received| request.path == path;
        script.received.iter().filter(here).cloned().collect()
    }
}

async fn serve(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 64 * 1024).await.expect("a small body");
    let query = format!("http://form?{}", String::from_utf8_lossy(&body));
    let form = Url::parse(&query).expect("a form");
    let path = head.uri.path().to_owned();
    let answer = {
        let mut script = script.lock().expect("not poisoned");
        script.received.push(Received {
            path: path.clone(),
            headers: head.headers,
            form: form.query_pairs().into_owned().collect(),
        });
        script.answers.get(path.as_str()).cloned()
    };
    respond(answer.unwrap_or(Answer::Status(404))).await
}

async fn respond(answer: Answer) -> Response {
    let status = |code| StatusCode::from_u16(code).expect("a status");
    match answer {
        Answer::Json(value) => axum::Json(value).into_response(),
        Answer::Error(code, value) => (status(code), axum::Json(value)).into_response(),
        Answer::Text(text) => text.into_response(),
        Answer::Status(code) => status(code).into_response(),
        Answer::Redirect(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Answer::Huge => {
            let piece = Bytes::from(vec![b' '; 64 * 1024]);
            let pieces = stream::iter((0..1_600).map(move |_| Ok::<_, Infallible>(piece.clone())));
            Body::from_stream(pieces).into_response()
        }
        Answer::Silence => std::future::pending().await,
        Answer::Trickle => {
            let bytes = stream::unfold((), |()| async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Some((Ok::<_, Infallible>(Bytes::from_static(b" ")), ()))
            });
            Body::from_stream(bytes).into_response()
        }
    }
}
