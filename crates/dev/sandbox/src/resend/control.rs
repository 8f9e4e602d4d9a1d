//! The control API of Resend, under `/_sandbox/resend`.

use axum::{
    Router,
    extract::{Path, Query, State, rejection::QueryRejection},
    response::Response,
    routing::{delete, get, post},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Fault, Filter, KeySpec, Resend, Settings, SetupSpec};
use crate::control::{Answer, Body, ControlError, created, ok, patched};

const DEFAULT_LIMIT: usize = 100;
const MOST: usize = 100_000;

pub(crate) fn router(resend: Resend) -> Router {
    Router::new()
        .route("/setup", post(set_up))
        .route("/api_keys", post(add_key))
        .route("/mailbox", get(mailbox))
        .route("/mailbox/{id}", get(mail))
        .route("/rejections", get(rejections))
        .route("/deliveries", get(deliveries))
        .route("/counters", get(counters))
        .route("/ledger", delete(clear))
        .route("/faults", get(faults).post(script).delete(clear_faults))
        .route("/faults/{id}", delete(remove_fault))
        .route("/settings", get(settings).patch(change_settings))
        .route("/reset", post(reset))
        .fallback(async || ControlError::Unknown("there is no such control path".into()))
        .with_state(resend)
}

type Asked = Result<Query<Filter>, QueryRejection>;

fn filter(asked: Asked) -> Result<Filter, ControlError> {
    let Query(filter) = asked.map_err(|error| ControlError::Invalid(error.body_text()))?;
    let limit = filter.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MOST);
    Ok(Filter {
        limit: Some(limit),
        ..filter
    })
}

/// A page, and the `after` of the next one while there may be more.
fn page<T: Serialize>(entries: &[T], filter: &Filter, seq: impl Fn(&T) -> u64) -> Response {
    let full = filter.limit.is_some_and(|limit| entries.len() == limit);
    let next = entries.last().map(seq).filter(|_| full);
    ok(json!({"data": entries, "next_after": next}))
}

async fn set_up(State(resend): State<Resend>, Body(spec): Body<SetupSpec>) -> Answer {
    let team = spec.team.clone();
    resend.set_up(spec)?;
    Ok(created(json!({ "team": team })))
}

async fn add_key(State(resend): State<Resend>, Body(spec): Body<KeySpec>) -> Answer {
    resend.add_key(&spec)?;
    Ok(created(json!({"success": true})))
}

async fn mailbox(State(resend): State<Resend>, asked: Asked) -> Answer {
    let filter = filter(asked)?;
    let mails = resend.ledger().mailbox(&filter);
    Ok(page(&mails, &filter, |mail| mail.seq))
}

async fn mail(State(resend): State<Resend>, Path(id): Path<String>) -> Answer {
    let mail = resend.ledger().find_mail(&id);
    Ok(ok(mail.ok_or_else(|| ControlError::unknown("e-mail", &id))?))
}

async fn rejections(State(resend): State<Resend>, asked: Asked) -> Answer {
    let filter = filter(asked)?;
    let rejections = resend.ledger().rejections(&filter);
    Ok(page(&rejections, &filter, |entry| entry.seq))
}

async fn deliveries(State(resend): State<Resend>, asked: Asked) -> Answer {
    let filter = filter(asked)?;
    let deliveries = resend.ledger().deliveries(&filter);
    Ok(page(&deliveries, &filter, |entry| entry.seq))
}

async fn counters(State(resend): State<Resend>) -> Answer {
    Ok(ok(resend.counters()))
}

async fn clear(State(resend): State<Resend>) -> Answer {
    resend.ledger().clear();
    Ok(ok(json!({"success": true})))
}

async fn faults(State(resend): State<Resend>) -> Answer {
    Ok(ok(json!({"data": resend.faults()})))
}

async fn script(State(resend): State<Resend>, Body(fault): Body<Fault>) -> Answer {
    let id = resend.script(fault);
    Ok(created(json!({ "id": id })))
}

async fn clear_faults(State(resend): State<Resend>) -> Answer {
    let removed = resend.remove_faults(None);
    Ok(ok(json!({ "removed": removed })))
}

async fn remove_fault(State(resend): State<Resend>, Path(id): Path<u64>) -> Answer {
    match resend.remove_faults(Some(id)) {
        0 => Err(ControlError::unknown("fault", &id.to_string())),
        removed => Ok(ok(json!({ "removed": removed }))),
    }
}

async fn settings(State(resend): State<Resend>) -> Answer {
    Ok(ok(&*resend.settings()))
}

async fn change_settings(State(resend): State<Resend>, Body(patch): Body<Value>) -> Answer {
    let settings: Settings = patched(&*resend.settings(), &patch)?;
    resend.change_settings(settings);
    Ok(ok(&*resend.settings()))
}

async fn reset(State(resend): State<Resend>) -> Answer {
    resend.reset();
    Ok(ok(json!({"success": true})))
}
