//! Bytes that come in.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::{Path, Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use blobs::{BlobError, Spooled};
use db::{DbError, TenantTx};
use errors::codes;
use futures::StreamExt;
use http::{HeaderMap, header};
use ids::TenantScope;
use proto::messaging::v1::MediaFile;

use super::{Seal, answer, find, open};
use crate::{
    domain::media::{self, Direction},
    error::Error,
    media::links::{Target, Variant},
    ops::{
        receive_media::{Arrived, receive_media},
        show_media,
    },
    outbound::Engine,
    store::media::{self as store, Media},
};

/// The longest silence of whoever uploads.
const PATIENCE: Duration = Duration::from_secs(30);
/// A piece now and then must not hold a place for ever.
const LONGEST: Duration = Duration::from_mins(30);

/// Takes the bytes of a file that was begun with CreateMedia. The same bytes again change nothing; others are refused,
/// once the file is ready.
pub(super) async fn upload(
    State(engine): State<Arc<Engine>>,
    path: Path<(String, String, String)>,
    seal: Result<Query<Seal>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let seal = seal.ok();
    let target = seal.and_then(|seal| open(&engine, (path, seal), &[Variant::Upload]));
    let Some(target) = target else {
        return answer::problem(&codes::MEDIA_LINK_INVALID);
    };
    let claimed = headers.get(header::CONTENT_TYPE);
    let claimed = claimed.and_then(|value| value.to_str().ok());
    match Box::pin(take(&engine, target, claimed.unwrap_or_default(), body)).await {
        Ok(Some(file)) => Json(file).into_response(),
        Ok(None) => answer::problem(&codes::MEDIA_LINK_INVALID),
        Err(Failure::TooSlow) => answer::problem(&codes::REQUEST_TOO_SLOW),
        Err(Failure::Busy) => answer::problem(&codes::RATE_LIMITED),
        Err(Failure::Cut) => answer::problem(&codes::REQUEST_MALFORMED),
        Err(Failure::Other) => answer::problem(&codes::CONFLICT),
        Err(Failure::Ours(error)) => answer::error(&error),
    }
}

enum Failure {
    /// Nothing came for too long.
    TooSlow,
    /// The body broke off.
    Cut,
    /// So many upload at this moment.
    Busy,
    /// The file is ready, with other bytes.
    Other,
    Ours(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<BlobError> for Failure {
    fn from(error: BlobError) -> Self {
        Self::Ours(error.into())
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::Ours(error.into())
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Ours(error.into())
    }
}

async fn take(
    engine: &Engine,
    target: Target,
    claimed: &str,
    body: Body,
) -> Result<Option<MediaFile>, Failure> {
    let Some(row) = find(engine, target).await? else {
        return Ok(None);
    };
    if row.direction != "outbound" || row.state == "failed" {
        return Ok(None);
    }
    let Ok(_place) = engine.files.uploads.try_acquire() else {
        return Err(Failure::Busy);
    };
    let kind = media::kind(&row.kind);
    let limit = media::limit(kind, Direction::Outbound);
    let spooling = tokio::time::timeout(LONGEST, spool(engine, body, limit));
    let file = spooling.await.map_err(|_elapsed| Failure::TooSlow)??;
    let digest = file.digest();
    if row.is_ready() {
        let same = row.sha256.as_deref() == Some(digest.as_bytes().as_slice());
        return if same {
            Ok(Some(show(engine, target, row)))
        } else {
            Err(Failure::Other)
        };
    }
    let scope = TenantScope::system(target.organization_id, "media_link");
    let arrived = Arrived {
        id: target.media_id,
        kind,
        direction: Direction::Outbound,
        claimed_mime_type: claimed,
        file,
    };
    let received = receive_media(&engine.db, &engine.files, &scope, arrived).await?;
    if received.is_some() {
        let mut tx = TenantTx::begin(&engine.db, &scope).await?;
        let now = engine.clock().now();
        store::set_ready(
            tx.conn(),
            target.organization_id,
            target.media_id,
            digest,
            now,
        )
        .await?;
        tx.commit().await?;
    }
    // Somebody else may have been faster, with the same address.
    match find(engine, target).await? {
        Some(row) if row.sha256.as_deref() == Some(digest.as_bytes().as_slice()) => {
            Ok(Some(show(engine, target, row)))
        }
        Some(_) => Err(Failure::Other),
        None => Ok(None),
    }
}

async fn spool(engine: &Engine, body: Body, limit: u64) -> Result<Spooled, Failure> {
    let mut spool = engine.files.store.spool(limit).await?;
    let mut pieces = body.into_data_stream();
    loop {
        match tokio::time::timeout(PATIENCE, pieces.next()).await {
            Err(_elapsed) => return Err(Failure::TooSlow),
            Ok(None) => break,
            Ok(Some(Err(_cut))) => return Err(Failure::Cut),
            Ok(Some(Ok(piece))) => spool.write(&piece).await?,
        }
    }
    Ok(spool.finish(None).await?)
}

fn show(engine: &Engine, target: Target, row: Media) -> MediaFile {
    let now = engine.clock().now();
    show_media::file(&engine.files, target.organization_id, row, now)
}
