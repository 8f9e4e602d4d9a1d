//! Erase an organization whose deletion is due.

use db::{DataKeys, Db, SystemTx};
use ids::{Actor, OrganizationId, TenantScope};
use vault::{Owner, Vault};

use crate::{
    Error,
    events::{self, Occasion, Turn},
    store::{people, settings},
};

const PART: &str = "erase_organization";

/// Everything of it, and people who belonged to it only. May be repeated. The keys go first: a deletion that is due is
/// not taken back, and what they sealed is unreadable from then on, in backups too.
#[tracing::instrument(skip_all, fields(organization.id = %id))]
pub(crate) async fn erase_organization(
    db: &Db,
    vault: &Vault,
    id: OrganizationId,
) -> Result<(), Error> {
    let now = db.clock().now();
    let mut tx = SystemTx::begin(db, "erase an organization").await?;
    let due = settings::lock(&mut tx, id)
        .await?
        .and_then(|settings| settings.life.delete_at())
        .is_some_and(|delete_at| delete_at <= now);
    tx.commit().await?;
    if !due {
        return Ok(());
    }
    let scope = TenantScope::system(id, PART);
    DataKeys::of_tenant(db, &scope).destroy().await?;
    vault.forget(Owner::Organization(id));
    let mut tx = SystemTx::begin(db, "erase an organization").await?;
    // Another replica may have been faster.
    if settings::lock(&mut tx, id).await?.is_some() {
        let members = people::list_of_organization(&mut tx, id).await?;
        settings::erase(&mut tx, id).await?;
        people::erase_homeless(&mut tx, &members).await?;
        let occasion = Occasion {
            organization_id: id,
            actor: Actor::System(PART),
            at: now,
        };
        events::organization_turned(&mut tx, &occasion, Turn::Erased).await?;
        tracing::info!("organization erased");
    }
    tx.commit().await?;
    Ok(())
}
