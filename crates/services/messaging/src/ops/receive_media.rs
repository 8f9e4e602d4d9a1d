//! Taking a file in that has arrived in the spool, from WhatsApp or from a person: what it is, its small picture, and
//! then its bytes under their name.

use std::sync::Arc;

use blobs::Spooled;
use db::{Db, TenantTx};
use ids::{MediaId, TenantScope};
use proto::messaging::v1::MediaKind;

use crate::{
    domain::media::{self, Direction},
    error::Error,
    media::{
        Files,
        thumbnail::{self, Thumbnail},
    },
    store::media::{self as store, Announced, Found},
};

/// Which file it is, and what was said of it.
#[derive(Debug)]
pub(crate) struct Arrived<'a> {
    pub(crate) id: MediaId,
    pub(crate) kind: MediaKind,
    pub(crate) direction: Direction,
    pub(crate) claimed_mime_type: &'a str,
    pub(crate) file: Spooled,
}

/// Keeps the file of a pending row; the row itself becomes ready later, in the transaction that tells so. `None` when
/// the row is not pending any more.
pub(crate) async fn receive_media(
    db: &Db,
    files: &Files,
    scope: &TenantScope,
    mut arrived: Arrived<'_>,
) -> Result<Option<Found>, Error> {
    let file = &mut arrived.file;
    let mime_type = media::examine(
        arrived.kind,
        arrived.direction,
        file.head(),
        file.size_bytes(),
        arrived.claimed_mime_type,
    )
    .map_err(Error::MediaRefused)?;
    let picture = picture(files, arrived.kind, file).await?;
    let mut small = match &picture {
        Some(picture) => Some(files.store.spool_bytes(&picture.jpeg).await?),
        None => None,
    };
    let side =
        |of: fn(&Thumbnail) -> u32| picture.as_ref().and_then(|it| i32::try_from(of(it)).ok());
    let found = Found {
        mime_type,
        size_bytes: i64::try_from(file.size_bytes()).unwrap_or(i64::MAX),
        digest: file.digest(),
        thumbnail: small.as_ref().map(Spooled::digest),
        width: side(|picture| picture.width),
        height: side(|picture| picture.height),
    };
    let organization_id = scope.organization_id;
    let mut tx = TenantTx::begin(db, scope).await?;
    match store::announce(tx.conn(), organization_id, arrived.id, &found).await? {
        Announced::Named => tx.commit().await?,
        Announced::NotPending => return Ok(None),
        Announced::BeingDeleted => return Err(Error::FileBeingDeleted),
    }
    kill::point!("messaging.media-announced");
    files.store.keep(organization_id, file).await?;
    if let Some(small) = &mut small {
        files.store.keep(organization_id, small).await?;
    }
    kill::point!("messaging.media-kept");
    Ok(Some(found))
}

/// On a thread of its own: decoding is long work for a processor.
async fn picture(
    files: &Files,
    kind: MediaKind,
    file: &mut Spooled,
) -> Result<Option<Thumbnail>, Error> {
    let has_one = matches!(kind, MediaKind::Image | MediaKind::Sticker);
    if !has_one || file.size_bytes() > thumbnail::MOST_BYTES {
        return Ok(None);
    }
    // The place goes with the thread, which goes on when nobody waits for it any more.
    let Ok(place) = Arc::clone(&files.pictures).acquire_owned().await else {
        return Ok(None);
    };
    let bytes = file.read().await?;
    let made = tokio::task::spawn_blocking(move || {
        let _place = place;
        thumbnail::make(&bytes)
    })
    .await;
    // A decoder that panics costs the thumbnail and not the file.
    Ok(made.unwrap_or_default())
}
