//! The addresses of files: bytes out, and bytes in. Whoever has an address may use it; it says for whom, what and until
//! when, so there is nobody to log in here.

mod answer;
mod range;
mod upload;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Path, Query, State, rejection::QueryRejection},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use blobs::{BlobError, Digest};
use db::TenantTx;
use errors::codes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use ids::TenantScope;
use serde::Deserialize;

use self::range::Wanted;
use super::links::{Parts, Target, Variant};
use crate::{
    error::Error,
    outbound::Engine,
    store::media::{self, Media},
};

/// The thumbnails we make.
const JPEG: &str = "image/jpeg";

/// What the query of an address has.
#[derive(Debug, Deserialize)]
struct Seal {
    expires: i64,
    signature: String,
}

type Address = (Path<(String, String, String)>, Query<Seal>);

pub(crate) fn router(engine: Arc<Engine>) -> Router {
    Router::new()
        .route(
            "/media/{organization_id}/{media_id}/{variant}",
            get(download).put(upload::upload).options(preflight),
        )
        .with_state(engine)
        .layer(middleware::map_response(answer::secure))
}

/// Apps of other origins may ask: there are no cookies here, and the address is the secret.
async fn preflight() -> Response {
    let allowed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, PUT"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type, range"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, allowed).into_response()
}

/// What an address opens, if it may be used for one of these.
fn open(engine: &Engine, address: Address, variants: &[Variant]) -> Option<Target> {
    let (Path((organization_id, media_id, variant)), Query(seal)) = address;
    let parts = Parts {
        organization_id,
        media_id,
        variant,
        expires: seal.expires,
        signature: seal.signature,
    };
    let target = engine.files.links.open(&parts, engine.clock().now())?;
    variants.contains(&target.variant).then_some(target)
}

async fn find(engine: &Engine, target: Target) -> Result<Option<Media>, Error> {
    let scope = TenantScope::system(target.organization_id, "media_link");
    let mut tx = TenantTx::begin(&engine.db, &scope).await?;
    Ok(media::find(tx.conn(), target.organization_id, target.media_id).await?)
}

async fn download(
    State(engine): State<Arc<Engine>>,
    path: Path<(String, String, String)>,
    seal: Result<Query<Seal>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    const READ: &[Variant] = &[Variant::File, Variant::Thumbnail];
    let target = seal.ok().and_then(|seal| open(&engine, (path, seal), READ));
    let Some(target) = target else {
        return answer::problem(&codes::MEDIA_LINK_INVALID);
    };
    let row = match Box::pin(find(&engine, target)).await {
        Ok(Some(row)) if row.is_ready() => row,
        Ok(_) => return answer::problem(&codes::MEDIA_LINK_INVALID),
        Err(error) => return answer::error(&error),
    };
    let (digest, mime_type) = match target.variant {
        Variant::Thumbnail => (row.thumbnail_sha256.as_deref(), JPEG),
        Variant::File | Variant::Upload => (row.sha256.as_deref(), row.mime_type.as_str()),
    };
    let Some(digest) = digest.and_then(|digest| Digest::try_from(digest).ok()) else {
        return answer::problem(&codes::MEDIA_LINK_INVALID);
    };
    let shown = answer::Shown {
        digest,
        mime_type,
        filename: &row.filename,
    };
    if shown.is_known_to(&headers) {
        return shown.not_modified();
    }
    send(&engine, target, &shown, Wanted::read(&headers)).await
}

async fn send(
    engine: &Engine,
    target: Target,
    shown: &answer::Shown<'_>,
    wanted: Wanted,
) -> Response {
    let store = &engine.files.store;
    let organization_id = target.organization_id;
    let range = match wanted {
        Wanted::All => None,
        Wanted::Part(range) => Some(range),
        Wanted::Last(count) => match store.size(organization_id, shown.digest).await {
            Ok(size) => Some(size.saturating_sub(count)..size),
            Err(error) => return answer::error(&Error::Blob(error)),
        },
    };
    let partial = range.is_some();
    let blob = match store.read(organization_id, shown.digest, range).await {
        Ok(blob) => blob,
        Err(BlobError::RangeInvalid) => return unsatisfiable(engine, target, shown.digest).await,
        Err(error) => return answer::error(&Error::Blob(error)),
    };
    let length = blob.range.end - blob.range.start;
    let span = format!(
        "bytes {}-{}/{}",
        blob.range.start,
        blob.range.end.saturating_sub(1),
        blob.size_bytes
    );
    let mut response = Response::new(Body::from_stream(blob.body));
    let headers = response.headers_mut();
    shown.describe(headers);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    if partial && let Ok(span) = HeaderValue::from_str(&span) {
        headers.insert(header::CONTENT_RANGE, span);
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    response
}

async fn unsatisfiable(engine: &Engine, target: Target, digest: Digest) -> Response {
    match engine
        .files
        .store
        .size(target.organization_id, digest)
        .await
    {
        Ok(size) => {
            let all = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
            (StatusCode::RANGE_NOT_SATISFIABLE, all).into_response()
        }
        Err(error) => answer::error(&Error::Blob(error)),
    }
}
