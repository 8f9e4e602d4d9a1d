//! From a kept file to WhatsApp's id of it.

use std::time::Duration;

use blobs::{BlobError, Digest};
use chrono::{DateTime, Utc};
use db::TenantTx;
use outbound::Body;
use proto::messaging::v1::Failure;
use whatsapp::{
    client::{CallError, Rejection, Upload},
    codes::{Class, Scope},
};

use super::{Uploading, gone};
use crate::{
    domain::failure,
    error::Error,
    store::{
        channels::{self, Sender},
        media_uploads::File,
    },
};

/// What came of it.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) digest: Digest,
    pub(super) provider_id: String,
}

/// Why a file was not uploaded.
#[derive(Debug)]
pub(super) enum Trouble {
    /// WhatsApp will never take it.
    Never(Failure),
    /// Nothing would be taken from this number.
    Blocked {
        /// Of the channel that was asked.
        version: DateTime<Utc>,
        hint: &'static str,
        detail: String,
    },
    /// It may be taken later: a file that was uploaded twice does no harm.
    Later { detail: String, at_least: Duration },
    /// The database or the vault failed: the job begins again when its lease ends.
    Ours(Error),
}

/// Uploads it once.
pub(super) async fn transfer(uploading: &Uploading<'_>, file: &File) -> Result<Sent, Trouble> {
    let digest = Digest::try_from(file.sha256.as_slice()).map_err(|_| Trouble::Never(gone()))?;
    let store = &uploading.engine.files.store;
    let organization_id = uploading.route.organization_id;
    let blob = store.read(organization_id, digest, None).await;
    let blob = blob.map_err(|error| match error {
        BlobError::NotFound => Trouble::Never(gone()),
        error => later(errors::chain(&error), None),
    })?;
    let (sender, token) = sender(uploading).await.map_err(Trouble::Ours)?;
    let upload = Upload {
        mime_type: file.mime_type.clone(),
        filename: named(file),
        size_bytes: blob.size_bytes,
        body: Body::wrap_stream(blob.body),
    };
    let graph = &uploading.engine.files.graph;
    let sent = graph.upload(&sender.phone_number_id, &token, upload).await;
    match sent {
        Ok(provider_id) => Ok(Sent {
            digest,
            provider_id,
        }),
        Err(error) => Err(of_call(&error, sender.updated_at)),
    }
}

async fn sender(uploading: &Uploading<'_>) -> Result<(Sender, secrecy::SecretString), Error> {
    let (engine, route) = (uploading.engine, uploading.route);
    let mut tx = TenantTx::begin(&engine.db, &uploading.scope).await?;
    let found = channels::find_sender(tx.conn(), route.organization_id, route.channel_id).await?;
    let sender = found.ok_or(Error::NotFound("channel"))?;
    tx.commit().await?;
    let opening = engine.open_token(&uploading.scope, route.channel_id, &sender.access_token);
    let token = opening.await?;
    Ok((sender, token))
}

/// WhatsApp wants a name; only that of a document is ever shown, and that comes with the message.
fn named(file: &File) -> String {
    if file.filename.is_empty() {
        file.kind.clone()
    } else {
        file.filename.clone()
    }
}

fn later(detail: String, at_least: Option<Duration>) -> Trouble {
    Trouble::Later {
        detail,
        at_least: at_least.unwrap_or_default(),
    }
}

fn of_call(error: &CallError, version: DateTime<Utc>) -> Trouble {
    let detail = errors::chain(error);
    match error {
        CallError::Unreachable(unreachable) => later(detail, unreachable.retry_after()),
        CallError::Unreadable => later(detail, None),
        CallError::Rejected(rejection) => of_rejection(rejection, detail, version),
    }
}

fn of_rejection(rejection: &Rejection, detail: String, version: DateTime<Utc>) -> Trouble {
    let of_number = matches!(
        rejection.scope,
        Scope::Number | Scope::Waba | Scope::Credential | Scope::App
    );
    match rejection.class {
        Class::Never if !of_number => {
            let mut failure = failure::from_code(rejection.code.unwrap_or(0));
            rejection.hint.clone_into(&mut failure.hint);
            Trouble::Never(failure)
        }
        Class::Wait | Class::Never if of_number => Trouble::Blocked {
            version,
            hint: rejection.hint,
            detail,
        },
        Class::Wait
        | Class::Never
        | Class::RetryNow
        | Class::Backoff { .. }
        | Class::PairBackoff
        | Class::Unknown => later(detail, rejection.retry_after),
    }
}
