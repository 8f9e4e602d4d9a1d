//! From WhatsApp's id of a file to its kept bytes.

use std::time::Duration;

use blobs::{BlobError, Digest, Spooled};
use proto::messaging::v1::MediaKind;
use secrecy::SecretString;
use whatsapp::{
    client::{CallError, Download, MediaError, MediaInfo, Rejection},
    codes::Class,
};

use super::Fetching;
use crate::{
    domain::media::{self, Direction, Problem},
    error::Error,
    ops::receive_media::{Arrived, receive_media},
    store::{
        channels::Sender,
        media::{Found, Wanted},
    },
};

/// Why a file was not fetched.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It will not come.
    Never(Problem),
    /// It may come later, with a new address.
    Later { detail: String, at_least: Duration },
    /// The database failed: the job begins again when its lease ends.
    Ours(Error),
}

/// Until a person has connected the channel with a new token.
const WAIT: Duration = Duration::from_mins(10);
/// Fetches it once, by an address of its own.
pub(super) async fn transfer(
    fetching: &Fetching<'_>,
    wanted: &Wanted,
    sender: &Sender,
    token: &SecretString,
) -> Result<Found, Trouble> {
    let graph = &fetching.engine.files.graph;
    let number = Some(sender.phone_number_id.as_str());
    let info = graph.media_url(&wanted.provider_id, token, number).await;
    let info = info.map_err(|error| of_call(&error))?;
    let kind = media::kind(&wanted.kind);
    let limit = media::limit(kind, Direction::Inbound);
    if info.size_bytes.is_some_and(|size| size > limit) {
        return Err(Trouble::Never(Problem::TooLarge));
    }
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let download = graph.download(&info.url, token, most).await;
    let download = download.map_err(|error| of_media(&error))?;
    let file = spool(fetching, wanted, &info, download, limit).await?;
    keep(fetching, wanted, kind, file).await
}

async fn spool(
    fetching: &Fetching<'_>,
    wanted: &Wanted,
    info: &MediaInfo,
    mut download: Download,
    limit: u64,
) -> Result<Spooled, Trouble> {
    let store = &fetching.engine.files.store;
    let mut spool = store.spool(limit).await.map_err(of_blob)?;
    loop {
        let chunk = download.body.chunk().await;
        let chunk = chunk.map_err(|error| later(errors::chain(&error), None))?;
        let Some(chunk) = chunk else { break };
        spool.write(&chunk).await.map_err(of_blob)?;
    }
    let announced = info.sha256.map(Digest::from_bytes).or_else(|| {
        let claimed = wanted.claimed_sha256.as_deref()?;
        Digest::try_from(claimed).ok()
    });
    let file = spool.finish(announced).await.map_err(of_blob)?;
    if info
        .size_bytes
        .is_some_and(|size| size != file.size_bytes())
    {
        return Err(later(
            "the file has another size than announced".to_owned(),
            None,
        ));
    }
    Ok(file)
}

async fn keep(
    fetching: &Fetching<'_>,
    wanted: &Wanted,
    kind: MediaKind,
    file: Spooled,
) -> Result<Found, Trouble> {
    let arrived = Arrived {
        id: fetching.id,
        kind,
        direction: Direction::Inbound,
        claimed_mime_type: &wanted.claimed_mime_type,
        file,
    };
    let engine = fetching.engine;
    match receive_media(&engine.db, &engine.files, &fetching.scope, arrived).await {
        Ok(Some(found)) => Ok(found),
        Ok(None) => Err(later("the file is not wanted any more".to_owned(), None)),
        Err(Error::MediaRefused(problem)) => Err(Trouble::Never(problem)),
        Err(Error::Blob(error)) => Err(of_blob(error)),
        Err(error @ Error::FileBeingDeleted) => Err(later(errors::chain(&error), None)),
        Err(error) => Err(Trouble::Ours(error)),
    }
}

fn later(detail: String, at_least: Option<Duration>) -> Trouble {
    Trouble::Later {
        detail,
        at_least: at_least.unwrap_or_default(),
    }
}

fn of_blob(error: BlobError) -> Trouble {
    match error {
        BlobError::TooLarge { .. } => Trouble::Never(Problem::TooLarge),
        error => later(errors::chain(&error), None),
    }
}

/// WhatsApp keeps a file for seven days, and what it says of one in between is not final: addresses are refused for no
/// reason, a token that may not see the file is replaced by one that may. So the file is asked for until its id ends.
fn of_media(error: &MediaError) -> Trouble {
    let detail = errors::chain(error);
    match error {
        // Addresses live five minutes: the next attempt has a new one.
        MediaError::Expired => later(detail, None),
        // A new host of Meta's, until the configuration knows it.
        MediaError::HostNotAllowed => later(detail, Some(WAIT)),
        MediaError::Failed(error) => of_call(error),
    }
}

fn of_call(error: &CallError) -> Trouble {
    let detail = errors::chain(error);
    match error {
        CallError::Unreachable(unreachable) => later(detail, unreachable.retry_after()),
        CallError::Unreadable => later(detail, None),
        CallError::Rejected(rejection) => of_rejection(rejection, detail),
    }
}

fn of_rejection(rejection: &Rejection, detail: String) -> Trouble {
    match rejection.class {
        Class::Wait | Class::Never => later(detail, Some(WAIT)),
        Class::RetryNow | Class::Backoff { .. } | Class::PairBackoff | Class::Unknown => {
            later(detail, rejection.retry_after)
        }
    }
}
