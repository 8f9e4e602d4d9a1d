//! Answers saved under a shortcut.

use db::{Db, TenantTx, page::Pager};
use errors::FieldViolation;
use ids::{CannedReplyId, ConversationId, TenantScope};
use proto::messaging::v1::{
    CannedReply, CreateCannedReplyRequest, DeleteCannedReplyResponse, ListCannedRepliesResponse,
    UpdateCannedReplyRequest,
};

use crate::{
    domain::{
        canned::{self, Values},
        mask,
    },
    error::Error,
    ops::{lists::Ask, sight::Sight},
    store::{
        canned_replies::{self, CannedReply as Row},
        contacts, conversations,
    },
};

pub(crate) async fn create_canned_reply(
    db: &Db,
    scope: &TenantScope,
    asked: CreateCannedReplyRequest,
) -> Result<CannedReply, Error> {
    check(&asked.body)?;
    let now = db.clock().now();
    let row = Row {
        id: CannedReplyId::stamped(now),
        shortcut: asked.shortcut,
        title: asked.title,
        body: asked.body,
        updated_at: now,
        version: 1,
    };
    let mut tx = TenantTx::begin(db, scope).await?;
    canned_replies::insert(tx.conn(), scope.organization_id, &row).await?;
    tx.commit().await?;
    Ok(wire(row, None))
}

pub(crate) async fn update_canned_reply(
    db: &Db,
    scope: &TenantScope,
    id: CannedReplyId,
    asked: UpdateCannedReplyRequest,
) -> Result<CannedReply, Error> {
    check(&asked.body)?;
    let of = scope.organization_id;
    let mut tx = TenantTx::begin(db, scope).await?;
    let mut row = canned_replies::lock(tx.conn(), of, id)
        .await?
        .ok_or(Error::NotFound("canned reply"))?;
    if asked.version != 0 && asked.version != row.version.unsigned_abs() {
        return Err(Error::CannedReplyChanged);
    }
    row.shortcut = asked.shortcut;
    row.title = asked.title;
    row.body = asked.body;
    row.updated_at = db.clock().now();
    row.version += 1;
    canned_replies::update(tx.conn(), of, &row).await?;
    tx.commit().await?;
    Ok(wire(row, None))
}

pub(crate) async fn delete_canned_reply(
    db: &Db,
    scope: &TenantScope,
    id: CannedReplyId,
) -> Result<DeleteCannedReplyResponse, Error> {
    let mut tx = TenantTx::begin(db, scope).await?;
    if !canned_replies::delete(tx.conn(), scope.organization_id, id).await? {
        return Err(Error::NotFound("canned reply"));
    }
    tx.commit().await?;
    Ok(DeleteCannedReplyResponse {})
}

/// Those whose shortcut begins so; with a conversation, filled in for its contact.
pub(crate) async fn list_canned_replies(
    db: &Db,
    scope: &TenantScope,
    sight: &Sight,
    beginning: &str,
    conversation_id: Option<ConversationId>,
    ask: Ask<'_>,
) -> Result<ListCannedRepliesResponse, Error> {
    let filters = (beginning, conversation_id);
    let pager = Pager::<String>::new("canned_replies", &filters, ask.size, ask.token)?;
    let of = scope.organization_id;
    let mut tx = TenantTx::begin(db, scope).await?;
    let values = match conversation_id {
        Some(id) => Some(values(&mut tx, scope, sight, id).await?),
        None => None,
    };
    let after = pager.after().map(String::as_str);
    let rows = canned_replies::list(tx.conn(), of, beginning, after, pager.limit()).await?;
    let page = pager
        .page(rows, |last| last.shortcut.clone())
        .map(|row| wire(row, values.as_ref()));
    Ok(ListCannedRepliesResponse {
        canned_replies: page.items,
        next_page_token: page.next.unwrap_or_default(),
    })
}

/// What the caller may see of the conversation's contact.
async fn values(
    tx: &mut TenantTx,
    scope: &TenantScope,
    sight: &Sight,
    id: ConversationId,
) -> Result<Values, Error> {
    let of = scope.organization_id;
    let id = sight
        .conversation(tx.conn(), of, id, "conversation")
        .await?;
    let found = conversations::find(tx.conn(), of, None, id)
        .await?
        .ok_or(Error::NotFound("conversation"))?;
    let contact = found.contact_id;
    let mut identities = contacts::list_identities(tx.conn(), of, &[contact]).await?;
    let phone = identities
        .remove(&contact)
        .unwrap_or_default()
        .into_iter()
        .find(|(kind, _)| kind == "phone")
        .map(|(_, digits)| digits)
        .unwrap_or_default();
    Ok(if sight.contact_details() {
        let phone = if phone.is_empty() {
            phone
        } else {
            format!("+{phone}")
        };
        Values {
            name: found.contact_name,
            phone,
        }
    } else {
        Values {
            name: mask::text(&found.contact_name),
            phone: if phone.is_empty() {
                phone
            } else {
                mask::identity("phone", &phone)
            },
        }
    })
}

fn check(body: &str) -> Result<(), Error> {
    match canned::unknown_variable(body) {
        None => Ok(()),
        Some(_) => Err(Error::Invalid(vec![FieldViolation::new(
            "body",
            format!(
                "has a variable that is none of {}",
                canned::VARIABLES.join(", ")
            ),
        )])),
    }
}

fn wire(row: Row, values: Option<&Values>) -> CannedReply {
    CannedReply {
        id: row.id.to_string(),
        filled: values
            .map(|values| canned::fill(&row.body, values))
            .unwrap_or_default(),
        shortcut: row.shortcut,
        title: row.title,
        body: row.body,
        updated_at: Some(row.updated_at.into()),
        version: row.version.unsigned_abs(),
    }
}
