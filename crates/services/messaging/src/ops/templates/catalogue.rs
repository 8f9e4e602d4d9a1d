//! Meta's list of an account's templates becomes ours.

use chrono::{DateTime, Utc};
use db::{TenantTx, outbox};
use ids::{TemplateId, TenantScope};
use serde_json::Value;
use whatsapp::client::{CallError, TemplateSummary};

use super::Speaker;
use crate::{
    domain::template::{from_meta, state},
    error::Error,
    events::publish,
    outbound::Engine,
    store::templates::{
        self, Standing, Template,
        sync::{self, Listed},
    },
};

/// Meta: 6,000 templates of an account at most, 100 a page.
const PAGES: usize = 100;

/// What came of reading a list.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It was read to its end.
    Read,
    /// No channel of the account works: there is nobody to ask as.
    NoChannel,
    /// WhatsApp refused, or was not there.
    Failed(CallError),
}

/// Reads the list and applies it, a transaction for each page.
pub(crate) async fn read_list(
    engine: &Engine,
    scope: &TenantScope,
    waba_id: &str,
) -> Result<Outcome, Error> {
    let began = engine.clock().now();
    let mut tx = TenantTx::begin(&engine.db, scope).await?;
    let speaker = Speaker::find(&mut tx, scope.organization_id, waba_id).await?;
    drop(tx);
    let Some(speaker) = speaker else {
        return Ok(Outcome::NoChannel);
    };
    let token = speaker.token(engine).await?;
    let mut after: Option<String> = None;
    for _ in 0..PAGES {
        let page = engine
            .whatsapp
            .list_templates(waba_id, &token, after.as_deref())
            .await;
        let page = match page {
            Ok(page) => page,
            Err(error) => return Ok(Outcome::Failed(error)),
        };
        store(engine, scope, waba_id, &page.templates, began).await?;
        after = page.after;
        if after.is_none() {
            finish(engine, scope, waba_id, began).await?;
            return Ok(Outcome::Read);
        }
    }
    // Longer than a list can be: what is missing from what was read proves nothing.
    Ok(Outcome::Failed(CallError::Unreadable))
}

async fn store(
    engine: &Engine,
    scope: &TenantScope,
    waba_id: &str,
    page: &[TemplateSummary],
    at: DateTime<Utc>,
) -> Result<(), Error> {
    let mut tx = TenantTx::begin(&engine.db, scope).await?;
    // One order for all who lock several.
    let mut page: Vec<Listed> = page.iter().filter_map(listed).collect::<Result<_, _>>()?;
    page.sort_by(|one, other| one.provider_id.cmp(&other.provider_id));
    let (mut seen, mut events) = (Vec::new(), Vec::new());
    for listed in &page {
        let (id, changed) = apply(&mut tx, scope, waba_id, listed, at).await?;
        seen.push(id);
        if changed && let Some(row) = templates::find(tx.conn(), scope.organization_id, id).await? {
            let of = scope.organization_id;
            events.push(publish::template_changed(of, &row, at, publish::WHATSAPP));
        }
    }
    sync::mark_seen(tx.conn(), scope.organization_id, &seen, at).await?;
    outbox::push(&mut tx, &events).await?;
    tx.commit().await?;
    Ok(())
}

