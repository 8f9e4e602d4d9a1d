//! RecordConsent and ListConsents: what a customer agreed to, with how we know.

use chrono::{DateTime, Utc};
use db::{
    Db, TenantTx,
    idempotency::{self, Outcome, RequestHash},
    outbox,
    page::Pager,
};
use errors::FieldViolation;
use ids::{Actor, ConsentId, ContactId, TenantScope};
use proto::messaging::v1::{Consent, ConsentPurpose, ListConsentsResponse, RecordConsentRequest};
use serde_json::{Value, json};

use super::{held, kept};
use crate::{
    domain::{consent::Purpose, content::inbound::structure},
    error::Error,
    events::publish,
    ops::{lists::Ask, view},
    store::consents as store,
};

/// Bytes of a proof: an address or a few words, not a document.
const LONGEST_PROOF: usize = 4_096;

/// Adds a line to what the contact said. The answer to a key is that line.
pub(crate) async fn record_consent(
    db: &Db,
    scope: &TenantScope,
    request: RecordConsentRequest,
    key: Option<(String, RequestHash)>,
) -> Result<Consent, Error> {
    let organization_id = scope.organization_id;
    let mut consent = read(db, scope, &request)?;
    let mut tx = TenantTx::begin(db, scope).await?;
    let guard = match &key {
        Some((key, hash)) => {
            match idempotency::begin(&mut tx, "RecordConsent", key, *hash).await? {
                Outcome::Replay(answer) => {
                    let id = String::from_utf8(answer).unwrap_or_default();
                    let id = view::id("consentId", &id)?;
                    let found = store::find(tx.conn(), organization_id, id).await?;
                    return found.map(wire).ok_or(Error::NotFound("consent"));
                }
                Outcome::New(guard) => Some(guard),
            }
        }
        None => None,
    };
    consent.contact_id = held(&mut tx, organization_id, consent.contact_id).await?;
    store::insert(tx.conn(), organization_id, &consent).await?;
    outbox::push(
        &mut tx,
        &[publish::consent_changed(organization_id, &consent)],
    )
    .await?;
    if let Some(guard) = guard {
        let id = consent.id.to_string();
        guard.store(&mut tx, id.as_bytes()).await?;
    }
    tx.commit().await?;
    Ok(wire(consent))
}

fn read(
    db: &Db,
    scope: &TenantScope,
    request: &RecordConsentRequest,
) -> Result<store::Consent, Error> {
    let now = db.clock().now();
    let purpose = match request.purpose() {
        ConsentPurpose::Marketing => Purpose::Marketing,
        ConsentPurpose::Utility => Purpose::Utility,
        ConsentPurpose::Unspecified => return Err(invalid("purpose", "is needed")),
    };
    let occurred_at: DateTime<Utc> = match request.occurred_at {
        Some(at) => view::time("occurredAt", at)?,
        None => now,
    };
    if occurred_at > now {
        return Err(invalid("occurredAt", "is in the future"));
    }
    let proof: Value = match &request.proof {
        Some(proof) => serde_json::to_value(proof).unwrap_or_default(),
        None => json!({}),
    };
    if proof.to_string().len() > LONGEST_PROOF {
        return Err(invalid("proof", "has more than 4096 bytes"));
    }
    let source = match (request.source.as_str(), &scope.actor) {
        ("", Actor::User(_)) => "agent",
        ("", _) => "api",
        (source, _) => source,
    };
    Ok(store::Consent {
        id: ConsentId::stamped(now),
        contact_id: view::id("contactId", &request.contact_id)?,
        purpose: purpose.word().to_owned(),
        granted: request.granted,
        source: source.to_owned(),
        proof,
        actor: scope.actor.to_string(),
        occurred_at,
        recorded_at: now,
        position: 0,
    })
}

fn invalid(field: &str, message: &str) -> Error {
    Error::Invalid(vec![FieldViolation::new(field, message.to_owned())])
}

pub(crate) async fn list_consents(
    db: &Db,
    scope: &TenantScope,
    contact_id: ContactId,
    ask: Ask<'_>,
) -> Result<ListConsentsResponse, Error> {
    let organization_id = scope.organization_id;
    let pager = Pager::<i64>::new("consents", &contact_id, ask.size, ask.token)?;
    let mut tx = TenantTx::begin(db, scope).await?;
    let contact_id = kept(&mut tx, organization_id, contact_id).await?;
    let after = pager.after().copied();
    let rows = store::list(tx.conn(), organization_id, contact_id, after, pager.limit()).await?;
    let page = pager.page(rows, |last| last.position).map(wire);
    Ok(ListConsentsResponse {
        consents: page.items,
        next_page_token: page.next.unwrap_or_default(),
    })
}

fn wire(row: store::Consent) -> Consent {
    Consent {
        id: row.id.to_string(),
        contact_id: row.contact_id.to_string(),
        purpose: view::purpose(&row.purpose).into(),
        granted: row.granted,
        source: row.source,
        proof: Some(structure(&row.proof.to_string())),
        actor: row.actor,
        occurred_at: Some(row.occurred_at.into()),
        recorded_at: Some(row.recorded_at.into()),
    }
}
