//! Files of ours go by the ids that WhatsApp gave them. A message whose file has none for its number waits until a job
//! has uploaded it, and keeps its conversation's later messages behind it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use db::{TenantTx, jobs};
use ids::{MediaId, MessageId};
use proto::messaging::v1::{MessageContent, message_content::Kind};

use crate::{
    error::Error,
    jobs::upload_media,
    store::{
        media_uploads,
        queue::{self, Claimed},
        routes::Route,
    },
};

/// WhatsApp's ids of the files of some messages, and when they were given.
#[derive(Debug, Default)]
pub(super) struct Uploads(HashMap<MediaId, Option<(String, DateTime<Utc>)>>);

/// What a message's file means for it.
#[derive(Debug)]
pub(super) enum File {
    /// It has none of ours.
    None,
    /// It can go; `old` is the id if that is older than the message.
    Uploaded { old: Option<String> },
    /// It waits.
    Awaited(MediaId),
    /// It can't go.
    Gone,
}

/// Looks the files of claimed messages up.
pub(super) async fn find(
    tx: &mut TenantTx,
    route: Route,
    claimed: &[Claimed],
    now: DateTime<Utc>,
) -> Result<Uploads, Error> {
    let wanted: Vec<MediaId> = claimed
        .iter()
        .filter_map(|message| message.content["media"]["mediaId"].as_str()?.parse().ok())
        .collect();
    if wanted.is_empty() {
        return Ok(Uploads::default());
    }
    let until = upload_media::usable_until(now);
    let found = media_uploads::list_attached(tx.conn(), route, &wanted, until).await?;
    let found = found.into_iter().map(|file| (file.media_id, file.upload));
    Ok(Uploads(found.collect()))
}

impl Uploads {
    /// Puts WhatsApp's id in the place of ours.
    pub(super) fn attach(&self, content: &mut MessageContent, message_id: MessageId) -> File {
        let Some(Kind::Media(media)) = &mut content.kind else {
            return File::None;
        };
        let Ok(id) = media.media_id.parse::<MediaId>() else {
            return File::None;
        };
        match self.0.get(&id) {
            None => File::Gone,
            Some(None) => File::Awaited(id),
            Some(Some((provider_id, uploaded_at))) => {
                media.media_id.clone_from(provider_id);
                let uploaded_ms = clock::unix_ms(*uploaded_at);
                // Of the same moment is not older: one that was given out for this message is never to blame.
                let old = MessageId::min_at(uploaded_ms + 1) <= message_id;
                File::Uploaded {
                    old: old.then(|| provider_id.clone()),
                }
            }
        }
    }
}

/// Lets messages wait for their files, until these are uploaded or the messages' time is over.
pub(super) async fn wait(
    tx: &mut TenantTx,
    route: Route,
    awaiting: &[(MessageId, MediaId, DateTime<Utc>)],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let places: Vec<_> = awaiting
        .iter()
        .map(|(message, _, expires_at)| (*message, *expires_at))
        .collect();
    queue::postpone(tx.conn(), route, &places).await?;
    let mut files: Vec<MediaId> = awaiting.iter().map(|(_, file, _)| *file).collect();
    files.sort_unstable();
    files.dedup();
    let due: Vec<_> = files
        .into_iter()
        .map(|file| upload_media::job(route, file, now))
        .collect();
    jobs::push(tx, &due).await?;
    Ok(())
}
