//! SubmitTemplate: a draft goes to Meta, once, whatever becomes of the answer.

use auth::Origin;
use db::TenantTx;
use ids::{OrganizationId, TemplateId, TenantScope};
use proto::messaging::v1::MessageTemplate;
use secrecy::SecretString;
use serde_json::json;
use whatsapp::client::CallError;

use super::{
    Speaker,
    change::{refused, told},
    definition, view,
};
use crate::{
    domain::template::{state, to_meta},
    error::Error,
    outbound::Engine,
    store::templates::{self, Standing, Template},
};

/// What Meta has now.
struct Handed {
    provider_id: String,
    status: String,
    category: Option<String>,
}

pub(crate) async fn submit_template(
    engine: &Engine,
    scope: &TenantScope,
    origin: &Origin,
    id: TemplateId,
) -> Result<MessageTemplate, Error> {
    let of = scope.organization_id;
    let mut tx = TenantTx::begin(&engine.db, scope).await?;
    let draft = draft(&mut tx, of, id).await?;
    if draft.provider_id.is_some() {
        return view(draft);
    }
    let speaker = Speaker::find(&mut tx, of, &draft.waba_id).await?;
    drop(tx);
    let token = speaker
        .ok_or(Error::ChannelUnavailable)?
        .token(engine)
        .await?;

    let mut tx = TenantTx::begin(&engine.db, scope).await?;
    let draft = self::draft(&mut tx, of, id).await?;
    if draft.provider_id.is_some() {
        return view(draft);
    }
    // Before the call: whoever comes after a lost answer must know that Meta may have it.
    templates::mark_submitted(tx.conn(), of, id, engine.clock().now()).await?;
    tx.commit().await?;

    let handed = hand_in(engine, &draft, &token).await;
    let now = engine.clock().now();
    let mut tx = TenantTx::begin(&engine.db, scope).await?;
    let handed = match handed {
        Ok(handed) => handed,
        Err(error @ CallError::Rejected(_)) => {
            // Of one that may be there since an earlier attempt, a refusal proves nothing.
            if draft.submitted_at.is_some() {
                return Err(refused(error));
            }
            templates::unmark_submitted(tx.conn(), of, id).await?;
            tx.commit().await?;
            return Err(refused(error));
        }
        Err(error) => return Err(Error::WhatsApp(error)),
    };
    let standing = Standing {
        provider_id: Some(&handed.provider_id),
        status: Some(&handed.status),
        category: handed.category.as_deref(),
        ..Standing::default()
    };
    templates::set_standing(tx.conn(), of, id, &standing, now).await?;
    let written = told(&mut tx, scope, origin, id, "template.submitted", now).await?;
    tx.commit().await?;
    view(written)
}

/// The template, locked. One that Meta knows was handed in already: by a request whose answer was lost, or by a colleague.
async fn draft(
    tx: &mut TenantTx,
    organization_id: OrganizationId,
    id: TemplateId,
) -> Result<Template, Error> {
    let found = templates::lock(tx.conn(), organization_id, id).await?;
    found.ok_or(Error::NotFound("template"))
}

/// Looks first where an earlier answer was lost: a second one would be refused as a duplicate and hide the first one's id.
async fn hand_in(
    engine: &Engine,
    draft: &Template,
    token: &SecretString,
) -> Result<Handed, CallError> {
    let word = |text: Option<&str>| state::word(text.unwrap_or(state::PENDING));
    let whatsapp = &engine.whatsapp;
    if draft.submitted_at.is_some() {
        let (waba_id, name, language) = (&draft.waba_id, &draft.name, &draft.language);
        if let Some(found) = whatsapp
            .find_template(waba_id, token, name, language)
            .await?
        {
            return Ok(Handed {
                provider_id: found.id,
                status: word(found.status.as_deref()),
                category: found.category.as_deref().map(state::word),
            });
        }
    }
    // A definition that can't be read any more is refused when the template is shown.
    let definition = definition(&draft.definition).map_err(|_| CallError::Unreadable)?;
    let format = state::format(&draft.parameter_format);
    let body = json!({
        "name": draft.name,
        "language": draft.language,
        "category": draft.category.to_ascii_uppercase(),
        "parameter_format": draft.parameter_format.to_ascii_uppercase(),
        "components": to_meta::components(&definition, format),
    });
    let created = whatsapp
        .create_template(&draft.waba_id, token, &body)
        .await?;
    Ok(Handed {
        provider_id: created.id,
        status: word(created.status.as_deref()),
        category: created.category.as_deref().map(state::word),
    })
}
