//! Delete the organization, after a time in which it can be taken back.

use auth::RequestContext;
use serde_json::json;

use super::{shut, wrong_state};
use crate::{
    Error,
    events::{self, Turn},
    mail::{self, Letter},
    ops::{Tools, office::Office},
    store::{roster, settings::Settings},
};

/// `confirmation` is the organization's name, typed by whoever means it.
#[tracing::instrument(skip_all)]
pub(crate) async fn delete_organization(
    tools: &Tools,
    caller: &RequestContext,
    confirmation: &str,
) -> Result<Settings, Error> {
    let mut office = Office::open(tools, caller).await?;
    if confirmation.trim() != office.organization.name.trim() {
        return Err(Error::Field {
            field: "confirmation",
            problem: "is not the name of the organization",
        });
    }
    let (id, now) = (office.organization_id(), office.occasion.at);
    let life = &mut office.organization.life;
    life.schedule_deletion(now).map_err(wrong_state)?;
    let delete_at = life.delete_at().unwrap_or(now);
    let owners = roster::list_active_owners(&mut office.tx, id).await?;
    shut(&mut office).await?;
    let letters: Vec<Letter> = owners
        .into_iter()
        .map(|user_id| Letter::OrganizationDeleted {
            organization_id: id,
            user_id,
        })
        .collect();
    mail::queue(&mut office.tx, &letters).await?;
    let turn = Turn::DeletionScheduled { delete_at };
    events::organization_turned(&mut office.tx, &office.occasion, turn).await?;
    let after = json!({ "delete_at": delete_at });
    office
        .record("organization.deletion_scheduled", id, None, Some(after))
        .await?;
    let settings = office.organization.clone();
    office.commit().await?;
    tracing::info!(organization.id = %id, "organization will be deleted");
    Ok(settings)
}