/// One template of the list; whether anything is different now.
async fn apply(
    tx: &mut TenantTx,
    scope: &TenantScope,
    waba_id: &str,
    listed: &Listed,
    at: DateTime<Utc>,
) -> Result<(TemplateId, bool), Error> {
    let of = scope.organization_id;
    let mut known = sync::lock_by_provider_id(tx.conn(), of, &listed.provider_id).await?;
    if known.is_none() {
        let (name, language) = (&listed.name, &listed.language);
        known = match sync::lock_by_name(tx.conn(), of, waba_id, name, language).await? {
            // Deleted there and made anew under the same name.
            Some(former) if former.provider_id.is_some() => {
                let gone = Standing {
                    status: Some(state::DELETED),
                    ..Standing::default()
                };
                templates::set_standing(tx.conn(), of, former.id, &gone, at).await?;
                None
            }
            // Ours, and the answer to its submission was lost.
            draft => draft,
        };
    }
    if let Some(gone) = known.take_if(|known| known.status == state::DELETED) {
        let (name, language) = (&listed.name, &listed.language);
        if sync::lock_by_name(tx.conn(), of, waba_id, name, language)
            .await?
            .is_some()
        {
            // Its name is another one's by now: Meta is about to forget it, too.
            return Ok((gone.id, false));
        }
        known = Some(gone);
    }
    let Some(known) = known else {
        let id = TemplateId::stamped(at);
        sync::insert(tx.conn(), of, id, waba_id, listed, at).await?;
        templates::insert_revision(tx.conn(), of, id, 1, publish::WHATSAPP, at).await?;
        return Ok((id, true));
    };
    let revised = revise(tx, scope, &known, listed, at).await?;
    let standing = Standing {
        provider_id: Some(&listed.provider_id),
        status: Some(&listed.status),
        status_reason: Some(&listed.status_reason),
        category: Some(&listed.category),
        quality: Some(&listed.quality),
        parameter_format: Some(&listed.parameter_format),
        revives: true,
    };
    let moved = templates::set_standing(tx.conn(), of, known.id, &standing, at).await?;
    Ok((known.id, revised || moved))
}

/// Meta's text is the one that is sent. Its examples are not compared: it shows addresses that end.
async fn revise(
    tx: &mut TenantTx,
    scope: &TenantScope,
    known: &Template,
    listed: &Listed,
    at: DateTime<Utc>,
) -> Result<bool, Error> {
    let same = without_examples(&known.definition) == without_examples(&listed.definition);
    // What was handed in after this list was asked for is newer than the list.
    if same || known.submitted_at.is_some_and(|submitted| submitted > at) {
        return Ok(false);
    }
    let of = scope.organization_id;
    let revision = templates::revise(tx.conn(), of, known.id, &listed.definition, at).await?;
    let author = publish::WHATSAPP;
    templates::insert_revision(tx.conn(), of, known.id, revision, author, at).await?;
    Ok(true)
}

fn without_examples(definition: &Value) -> Value {
    match definition {
        Value::Object(fields) => fields
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "example" | "examples"))
            .map(|(key, value)| (key.clone(), without_examples(value)))
            .collect(),
        Value::Array(items) => items.iter().map(without_examples).collect(),
        other => other.clone(),
    }
}

/// `None` for one without a name: nobody could send it.
fn listed(summary: &TemplateSummary) -> Option<Result<Listed, Error>> {
    let components = summary
        .components
        .as_ref()
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default();
    let definition = match super::stored(&from_meta::definition(&components)) {
        Ok(definition) => definition,
        Err(error) => return Some(Err(error)),
    };
    let word = |text: &Option<String>, or: &str| state::word(text.as_deref().unwrap_or(or));
    Some(Ok(Listed {
        provider_id: summary.id.clone(),
        name: summary.name.clone()?,
        language: summary.language.clone()?,
        category: word(&summary.category, "unknown"),
        parameter_format: word(&summary.parameter_format, "positional"),
        status: word(&summary.status, "unknown"),
        status_reason: summary.rejected_reason.clone().unwrap_or_default(),
        quality: word(&summary.quality, "unknown"),
        definition,
    }))
}

async fn finish(
    engine: &Engine,
    scope: &TenantScope,
    waba_id: &str,
    began: DateTime<Utc>,
) -> Result<(), Error> {
    let of = scope.organization_id;
    let mut tx = TenantTx::begin(&engine.db, scope).await?;
    let gone = sync::mark_missing(tx.conn(), of, waba_id, began).await?;
    let mut events = Vec::with_capacity(gone.len());
    for id in gone {
        if let Some(row) = templates::find(tx.conn(), of, id).await? {
            events.push(publish::template_changed(
                of,
                &row,
                began,
                publish::WHATSAPP,
            ));
        }
    }
    sync::record(tx.conn(), of, waba_id, None, began).await?;
    outbox::push(&mut tx, &events).await?;
    tx.commit().await?;
    Ok(())
}
