//! CreateMedia: the beginning of an upload. The bytes come to an address of their own, because they may be a hundred
//! megabytes and the API's requests are small.

use db::{
    Db, TenantTx,
    idempotency::{self, Outcome, RequestHash},
};
use ids::{MediaId, TenantScope};
use proto::messaging::v1::{CreateMediaResponse, MediaKind};

use super::{show_media, view};
use crate::{
    domain::media::{self as domain, Direction},
    error::Error,
    media::{
        Files,
        links::{Target, Variant},
    },
    store::media,
};

/// What is to be uploaded.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) kind: MediaKind,
    pub(crate) filename: String,
    pub(crate) idempotency: Option<(String, RequestHash)>,
}

pub(crate) async fn create_media(
    db: &Db,
    files: &Files,
    scope: &TenantScope,
    input: Input,
) -> Result<CreateMediaResponse, Error> {
    let organization_id = scope.organization_id;
    let kind = domain::word(input.kind).ok_or(Error::NotFound("kind of media"))?;
    let mut tx = TenantTx::begin(db, scope).await?;
    let guard = match &input.idempotency {
        Some((key, hash)) => match idempotency::begin(&mut tx, "CreateMedia", key, *hash).await? {
            // Addresses end: answer with fresh ones of the same file.
            Outcome::Replay(answer) => {
                let id = String::from_utf8(answer).unwrap_or_default();
                return answer_of(&mut tx, db, files, view::id("mediaId", &id)?).await;
            }
            Outcome::New(guard) => Some(guard),
        },
        None => None,
    };
    let now = db.clock().now();
    let id = MediaId::stamped(now);
    let filename = input.filename.trim();
    media::insert_upload(tx.conn(), organization_id, id, kind, filename, now).await?;
    if let Some(guard) = guard {
        guard.store(&mut tx, id.to_string().as_bytes()).await?;
    }
    let answer = answer_of(&mut tx, db, files, id).await?;
    tx.commit().await?;
    Ok(answer)
}

async fn answer_of(
    tx: &mut TenantTx,
    db: &Db,
    files: &Files,
    id: MediaId,
) -> Result<CreateMediaResponse, Error> {
    let organization_id = tx.organization_id();
    let now = db.clock().now();
    let row = media::find(tx.conn(), organization_id, id)
        .await?
        .ok_or(Error::NotFound("media"))?;
    let limit = domain::limit(domain::kind(&row.kind), Direction::Outbound);
    let target = Target {
        organization_id,
        media_id: id,
        variant: Variant::Upload,
    };
    let (upload_url, expires_at) = files.links.sign(target, now);
    Ok(CreateMediaResponse {
        media: Some(show_media::file(files, organization_id, row, now)),
        upload_url,
        upload_expires_at: Some(expires_at.into()),
        max_bytes: u32::try_from(limit).unwrap_or(u32::MAX),
    })
}
