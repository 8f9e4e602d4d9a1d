//! What an organization knows about its customers: operations of the contact service.

pub(crate) mod attributes;
pub(crate) mod block_contact;
pub(crate) mod candidates;
pub(crate) mod consent;
pub(crate) mod create_contact;
pub(crate) mod merge_contacts;
pub(crate) mod notes;
pub(crate) mod said;
pub(crate) mod undo_merge;
pub(crate) mod update_contact;

use db::TenantTx;
use ids::{ContactId, OrganizationId};
use proto::messaging::v1::Contact;

use crate::{
    error::Error,
    ops::view,
    store::{consents, contacts},
};

/// A contact as it is answered.
///
/// # Errors
/// [`Error::NotFound`] where the organization has none of this id.
pub(crate) async fn read(
    tx: &mut TenantTx,
    organization_id: OrganizationId,
    id: ContactId,
) -> Result<Contact, Error> {
    let found = contacts::find(tx.conn(), organization_id, id)
        .await?
        .ok_or(Error::NotFound("contact"))?;
    let mut all = views(tx, organization_id, vec![found]).await?;
    all.pop().ok_or(Error::NotFound("contact"))
}

/// Contacts with their identities and what they agreed to.
pub(crate) async fn views(
    tx: &mut TenantTx,
    organization_id: OrganizationId,
    rows: Vec<contacts::Contact>,
) -> Result<Vec<Contact>, Error> {
    let ids: Vec<ContactId> = rows.iter().map(|row| row.id).collect();
    let mut identities = contacts::list_identities(tx.conn(), organization_id, &ids).await?;
    let mut said = consents::latest(tx.conn(), organization_id, &ids).await?;
    let view = |row: contacts::Contact| {
        let known = identities.remove(&row.id).unwrap_or_default();
        let said = said.remove(&row.id).unwrap_or_default();
        view::contact(row, known, said)
    };
    Ok(rows.into_iter().map(view).collect())
}

/// The same, and it can't be merged before the transaction ends: what is written about it would be left behind.
pub(crate) async fn held(
    tx: &mut TenantTx,
    organization_id: OrganizationId,
    id: ContactId,
) -> Result<ContactId, Error> {
    contacts::lock(tx.conn(), organization_id, id)
        .await?
        .map(|contact| contact.id)
        .ok_or(Error::NotFound("contact"))
}

/// The contact an id leads to now.
pub(crate) async fn kept(
    tx: &mut TenantTx,
    organization_id: OrganizationId,
    id: ContactId,
) -> Result<ContactId, Error> {
    contacts::find(tx.conn(), organization_id, id)
        .await?
        .map(|contact| contact.id)
        .ok_or(Error::NotFound("contact"))
}
