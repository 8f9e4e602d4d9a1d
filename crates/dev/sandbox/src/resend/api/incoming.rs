//! The head of a call.

use axum::extract::Request;
use http::{HeaderMap, Method, header};
use serde_json::Value;

use crate::resend::{Call, address::Address};

/// What a call asks for.
#[derive(Debug)]
pub(super) enum Operation {
    Send,
    SendBatch,
    Retrieve(String),
    WrongMethod,
    Unknown,
}

#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) operation: Operation,
    pub(super) api_key: Option<String>,
    pub(super) idempotency_key: Option<String>,
    /// Whether a batch may be taken in part.
    pub(super) permissive: bool,
}

impl Operation {
    fn read(method: &Method, path: &str) -> Self {
        let segments: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
        match segments[..] {
            ["emails"] if method == Method::POST => Self::Send,
            ["emails", "batch"] if method == Method::POST => Self::SendBatch,
            ["emails", id] if method == Method::GET => Self::Retrieve(id.to_owned()),
            ["emails"] | ["emails", _] => Self::WrongMethod,
            _ => Self::Unknown,
        }
    }

    pub(super) const fn call(&self) -> Call {
        match self {
            Self::Send => Call::Send,
            Self::SendBatch => Call::SendBatch,
            Self::Retrieve(_) => Call::Retrieve,
            Self::WrongMethod | Self::Unknown => Call::Unknown,
        }
    }
}

impl Incoming {
    pub(super) fn read(request: &Request) -> Self {
        let headers = request.headers();
        let bearer = text(headers, header::AUTHORIZATION.as_str());
        let key = bearer.as_deref().and_then(|value| value.split_once(' '));
        let key = key.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        Self {
            operation: Operation::read(request.method(), request.uri().path()),
            api_key: key.map(|(_, key)| key.trim().to_owned()),
            idempotency_key: text(headers, "idempotency-key"),
            permissive: text(headers, "x-batch-validation").as_deref() == Some("permissive"),
        }
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// All recipients of a request, as far as it can be read, without names.
pub(super) fn recipients(body: &Value) -> Vec<String> {
    let emails = match body {
        Value::Array(emails) => emails.as_slice(),
        other => std::slice::from_ref(other),
    };
    let mut found = Vec::new();
    for field in emails.iter().map(|email| &email["to"]) {
        let texts = match field {
            Value::Array(texts) => texts.as_slice(),
            other => std::slice::from_ref(other),
        };
        let texts = texts.iter().filter_map(Value::as_str);
        found.extend(texts.filter_map(Address::parse).map(|to| to.bare()));
    }
    found
}
