//! Files as the API shows them, beside the messages they belong to.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use db::{Db, TenantTx};
use ids::{MediaId, MessageId, OrganizationId, TenantScope};
use proto::messaging::v1::{
    ListMessagesResponse, MediaFile, MediaState, Message, MessageContent, message_content::Kind,
};

use crate::{
    domain::media as domain,
    error::Error,
    media::{
        Files,
        links::{Target, Variant},
    },
    store::media::{self, Media},
};

/// An answer with messages in it.
pub(crate) trait Messages {
    fn messages(&mut self) -> &mut [Message];
}

impl Messages for Message {
    fn messages(&mut self) -> &mut [Message] {
        std::slice::from_mut(self)
    }
}

impl Messages for ListMessagesResponse {
    fn messages(&mut self) -> &mut [Message] {
        &mut self.messages
    }
}

/// What `answering` comes to, its messages with their files.
pub(crate) async fn with_media<T: Messages>(
    db: &Db,
    files: &Files,
    scope: &TenantScope,
    answering: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let mut answer = Box::pin(answering).await?;
    let mut wanted: HashMap<MediaId, Vec<usize>> = HashMap::new();
    let mut places: HashMap<MessageId, usize> = HashMap::new();
    for (place, message) in answer.messages().iter().enumerate() {
        if !matches!(
            message.content,
            Some(MessageContent {
                kind: Some(Kind::Media(_))
            })
        ) {
            continue;
        }
        match message.content.as_ref().and_then(uploaded) {
            Some(id) => wanted.entry(id).or_default().push(place),
            None => places.extend(message.id.parse().ok().map(|id: MessageId| (id, place))),
        }
    }
    if wanted.is_empty() && places.is_empty() {
        return Ok(answer);
    }
    let messages: Vec<MessageId> = places.keys().copied().collect();
    let ids: Vec<MediaId> = wanted.keys().copied().collect();
    let organization_id = scope.organization_id;
    let mut tx = TenantTx::begin(db, scope).await?;
    let found = media::list_of(tx.conn(), organization_id, &messages, &ids).await?;
    tx.commit().await?;
    let now = db.clock().now();
    for row in found {
        let of_message = row.message_id.and_then(|id| places.get(&id)).copied();
        let of_upload = wanted.get(&row.id).into_iter().flatten().copied();
        let shown = file(files, organization_id, row, now);
        for place in of_message.into_iter().chain(of_upload) {
            answer.messages()[place].media.push(shown.clone());
        }
    }
    Ok(answer)
}

/// The file of ours that a message is sent with, by its id.
pub(crate) fn uploaded(content: &MessageContent) -> Option<MediaId> {
    match &content.kind {
        Some(Kind::Media(media)) => media.media_id.parse().ok(),
        _ => None,
    }
}

/// A row as it is shown; a ready one with addresses that live from now.
pub(crate) fn file(
    files: &Files,
    organization_id: OrganizationId,
    row: Media,
    now: DateTime<Utc>,
) -> MediaFile {
    let sign = |variant| {
        let target = Target {
            organization_id,
            media_id: row.id,
            variant,
        };
        files.links.sign(target, now)
    };
    let address = row.is_ready().then(|| sign(Variant::File)).unzip();
    let has_thumbnail = row.is_ready() && row.thumbnail_sha256.is_some();
    let thumbnail_url = has_thumbnail.then(|| sign(Variant::Thumbnail).0);
    let pixels = |side: Option<i32>| side.and_then(|side| u32::try_from(side).ok()).unwrap_or(0);
    let state = match row.state.as_str() {
        "ready" => MediaState::Ready,
        "failed" => MediaState::Failed,
        _ => MediaState::Pending,
    };
    MediaFile {
        id: row.id.to_string(),
        kind: domain::kind(&row.kind).into(),
        state: state.into(),
        size_bytes: row
            .size_bytes
            .and_then(|size| u32::try_from(size).ok())
            .unwrap_or(0),
        width: pixels(row.width),
        height: pixels(row.height),
        url: address.0.unwrap_or_default(),
        thumbnail_url: thumbnail_url.unwrap_or_default(),
        urls_expire_at: address.1.map(Into::into),
        created_at: Some(row.created_at.into()),
        problem: row.problem,
        mime_type: row.mime_type,
        filename: row.filename,
    }
}
