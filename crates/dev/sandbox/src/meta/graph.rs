//! The Graph API: one pipeline for every call. Token, object, scripted failure, effect, answer.

mod blocks;
mod incoming;
mod media;
mod nodes;
mod operation;
mod send;
mod subscriptions;
mod templates;
mod token;

use std::time::Duration;

use axum::{
    Json, Router,
    body::{Body, Bytes, to_bytes},
    extract::{DefaultBodyLimit, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::{
    Meta,
    error::GraphError,
    fault::{self, Call, FaultKind, Subject},
    identifiers::trace_id,
    ledger::Rejection,
};
use crate::server::connection::Wire;
use incoming::Incoming;
use operation::Operation;

/// Largest JSON body taken. Meta's own limit isn't published; a message is far smaller.
const JSON_LIMIT: usize = 1 << 20;

/// Everything outside `/_sandbox`. Paths are resolved by hand, because what a path means depends
/// on what kind of object its id belongs to.
pub(crate) fn router(meta: Meta) -> Router {
    Router::new()
        .fallback(handle)
        // Each operation has a limit of its own.
        .layer(DefaultBodyLimit::disable())
        .with_state(meta)
}

/// What a call returns when all went well.
struct Reply {
    response: Response,
    /// Statuses were told to overtake the answer.
    hold: Option<Duration>,
}

impl Reply {
    fn json(value: Value) -> Self {
        Self {
            response: Json(value).into_response(),
            hold: None,
        }
    }

    fn success() -> Self {
        Self::json(json!({"success": true}))
    }
}

/// A call that failed, and the scripted failure it was if it was one.
struct Refused {
    error: GraphError,
    by_script: Option<&'static str>,
}

impl From<GraphError> for Refused {
    fn from(error: GraphError) -> Self {
        Self {
            error,
            by_script: None,
        }
    }
}

/// The body of a call, read as far as scripted failures need it.
enum Payload {
    None,
    Json {
        raw: Bytes,
        value: Value,
    },
    /// A multipart upload, unread.
    Upload(Request),
}

async fn handle(State(meta): State<Meta>, wire: Wire, request: Request) -> Response {
    let trace = meta.rng().with(trace_id);
    let (parts, body) = request.into_parts();
    let incoming = Incoming::read(&parts);
    let request = Request::from_parts(parts, body);
    let mut subject = Subject::default();
    let result = pipeline(&meta, &incoming, request, &wire, &trace, &mut subject).await;
    let mut response = result.unwrap_or_else(|refused| {
        meta.book_rejection(&subject, Some(&refused.error), refused.by_script);
        refused.error.response(&trace)
    });
    let headers = response.headers_mut();
    for (name, value) in [
        ("x-fb-request-id", trace.as_str()),
        ("facebook-api-version", incoming.answered_as()),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

async fn pipeline(
    meta: &Meta,
    incoming: &Incoming,
    request: Request,
    wire: &Wire,
    trace: &str,
    subject: &mut Subject,
) -> Result<Response, Refused> {
    let operation = operation::resolve(meta, incoming)?;
    subject.call = operation.call();
    subject.phone_number_id = operation.phone_number_id();
    let (operation, payload) = prepare(operation, request, subject).await?;

    let Some(struck) = meta.0.faults.strike_answer(subject, meta.rng()) else {
        let reply = perform(meta, incoming, operation, payload, subject, "returned").await?;
        return Ok(take_time(meta, reply).await);
    };
    let kind = struck.fault.kind;
    if kind.accepts() {
        let performed = perform(meta, incoming, operation, payload, subject, kind.as_str()).await;
        let reply = performed.inspect_err(|_| meta.0.faults.give_back(&struck))?;
        let response = take_time(meta, reply).await;
        return Ok(fault::disturb(&struck.fault, response, trace, wire, &meta.0.stop).await);
    }
    match fault::answer_without_accepting(&struck.fault, wire, &meta.0.stop).await {
        Ok(response) => {
            meta.book_rejection(subject, None, Some(kind.as_str()));
            Ok(response)
        }
        Err(error) => Err(Refused {
            error,
            by_script: Some(kind.as_str()),
        }),
    }
}

/// The time an ordinary answer takes. Real time, as the caller's deadline is.
async fn take_time(meta: &Meta, reply: Reply) -> Response {
    let settings = meta.settings();
    let usual = meta.rng().with(|rng| settings.answer_ms.draw(rng));
    let wait = usual + reply.hold.unwrap_or_default();
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    reply.response
}

/// Reads the body, and tells a message from a read mark, which go to the same path.
async fn prepare(
    operation: Operation,
    request: Request,
    subject: &mut Subject,
) -> Result<(Operation, Payload), GraphError> {
    let number = match operation {
        Operation::UploadMedia(_) => return Ok((operation, Payload::Upload(request))),
        Operation::ConfigureNumber(_)
        | Operation::CreateTemplate(_)
        | Operation::EditTemplate { .. }
        | Operation::Subscribe { .. }
        | Operation::ChangeBlocks(..) => {
            let payload = read_json(request.into_body()).await?;
            return Ok((operation, payload));
        }
        Operation::SendMessage(number) => number,
        _ => return Ok((operation, Payload::None)),
    };
    let payload = read_json(request.into_body()).await?;
    let value = match &payload {
        Payload::Json { value, .. } => value,
        _ => &Value::Null,
    };
    if value["status"].is_string() {
        subject.call = Call::MarkRead;
        return Ok((Operation::MarkRead(number), payload));
    }
    let field = |name: &str| value[name].as_str().map(str::to_owned);
    subject.to = field("to").or_else(|| field("recipient"));
    subject.message_type = Some(field("type").unwrap_or_else(|| "text".into()));
    subject.opaque = field("biz_opaque_callback_data");
    Ok((Operation::SendMessage(number), payload))
}

async fn read_json(body: Body) -> Result<Payload, GraphError> {
    let raw = to_bytes(body, JSON_LIMIT)
        .await
        .map_err(|_| GraphError::schema("The request body is too large or was cut off"))?;
    if raw.is_empty() {
        return Ok(Payload::None);
    }
    let value = serde_json::from_slice(&raw)
        .map_err(|_| GraphError::schema("The request body is not valid JSON"))?;
    Ok(Payload::Json { raw, value })
}

async fn perform(
    meta: &Meta,
    incoming: &Incoming,
    operation: Operation,
    payload: Payload,
    subject: &Subject,
    answer: &'static str,
) -> Result<Reply, GraphError> {
    let (raw, value) = match payload {
        Payload::Upload(request) => {
            return match operation {
                Operation::UploadMedia(number) => meta.upload_media(&number, request).await,
                _ => Err(GraphError::of(1)),
            };
        }
        Payload::Json { raw, value } => (raw, value),
        Payload::None => (Bytes::new(), Value::Null),
    };
    match operation {
        Operation::SendMessage(number) => meta.send_message(&number, raw, &value, subject, answer),
        Operation::MarkRead(number) => meta.mark_read(&number, &value),
        Operation::ChangeBlocks(number, block) => meta.change_blocks(&number, block, &value),
        Operation::ConfigureNumber(number) => meta.configure_number(&number, &value).await,
        Operation::CreateTemplate(account) => meta.create_template(&account, &value),
        Operation::EditTemplate { account, known } => templates::edit(&account, &known, &value),
        Operation::Subscribe { account, app_id } => meta.subscribe(&account, app_id, &value).await,
        other => meta.look_up(incoming, other),
    }
}

impl Meta {
    /// Writes a call that came to nothing into the ledger.
    fn book_rejection(
        &self,
        subject: &Subject,
        error: Option<&GraphError>,
        fault: Option<&'static str>,
    ) {
        // A page instead of an answer still has a status; a broken connection has none.
        let bare_status = match fault {
            Some(name) if name == FaultKind::Html502.as_str() => 502,
            _ => 0,
        };
        self.ledger().reject(Rejection {
            seq: 0,
            at: self.clock().now(),
            call: subject.call,
            phone_number_id: subject.phone_number_id.clone(),
            to: subject.to.clone(),
            opaque: subject.opaque.clone(),
            http_status: error.map_or(bare_status, |error| error.status.as_u16()),
            code: error.map(|error| error.code),
            subcode: error.and_then(|error| error.subcode),
            message: error.map(|error| error.message.clone()),
            details: error.and_then(|error| error.details.clone()),
            fault,
        });
    }
}
