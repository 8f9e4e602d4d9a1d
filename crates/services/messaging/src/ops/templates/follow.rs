//! Follows what WhatsApp tells of templates by webhook.

use chrono::{DateTime, Utc};
use db::{DbError, SystemTx, outbox::Event};
use ids::OrganizationId;

use crate::{
    events::publish,
    jobs::sync_templates,
    store::templates::{self, Standing, sync},
};

/// What a webhook said of a template.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) organization_id: OrganizationId,
    pub(crate) waba_id: String,
    /// Meta's id.
    pub(crate) provider_id: String,
    pub(crate) status: Option<String>,
    pub(crate) status_reason: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) quality: Option<String>,
    /// Its text or buttons changed: the list has them.
    pub(crate) outdated: bool,
    pub(crate) at: DateTime<Utc>,
}

/// Applies it in the transaction of the webhook. Repeating it changes nothing.
pub(crate) async fn follow(
    tx: &mut SystemTx,
    told: &[Told],
    now: DateTime<Utc>,
    events: &mut Vec<Event>,
) -> Result<(), DbError> {
    // One order for all who lock several.
    let mut told: Vec<&Told> = told.iter().collect();
    told.sort_by(|one, other| one.provider_id.cmp(&other.provider_id));
    for told in told {
        let of = told.organization_id;
        let known = sync::lock_by_provider_id(tx.conn(), of, &told.provider_id).await?;
        if known.is_none() || told.outdated {
            sync_templates::hurry(tx, of, &told.waba_id, now).await?;
        }
        let Some(known) = known else {
            continue;
        };
        let standing = Standing {
            status: told.status.as_deref(),
            status_reason: told.status_reason.as_deref(),
            category: told.category.as_deref(),
            quality: told.quality.as_deref(),
            ..Standing::default()
        };
        if templates::set_standing(tx.conn(), of, known.id, &standing, told.at).await?
            && let Some(changed) = templates::find(tx.conn(), of, known.id).await?
        {
            events.push(publish::template_changed(
                of,
                &changed,
                now,
                publish::WHATSAPP,
            ));
        }
    }
    Ok(())
}
