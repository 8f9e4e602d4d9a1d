//! GetMedia: one file, with fresh addresses.

use db::{Db, TenantTx};
use ids::{MediaId, TenantScope};
use proto::messaging::v1::MediaFile;

use super::{lists, show_media, sight::Sight};
use crate::{error::Error, media::Files, store::media};

pub(crate) async fn get_media(
    db: &Db,
    files: &Files,
    scope: &TenantScope,
    sight: &Sight,
    id: MediaId,
) -> Result<MediaFile, Error> {
    let organization_id = scope.organization_id;
    let mut tx = TenantTx::begin(db, scope).await?;
    let row = media::find(tx.conn(), organization_id, id)
        .await?
        .ok_or(Error::NotFound("media"))?;
    // What was uploaded here belongs to no conversation; a customer's file is seen by who sees its message.
    if let (Some(message_id), Some(_)) = (row.message_id, sight.reach()) {
        lists::read_message(&mut tx, scope, sight, message_id)
            .await
            .map_err(|error| match error {
                Error::NotFound(_) => Error::NotFound("media"),
                other => other,
            })?;
    }
    let now = db.clock().now();
    Ok(show_media::file(files, organization_id, row, now))
}
