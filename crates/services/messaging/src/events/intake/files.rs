//! The files of a batch of messages: noted with the messages, fetched later.

use blobs::Digest;
use chrono::{DateTime, TimeDelta, Utc};
use db::{DbError, SystemTx, jobs};
use ids::MediaId;
use proto::messaging::v1::{Media, message_content::Kind};

use super::sort::Incoming;
use crate::{
    domain::media,
    jobs::fetch_media,
    store::media::{self as store, Received},
};

/// Meta: the id of media in a webhook is good for seven days.
const LIFETIME: TimeDelta = TimeDelta::days(7);

/// Stores the files of these messages, and asks for them to be fetched.
pub(crate) async fn note(
    tx: &mut SystemTx,
    messages: &[&Incoming],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let files: Vec<Received<'_>> = messages
        .iter()
        .filter_map(|message| match &message.content.kind {
            Some(Kind::Media(media)) => received(message, media, now),
            _ => None,
        })
        .collect();
    if files.is_empty() {
        return Ok(());
    }
    store::insert_received(tx.conn(), &files, now).await?;
    let due: Vec<_> = files
        .iter()
        .filter(|file| file.provider_id.is_some())
        .map(|file| fetch_media::job(file.route, file.id, now))
        .collect();
    jobs::push(tx, &due).await?;
    Ok(())
}

fn received<'m>(
    message: &'m Incoming,
    media: &'m Media,
    now: DateTime<Utc>,
) -> Option<Received<'m>> {
    Some(Received {
        route: message.route,
        id: MediaId::stamped(now),
        message_id: message.id,
        kind: media::word(media.kind())?,
        provider_id: Some(media.media_id.as_str()).filter(|id| !id.is_empty()),
        provider_id_expires_at: now + LIFETIME,
        mime_type: &media.mime_type,
        digest: whatsapp::webhook::digest(&media.sha256).map(Digest::from_bytes),
        filename: &media.filename,
    })
}
