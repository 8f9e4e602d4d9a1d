//! GetMedia: one file, with fresh addresses.

use db::{Db, TenantTx};
use ids::{MediaId, TenantScope};
use proto::messaging::v1::MediaFile;

use super::show_media;
use crate::{error::Error, media::Files, store::media};

pub(crate) async fn get_media(
    db: &Db,
    files: &Files,
    scope: &TenantScope,
    id: MediaId,
) -> Result<MediaFile, Error> {
    let organization_id = scope.organization_id;
    let mut tx = TenantTx::begin(db, scope).await?;
    let row = media::find(tx.conn(), organization_id, id)
        .await?
        .ok_or(Error::NotFound("media"))?;
    let now = db.clock().now();
    Ok(show_media::file(files, organization_id, row, now))
}
