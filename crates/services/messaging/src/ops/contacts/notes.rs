//! Notes about contacts: written, changed, deleted and listed.

use db::{
    Db, TenantTx,
    idempotency::{self, Outcome, RequestHash},
    page::Pager,
};
use ids::{ContactId, ContactNoteId, TenantScope};
use proto::messaging::v1::{ContactNote, DeleteContactNoteResponse, ListContactNotesResponse};

use super::{held, kept};
use crate::{
    error::Error,
    ops::{lists::Ask, view},
    store::contact_notes::{self, Note},
};

/// The answer to a key is the note as it is now.
pub(crate) async fn create(
    db: &Db,
    scope: &TenantScope,
    contact_id: ContactId,
    body: String,
    key: Option<(String, RequestHash)>,
) -> Result<ContactNote, Error> {
    let organization_id = scope.organization_id;
    let mut tx = TenantTx::begin(db, scope).await?;
    let guard = match &key {
        Some((key, hash)) => {
            match idempotency::begin(&mut tx, "CreateContactNote", key, *hash).await? {
                Outcome::Replay(answer) => {
                    let id = String::from_utf8(answer).unwrap_or_default();
                    let id = view::id("contactNoteId", &id)?;
                    let found = contact_notes::find(tx.conn(), organization_id, id).await?;
                    return found.map(note).ok_or(Error::NotFound("note"));
                }
                Outcome::New(guard) => Some(guard),
            }
        }
        None => None,
    };
    let now = db.clock().now();
    let fresh = Note {
        id: ContactNoteId::stamped(now),
        contact_id: held(&mut tx, organization_id, contact_id).await?,
        author: scope.actor.to_string(),
        body,
        created_at: now,
        updated_at: now,
    };
    contact_notes::insert(tx.conn(), organization_id, &fresh).await?;
    if let Some(guard) = guard {
        let id = fresh.id.to_string();
        guard.store(&mut tx, id.as_bytes()).await?;
    }
    tx.commit().await?;
    Ok(note(fresh))
}

pub(crate) async fn update(
    db: &Db,
    scope: &TenantScope,
    id: ContactNoteId,
    body: &str,
) -> Result<ContactNote, Error> {
    let mut tx = TenantTx::begin(db, scope).await?;
    let now = db.clock().now();
    let changed = contact_notes::update(tx.conn(), scope.organization_id, id, body, now).await?;
    let changed = changed.ok_or(Error::NotFound("note"))?;
    tx.commit().await?;
    Ok(note(changed))
}

pub(crate) async fn delete(
    db: &Db,
    scope: &TenantScope,
    id: ContactNoteId,
) -> Result<DeleteContactNoteResponse, Error> {
    let mut tx = TenantTx::begin(db, scope).await?;
    if !contact_notes::delete(tx.conn(), scope.organization_id, id).await? {
        return Err(Error::NotFound("note"));
    }
    tx.commit().await?;
    Ok(DeleteContactNoteResponse {})
}

pub(crate) async fn list(
    db: &Db,
    scope: &TenantScope,
    contact_id: ContactId,
    ask: Ask<'_>,
) -> Result<ListContactNotesResponse, Error> {
    let organization_id = scope.organization_id;
    let pager = Pager::<ContactNoteId>::new("contact_notes", &contact_id, ask.size, ask.token)?;
    let mut tx = TenantTx::begin(db, scope).await?;
    let contact_id = kept(&mut tx, organization_id, contact_id).await?;
    let after = pager.after().copied();
    let rows =
        contact_notes::list(tx.conn(), organization_id, contact_id, after, pager.limit()).await?;
    let page = pager.page(rows, |last| last.id).map(note);
    Ok(ListContactNotesResponse {
        notes: page.items,
        next_page_token: page.next.unwrap_or_default(),
    })
}

fn note(row: Note) -> ContactNote {
    ContactNote {
        id: row.id.to_string(),
        contact_id: row.contact_id.to_string(),
        author: row.author,
        body: row.body,
        created_at: Some(row.created_at.into()),
        updated_at: Some(row.updated_at.into()),
    }
}
