//! Apps, accounts, numbers, tokens and templates.

use axum::extract::{Path, State};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    control::{Answer, Body, ControlError, created, ok, patched},
    meta::{AccountSpec, AppSpec, Meta, NumberSpec, SetupSpec, Template, TokenSpec},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Revocation {
    access_token: SecretString,
}

pub(super) async fn set_up(State(meta): State<Meta>, Body(spec): Body<SetupSpec>) -> Answer {
    Ok(created(meta.set_up(spec).await?))
}

pub(super) async fn app(State(meta): State<Meta>, Body(spec): Body<AppSpec>) -> Answer {
    let app_id = meta.register_app(spec).await?;
    Ok(created(json!({ "app_id": app_id })))
}

pub(super) async fn account(State(meta): State<Meta>, Body(spec): Body<AccountSpec>) -> Answer {
    let waba_id = meta.register_account(spec)?;
    Ok(created(json!({ "waba_id": waba_id })))
}

pub(super) async fn number(State(meta): State<Meta>, Body(spec): Body<NumberSpec>) -> Answer {
    let id = meta.register_number(spec)?;
    Ok(created(json!({ "phone_number_id": id })))
}

pub(super) async fn read_number(State(meta): State<Meta>, Path(id): Path<String>) -> Answer {
    Ok(ok(meta.number(&id)?))
}

pub(super) async fn change_number(
    State(meta): State<Meta>,
    Path(id): Path<String>,
    Body(patch): Body<Value>,
) -> Answer {
    let spec: NumberSpec = patched(&meta.number(&id)?, &patch)?;
    meta.change_number(&id, spec)?;
    Ok(ok(meta.number(&id)?))
}

pub(super) async fn token(State(meta): State<Meta>, Body(spec): Body<TokenSpec>) -> Answer {
    meta.register_token(spec)?;
    Ok(created(json!({"success": true})))
}

pub(super) async fn revoke_token(
    State(meta): State<Meta>,
    Body(revocation): Body<Revocation>,
) -> Answer {
    meta.revoke_token(&revocation.access_token)?;
    Ok(ok(json!({"success": true})))
}

pub(super) async fn template(
    State(meta): State<Meta>,
    Path(waba_id): Path<String>,
    Body(template): Body<Template>,
) -> Result<axum::response::Response, ControlError> {
    let id = meta.register_template(&waba_id, template)?;
    Ok(created(json!({ "template_id": id })))
}
