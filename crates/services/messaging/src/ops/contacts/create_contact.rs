//! CreateContact: a customer that is known before a message came.

use std::collections::BTreeSet;

use db::{
    AsTx, Db, TenantTx,
    idempotency::{self, Outcome, RequestHash},
    outbox,
};
use errors::FieldViolation;
use ids::{ContactId, TenantScope};
use pbjson_types::Struct;
use proto::messaging::v1::{CreateContactRequest, CreateContactResponse};
use serde_json::json;

use super::{candidates, read, said};
use crate::{
    error::Error,
    events::publish,
    ops::view,
    store::{
        contacts::{self as rows, Contact},
        intake::contacts::{self, Identity},
    },
};

/// Stores a contact with a number, an address or both.
pub(crate) async fn create_contact(
    db: &Db,
    scope: &TenantScope,
    request: CreateContactRequest,
    key: Option<(String, RequestHash)>,
) -> Result<CreateContactResponse, Error> {
    said::time_zone(&request.time_zone)?;
    let identities = identities(scope, &request)?;
    let mut tx = TenantTx::begin(db, scope).await?;
    let guard = match &key {
        Some((key, hash)) => {
            match idempotency::begin(&mut tx, "CreateContact", key, *hash).await? {
                // The contact lives on: answer how it is now, not how it was.
                Outcome::Replay(answer) => {
                    let id = String::from_utf8(answer).unwrap_or_default();
                    return answered(&mut tx, scope, view::id("contactId", &id)?).await;
                }
                Outcome::New(guard) => Some(guard),
            }
        }
        None => None,
    };
    let id = store(&mut tx, scope, &request, identities).await?;
    if let Some(guard) = guard {
        guard.store(&mut tx, id.to_string().as_bytes()).await?;
    }
    let answer = answered(&mut tx, scope, id).await?;
    tx.commit().await?;
    Ok(answer)
}

fn identities(
    scope: &TenantScope,
    request: &CreateContactRequest,
) -> Result<BTreeSet<Identity>, Error> {
    let identity = |kind, value: String| Identity {
        organization_id: scope.organization_id,
        kind,
        value,
    };
    let mut identities = BTreeSet::new();
    if !request.phone.is_empty() {
        let digits = request.phone.trim_start_matches('+').to_owned();
        identities.insert(identity("phone", digits));
    }
    if !request.email.is_empty() {
        identities.insert(identity("email", said::email(&request.email)?));
    }
    if identities.is_empty() {
        let fault = FieldViolation::new("phone", "or an e-mail address is needed".to_owned());
        return Err(Error::Invalid(vec![fault]));
    }
    Ok(identities)
}

async fn store(
    tx: &mut TenantTx,
    scope: &TenantScope,
    request: &CreateContactRequest,
    identities: BTreeSet<Identity>,
) -> Result<ContactId, Error> {
    let organization_id = scope.organization_id;
    let now = tx.db().clock().now();
    // The same locks as intake takes, so that a message of this person does not make another contact meanwhile.
    contacts::lock(tx.conn(), &identities).await?;
    let known = contacts::find(tx.conn(), &identities).await?;
    if let Some((identity, known)) = known.into_iter().min_by_key(|(_, known)| known.contact_id) {
        return Err(Error::ContactExists {
            field: identity.kind,
            id: known.contact_id,
        });
    }
    let new: Option<Struct> = request.attributes.clone();
    let attributes = said::attributes(tx, organization_id, json!({}), new).await?;
    let id = ContactId::stamped(now);
    let contact = Contact {
        id,
        name: request.name.clone(),
        locale: request.locale.clone(),
        time_zone: request.time_zone.clone(),
        attributes,
        version: 1,
        blocked_at: None,
        created_at: now,
    };
    rows::insert(tx.conn(), organization_id, &contact).await?;
    let identities = identities
        .into_iter()
        .map(|identity| (identity, id))
        .collect();
    contacts::insert_identities(tx.conn(), &identities, now).await?;
    let event = publish::contact_changed(scope, id, "created", 1, now);
    outbox::push(tx, &[event]).await?;
    Ok(id)
}

async fn answered(
    tx: &mut TenantTx,
    scope: &TenantScope,
    id: ContactId,
) -> Result<CreateContactResponse, Error> {
    Ok(CreateContactResponse {
        contact: Some(read(tx, scope.organization_id, id).await?),
        candidates: candidates::of(tx, scope.organization_id, id).await?,
    })
}
