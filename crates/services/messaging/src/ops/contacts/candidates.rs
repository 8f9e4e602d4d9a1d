//! ListCandidates: contacts that may be the same person, because WhatsApp may write one phone number in two ways. They
//! are told and never made one by themselves: no rule for these spellings is safe.

use std::collections::BTreeSet;

use db::{Db, TenantTx};
use ids::{ContactId, OrganizationId, TenantScope};
use proto::messaging::v1::{Contact, ListCandidatesResponse};

use super::{kept, views};
use crate::{
    error::Error,
    store::{
        contacts as rows,
        intake::contacts::{self, Identity},
    },
};

pub(crate) async fn list_candidates(
    db: &Db,
    scope: &TenantScope,
    id: ContactId,
) -> Result<ListCandidatesResponse, Error> {
    let mut tx = TenantTx::begin(db, scope).await?;
    let id = kept(&mut tx, scope.organization_id, id).await?;
    Ok(ListCandidatesResponse {
        contacts: of(&mut tx, scope.organization_id, id).await?,
    })
}

/// Contacts known by another spelling of one of this contact's numbers.
pub(super) async fn of(
    tx: &mut TenantTx,
    organization_id: OrganizationId,
    id: ContactId,
) -> Result<Vec<Contact>, Error> {
    let own = rows::list_identities(tx.conn(), organization_id, &[id]).await?;
    let phones = own
        .into_values()
        .flatten()
        .filter(|(kind, _)| kind == "phone");
    let spellings: BTreeSet<Identity> = phones
        .flat_map(|(_, value)| {
            let number = Identity {
                organization_id,
                kind: "phone",
                value,
            };
            number.other_spellings()
        })
        .collect();
    let known = contacts::find(tx.conn(), &spellings).await?;
    let others = known.into_values().map(|known| known.contact_id);
    let ids: Vec<ContactId> = others.filter(|other| *other != id).collect();
    let found = rows::find_all(tx.conn(), organization_id, &ids).await?;
    views(tx, organization_id, found).await
}
