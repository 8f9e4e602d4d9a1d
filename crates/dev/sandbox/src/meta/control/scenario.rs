//! What happens: customers, statuses, webhooks, failures, settings.

use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    control::{Answer, Body, ControlError, created, ok, patched},
    meta::{Fault, InboundSpec, Meta, Profile, Settings, Status},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatusSpec {
    wamid: String,
    status: Status,
    /// Error code of `failed`.
    #[serde(default)]
    code: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSpec {
    app_id: String,
    payload: Value,
}

pub(super) async fn customer(State(meta): State<Meta>, Path(phone): Path<String>) -> Answer {
    Ok(ok(meta.customer(&phone)?))
}

pub(super) async fn change_customer(
    State(meta): State<Meta>,
    Path(phone): Path<String>,
    Body(patch): Body<Value>,
) -> Answer {
    let profile: Profile = patched(&meta.customer(&phone)?, &patch)?;
    meta.change_customer(&phone, profile)?;
    Ok(ok(meta.customer(&phone)?))
}

pub(super) async fn write(
    State(meta): State<Meta>,
    Path(phone): Path<String>,
    Body(spec): Body<InboundSpec>,
) -> Answer {
    Ok(created(meta.customer_writes(&phone, spec)?))
}

pub(super) async fn status(State(meta): State<Meta>, Body(spec): Body<StatusSpec>) -> Answer {
    meta.emit_status(&spec.wamid, spec.status, spec.code)?;
    Ok(created(json!({"success": true})))
}

pub(super) async fn raw(State(meta): State<Meta>, Body(spec): Body<RawSpec>) -> Answer {
    meta.deliver_raw(&spec.app_id, &spec.payload)?;
    Ok(created(json!({"success": true})))
}

pub(super) async fn faults(State(meta): State<Meta>) -> Answer {
    Ok(ok(json!({"data": meta.faults()})))
}

pub(super) async fn script(State(meta): State<Meta>, Body(fault): Body<Fault>) -> Answer {
    let id = meta.script(fault);
    Ok(created(json!({ "id": id })))
}

pub(super) async fn clear_faults(State(meta): State<Meta>) -> Answer {
    let removed = meta.remove_faults(None);
    Ok(ok(json!({ "removed": removed })))
}

pub(super) async fn remove_fault(State(meta): State<Meta>, Path(id): Path<u64>) -> Answer {
    match meta.remove_faults(Some(id)) {
        0 => Err(ControlError::unknown("fault", &id.to_string())),
        removed => Ok(ok(json!({ "removed": removed }))),
    }
}

pub(super) async fn settings(State(meta): State<Meta>) -> Answer {
    Ok(ok(&*meta.settings()))
}

pub(super) async fn change_settings(State(meta): State<Meta>, Body(patch): Body<Value>) -> Answer {
    let settings: Settings = patched(&*meta.settings(), &patch)?;
    meta.change_settings(settings);
    Ok(ok(&*meta.settings()))
}

pub(super) async fn reset(State(meta): State<Meta>) -> Answer {
    meta.reset();
    Ok(ok(json!({"success": true})))
}
