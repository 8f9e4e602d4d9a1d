//! Resend's API: one pipeline for every call. Key, rate, scripted failure, effect, answer.

mod incoming;
mod send;

use axum::{
    Json, Router,
    body::to_bytes,
    extract::{DefaultBodyLimit, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::Value;

use super::{
    Resend,
    error::ApiError,
    fault::{self, FaultKind, Subject},
    idempotency::Verdict,
    ledger::Rejection,
    team::{Grant, Rate},
};
use crate::{faults::hang, server::connection::Wire};
use incoming::{Incoming, Operation};

/// Resend: an e-mail has at most 40 MB.
const BODY_LIMIT: usize = 40 << 20;

/// Mounted at `/resend`.
pub(crate) fn router(resend: Resend) -> Router {
    Router::new()
        .fallback(handle)
        // The limit is in the pipeline, where it has Resend's error.
        .layer(DefaultBodyLimit::disable())
        .with_state(resend)
}

/// A call that failed, and the scripted failure it was if it was one.
struct Refused {
    error: ApiError,
    by_script: Option<&'static str>,
}

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Self {
        Self {
            error,
            by_script: None,
        }
    }
}

async fn handle(State(resend): State<Resend>, wire: Wire, request: Request) -> Response {
    let incoming = Incoming::read(&request);
    if !request.headers().contains_key(header::USER_AGENT) {
        // Said by the network before Resend, so not in Resend's shape.
        return (StatusCode::FORBIDDEN, "error code: 1010").into_response();
    }
    let mut subject = Subject {
        call: incoming.operation.call(),
        idempotency_key: incoming.idempotency_key.clone(),
        ..Subject::default()
    };
    let mut rate = None;
    let result = pipeline(&resend, &incoming, request, &wire, &mut subject, &mut rate).await;
    let mut response = result.unwrap_or_else(|refused| {
        resend.book_rejection(&subject, Some(&refused.error), refused.by_script);
        refused.error.response()
    });
    let throttled = response.status() == StatusCode::TOO_MANY_REQUESTS;
    if let Some(rate) = rate {
        tell_rate(response.headers_mut(), rate, throttled);
    }
    response
}

async fn pipeline(
    resend: &Resend,
    incoming: &Incoming,
    request: Request,
    wire: &Wire,
    subject: &mut Subject,
    rate: &mut Option<Rate>,
) -> Result<Response, Refused> {
    let grant = authorize(resend, incoming)?;
    subject.team = Some(grant.team.name.to_string());
    let settings = resend.settings();
    let (admitted, left) = grant.team.admit(&settings.limits, resend.clock().now());
    *rate = left;
    if !admitted {
        return Err(ApiError::too_fast(settings.limits.requests_per_second).into());
    }
    let body = read_json(&incoming.operation, request).await?;
    subject.to = incoming::recipients(&body);

    let Some(struck) = resend.0.faults.strike_answer(subject, resend.rng()) else {
        let answer = perform(resend, incoming, &grant, &body, subject, None).await?;
        return Ok(Json(answer).into_response());
    };
    let kind = struck.fault.kind;
    if kind.accepts() {
        let performed = perform(
            resend,
            incoming,
            &grant,
            &body,
            subject,
            Some(&struck.fault),
        );
        let answer = performed.await;
        let answer = answer.inspect_err(|_| resend.0.faults.give_back(&struck))?;
        let response = Json(answer).into_response();
        return Ok(fault::disturb(&struck.fault, response, wire, &resend.0.stop).await);
    }
    match fault::answer_without_accepting(&struck.fault, wire, &resend.0.stop).await {
        Ok(response) => {
            resend.book_rejection(subject, None, Some(kind.as_str()));
            Ok(response)
        }
        Err(error) => Err(Refused {
            error,
            by_script: Some(kind.as_str()),
        }),
    }
}

fn authorize(resend: &Resend, incoming: &Incoming) -> Result<Grant, ApiError> {
    let key = incoming.api_key.as_deref().ok_or_else(|| {
        ApiError::of(
            "missing_api_key",
            "Missing API key in the authorization header.",
        )
    })?;
    let grant = resend.0.teams.find(key);
    let grant = grant.ok_or_else(|| ApiError::of("invalid_api_key", "API key is invalid"))?;
    match incoming.operation {
        Operation::Unknown => Err(ApiError::not_found(
            "The requested endpoint does not exist.",
        )),
        Operation::WrongMethod => {
            let message = "Method is not allowed for the requested path.";
            Err(ApiError::of("method_not_allowed", message))
        }
        Operation::Retrieve(_) if grant.permission == super::Permission::SendingAccess => {
            let message = "This API key is restricted to only send emails.";
            Err(ApiError::of("restricted_api_key", message))
        }
        Operation::Send | Operation::SendBatch | Operation::Retrieve(_) => Ok(grant),
    }
}

async fn read_json(operation: &Operation, request: Request) -> Result<Value, ApiError> {
    if matches!(operation, Operation::Retrieve(_)) {
        return Ok(Value::Null);
    }
    let body = to_bytes(request.into_body(), BODY_LIMIT)
        .await
        .map_err(|_| ApiError::validation("The request body is too large or was cut off."))?;
    serde_json::from_slice(&body).map_err(|_| {
        ApiError::validation("The request body is not valid JSON.").status(StatusCode::BAD_REQUEST)
    })
}

/// Does what is asked, or repeats the answer of the first call with the key. An answer takes its time while the key is
/// in use.
async fn perform(
    resend: &Resend,
    incoming: &Incoming,
    grant: &Grant,
    body: &Value,
    subject: &Subject,
    fault: Option<&fault::Fault>,
) -> Result<Value, ApiError> {
    if let Operation::Retrieve(id) = &incoming.operation {
        return resend.retrieve(&grant.team, id);
    }
    let key = subject.idempotency_key.as_deref();
    let keys = &grant.team.keys;
    let hold = match keys.claim(key, body, resend.clock().now())? {
        Verdict::Replay(answer) => {
            resend.ledger().replayed();
            return Ok(answer);
        }
        Verdict::Perform(hold) => hold,
    };
    let seen_as = fault.map_or("returned", |fault| fault.kind.as_str());
    let answer = match incoming.operation {
        Operation::SendBatch => {
            resend.send_batch(&grant.team, body, incoming.permissive, subject, seen_as)?
        }
        _ => resend.send(&grant.team, body, subject, seen_as)?,
    };
    hold.remember(&answer);
    let settings = resend.settings();
    let usual = resend.rng().with(|rng| settings.answer_ms.draw(rng));
    let slow = fault.filter(|fault| fault.kind == FaultKind::SlowResponse);
    let slow_ms = slow.map_or(0, |fault| fault.delay_ms.unwrap_or(1_000));
    let wait_ms = u64::try_from(usual.as_millis()).unwrap_or(u64::MAX);
    if wait_ms.saturating_add(slow_ms) > 0 {
        hang(wait_ms.saturating_add(slow_ms), &resend.0.stop).await;
    }
    drop(hold);
    Ok(answer)
}

/// Resend: on every answer, and on a 429 when to come back. The window is a second.
fn tell_rate(headers: &mut HeaderMap, rate: Rate, throttled: bool) {
    headers.insert("ratelimit-limit", HeaderValue::from(rate.limit));
    headers.insert("ratelimit-remaining", HeaderValue::from(rate.remaining));
    headers.insert("ratelimit-reset", HeaderValue::from(1_u16));
    if throttled {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(1_u16));
    }
}

impl Resend {
    /// Writes a call that came to nothing into the ledger.
    fn book_rejection(
        &self,
        subject: &Subject,
        error: Option<&ApiError>,
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
            team: subject.team.clone(),
            to: subject.to.clone(),
            idempotency_key: subject.idempotency_key.clone(),
            http_status: error.map_or(bare_status, |error| error.status.as_u16()),
            name: error.map(|error| error.name.clone()),
            message: error.map(|error| error.message.clone()),
            fault,
        });
    }
}
