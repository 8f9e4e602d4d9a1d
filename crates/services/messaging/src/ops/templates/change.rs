//! CreateTemplate, UpdateTemplate, DeleteTemplate and SyncTemplates.

use auth::Origin;
use db::{
    DbError, TenantTx,
    idempotency::{self, Outcome, RequestHash},
    outbox,
};
use ids::{TemplateId, TenantScope};
use proto::messaging::v1::{
    CreateTemplateRequest, MessageTemplate, TemplateDefinition, UpdateTemplateRequest,
};
use serde_json::json;

use super::{Speaker, definition, stored, view};
use crate::{
    domain::template::{check, state, to_meta},
    error::Error,
    events::{audit, publish},
    jobs::sync_templates,
    ops,
    outbound::Engine,
    store::{
        channels,
        templates::{self, NewTemplate, Standing, Template},
    },
};

pub(crate) async fn create_template(
    engine: &Engine,
    scope: &TenantScope,
    origin: &Origin,
    request: CreateTemplateRequest,
    idempotency: Option<(String, RequestHash)>,
) -> Result<MessageTemplate, Error> {
    let (category, format) = (request.category(), request.parameter_format());
    let wanted = request.definition.unwrap_or_default();
    refuse_bad(check::problems(&wanted, category, format))?;
    let of = scope.organization_id;
    let mut tx = TenantTx::begin(&engine.db, scope).await?;
    let guard = match &idempotency {
        Some((key, hash)) => match idempotency::begin(&mut tx, "CreateTemplate", key, *hash).await?
        {
            // Reviews go on: answer how it is now.
            Outcome::Replay(answer) => {
                let id = String::from_utf8(answer).unwrap_or_default();
                let id = ops::view::id("templateId", &id)?;
                let found = templates::find(tx.conn(), of, id).await?;
                return view(found.ok_or(Error::NotFound("template"))?);
            }
            Outcome::New(guard) => Some(guard),
        },
        None => None,
    };
    if !channels::has_account(tx.conn(), of, &request.waba_id).await? {
        return Err(Error::NotFound("WhatsApp account"));
    }
    let now = engine.clock().now();
    let new = NewTemplate {
        id: TemplateId::stamped(now),
        waba_id: &request.waba_id,
        name: &request.name,
        language: &request.language,
        category: state::category_word(category),
        parameter_format: state::format_word(format),
        definition: &stored(&wanted)?,
    };
    templates::insert_draft(tx.conn(), of, &new, now)
        .await
        .map_err(exists)?;
    let author = scope.actor.to_string();
    templates::insert_revision(tx.conn(), of, new.id, 1, &author, now).await?;
    if let Some(guard) = guard {
        guard.store(&mut tx, new.id.to_string().as_bytes()).await?;
    }
    let written = told(&mut tx, scope, origin, new.id, "template.created", now).await?;
    tx.commit().await?;
    view(written)
}

pub(crate) async fn update_template(
    engine: &Engine,
    scope: &TenantScope,
    origin: &Origin,
    id: TemplateId,
    request: UpdateTemplateRequest,
) -> Result<MessageTemplate, Error> {
    let wanted = request.definition.unwrap_or_default();
    let mut tx = TenantTx::begin(&engine.db, scope).await?;
    let known = changeable(&mut tx, scope, id, request.revision, &wanted).await?;
    if known.provider_id.is_some() {
        // Nothing is stored of it before Meta has taken it: its list would contradict.
        let speaker = Speaker::find(&mut tx, scope.organization_id, &known.waba_id).await?;
        drop(tx);
        let speaker = speaker.ok_or(Error::ChannelUnavailable)?;
        let token = speaker.token(engine).await?;
        let format = state::format(&known.parameter_format);
        let components = to_meta::components(&wanted, format);
        let provider_id = known.provider_id.as_deref().unwrap_or_default();
        engine
            .whatsapp
            .edit_template(provider_id, &token, &components)
            .await
            .map_err(refused)?;
        tx = TenantTx::begin(&engine.db, scope).await?;
        // If somebody was faster, Meta has ours and the list will say so.
        changeable(&mut tx, scope, id, request.revision, &wanted).await?;
    }
    let (of, now) = (scope.organization_id, engine.clock().now());
    let revision = templates::revise(tx.conn(), of, id, &stored(&wanted)?, now).await?;
    let author = scope.actor.to_string();
    templates::insert_revision(tx.conn(), of, id, revision, &author, now).await?;
    if known.provider_id.is_some() {
        templates::mark_submitted(tx.conn(), of, id, now).await?;
        let pending = Standing {
            status: Some(state::PENDING),
            ..Standing::default()
        };
        templates::set_standing(tx.conn(), of, id, &pending, now).await?;
    }
    let written = told(&mut tx, scope, origin, id, "template.updated", now).await?;
    tx.commit().await?;
    view(written)
}

