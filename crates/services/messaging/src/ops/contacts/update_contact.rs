//! UpdateContact: what people say of a contact.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use db::{Db, TenantTx, outbox};
use ids::{ContactId, OrganizationId, TenantScope};
use proto::messaging::v1::{Contact, UpdateContactRequest};

use super::{read, said};
use crate::{
    error::Error,
    events::publish,
    ops::view,
    store::{
        contacts as rows,
        intake::contacts::{self, Identity},
    },
};

pub(crate) async fn update_contact(
    db: &Db,
    scope: &TenantScope,
    request: UpdateContactRequest,
) -> Result<Contact, Error> {
    let organization_id = scope.organization_id;
    let id: ContactId = view::id("contactId", &request.contact_id)?;
    if let Some(zone) = &request.time_zone {
        said::time_zone(zone)?;
    }
    let now = db.clock().now();
    let mut tx = TenantTx::begin(db, scope).await?;
    let mut contact = rows::lock(tx.conn(), organization_id, id)
        .await?
        .ok_or(Error::NotFound("contact"))?;
    if request.version != 0 && contact.version.unsigned_abs() != request.version {
        return Err(Error::ContactChanged);
    }
    let attributes = std::mem::take(&mut contact.attributes);
    contact.attributes =
        said::attributes(&mut tx, organization_id, attributes, request.attributes).await?;
    if let Some(name) = request.name {
        contact.name = name;
    }
    if let Some(locale) = request.locale {
        contact.locale = locale;
    }
    if let Some(zone) = request.time_zone {
        contact.time_zone = zone;
    }
    if let Some(email) = request.email {
        set_email(&mut tx, organization_id, contact.id, &email, now).await?;
    }
    let version = rows::update(tx.conn(), organization_id, &contact, now).await?;
    let event = publish::contact_changed(scope, contact.id, "updated", version, now);
    outbox::push(&mut tx, &[event]).await?;
    let answer = read(&mut tx, organization_id, contact.id).await?;
    tx.commit().await?;
    Ok(answer)
}

/// Replaces the address; an empty one takes it away.
async fn set_email(
    tx: &mut TenantTx,
    organization_id: OrganizationId,
    id: ContactId,
    text: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if text.is_empty() {
        rows::forget_identities(tx.conn(), organization_id, id, "email").await?;
        return Ok(());
    }
    let address = Identity {
        organization_id,
        kind: "email",
        value: said::email(text)?,
    };
    let wanted = BTreeSet::from([address.clone()]);
    contacts::lock(tx.conn(), &wanted).await?;
    let known = contacts::find(tx.conn(), &wanted).await?;
    if let Some(known) = known.get(&address)
        && known.contact_id != id
    {
        return Err(Error::ContactExists {
            field: "email",
            id: known.contact_id,
        });
    }
    rows::forget_identities(tx.conn(), organization_id, id, "email").await?;
    contacts::insert_identities(tx.conn(), &BTreeSet::from([(address, id)]), now).await?;
    Ok(())
}