/// The template, locked, if it can get this definition now.
async fn changeable(
    tx: &mut TenantTx,
    scope: &TenantScope,
    id: TemplateId,
    revision: u32,
    wanted: &TemplateDefinition,
) -> Result<Template, Error> {
    let known = templates::lock(tx.conn(), scope.organization_id, id).await?;
    let known = known.ok_or(Error::NotFound("template"))?;
    if u32::try_from(known.revision) != Ok(revision) {
        return Err(Error::Changed);
    }
    // A draft whose submission was not answered may be at Meta: submitting it again finds that out.
    let editable = match known.status.as_str() {
        state::DRAFT => known.submitted_at.is_none(),
        state::APPROVED | "rejected" | "paused" => true,
        _ => false,
    };
    if !editable || definition(&known.definition)?.partial {
        return Err(Error::TemplateNotChangeable);
    }
    let category = state::category(&known.category);
    let format = state::format(&known.parameter_format);
    refuse_bad(check::problems(wanted, category, format))?;
    Ok(known)
}

pub(crate) async fn delete_template(
    engine: &Engine,
    scope: &TenantScope,
    origin: &Origin,
    id: TemplateId,
) -> Result<(), Error> {
    let of = scope.organization_id;
    let mut tx = TenantTx::begin(&engine.db, scope).await?;
    let known = templates::lock(tx.conn(), of, id).await?;
    let known = known.ok_or(Error::NotFound("template"))?;
    if known.status == state::DRAFT && known.submitted_at.is_some() {
        return Err(Error::TemplateNotChangeable);
    }
    if let Some(provider_id) = &known.provider_id {
        let speaker = Speaker::find(&mut tx, of, &known.waba_id).await?;
        drop(tx);
        let token = speaker
            .ok_or(Error::ChannelUnavailable)?
            .token(engine)
            .await?;
        let (waba_id, name) = (&known.waba_id, &known.name);
        engine
            .whatsapp
            .delete_template(waba_id, &token, name, Some(provider_id))
            .await
            .map_err(refused)?;
        tx = TenantTx::begin(&engine.db, scope).await?;
    }
    let now = engine.clock().now();
    let gone = Standing {
        status: Some(state::DELETED),
        ..Standing::default()
    };
    templates::set_standing(tx.conn(), of, id, &gone, now).await?;
    told(&mut tx, scope, origin, id, "template.deleted", now).await?;
    tx.commit().await?;
    Ok(())
}

pub(crate) async fn sync_templates(
    engine: &Engine,
    scope: &TenantScope,
    waba_id: &str,
) -> Result<(), Error> {
    let of = scope.organization_id;
    let mut tx = TenantTx::begin(&engine.db, scope).await?;
    if !channels::has_account(tx.conn(), of, waba_id).await? {
        return Err(Error::NotFound("WhatsApp account"));
    }
    sync_templates::hurry(&mut tx, of, waba_id, engine.clock().now()).await?;
    tx.commit().await?;
    Ok(())
}

/// Tells the others, and the audit log; answers how the template is now.
pub(super) async fn told(
    tx: &mut TenantTx,
    scope: &TenantScope,
    origin: &Origin,
    id: TemplateId,
    action: &'static str,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Template, Error> {
    let of = scope.organization_id;
    let row = templates::find(tx.conn(), of, id).await?;
    let row = row.ok_or(Error::NotFound("template"))?;
    let change = audit::Change {
        action,
        target: id.to_string(),
        before: None,
        after: Some(json!({
            "name": row.name,
            "language": row.language,
            "status": row.status,
            "revision": row.revision,
        })),
    };
    let actor = scope.actor.to_string();
    let events = [
        publish::template_changed(of, &row, now, &actor),
        audit::recorded(scope, origin, now, change),
    ];
    outbox::push(tx, &events).await?;
    Ok(row)
}

fn refuse_bad(problems: Vec<errors::FieldViolation>) -> Result<(), Error> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Error::Invalid(problems))
    }
}

fn exists(error: sqlx::Error) -> Error {
    match DbError::from(error) {
        DbError::Constraint { name, .. } if name == "templates_name_key" => Error::TemplateExists,
        other => Error::Db(other),
    }
}

/// What Meta says of the template itself is for whoever wrote it; the rest is about the account.
pub(super) fn refused(error: whatsapp::client::CallError) -> Error {
    use whatsapp::{client::CallError, codes::Class};

    let CallError::Rejected(rejection) = &error else {
        return Error::WhatsApp(error);
    };
    if rejection.class != Class::Never || rejection.code != Some(100) {
        return Error::WhatsApp(error);
    }
    let words = rejection
        .user_message
        .as_ref()
        .or(rejection.details.as_ref())
        .or(rejection.message.as_ref());
    Error::TemplateRefused {
        words: words.cloned().unwrap_or_default(),
    }
}
