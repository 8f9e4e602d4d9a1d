//! Media: upload, address, download.

use std::time::Duration;

use http::StatusCode;
use outbound::{Body, Retry, Streaming, Url, multipart};
use secrecy::SecretString;

use super::{CallError, Client, MediaError};
use crate::{
    client::rejection::Rejection,
    codes::{Class, Scope},
    webhook::digest,
};

kept_private!(MediaInfo);

/// Where a piece of media can be had for five minutes.
#[derive(Clone, PartialEq, Eq)]
pub struct MediaInfo {
    /// The address. Holds a signature: don't log it.
    pub url: String,
    /// As claimed.
    pub mime_type: Option<String>,
    /// What the content must hash to.
    pub sha256: Option<[u8; 32]>,
    /// In bytes.
    pub size_bytes: Option<u64>,
}

/// Media on its way to us.
#[derive(Debug)]
pub struct Download {
    /// As the server says.
    pub content_type: Option<String>,
    /// In bytes, if the server says so.
    pub size_bytes: Option<u64>,
    /// The content, piece by piece, up to the limit asked for.
    pub body: Streaming,
}

/// Media on its way to WhatsApp.
#[derive(Debug)]
pub struct Upload {
    /// What it is, `image/png`. WhatsApp compares it with the content.
    pub mime_type: String,
    /// What the recipient sees of a document.
    pub filename: String,
    /// The content.
    pub body: Body,
    /// Its size in bytes.
    pub size_bytes: u64,
}

/// 100 MB in this time are 2 Mbit/s. Repeating an upload does no harm.
const UPLOAD: Duration = Duration::from_mins(8);

impl Client {
    /// Uploads media for a number; the id lives 30 days. Not repeated: the content is read once.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn upload(
        &self,
        phone_number_id: &str,
        token: &SecretString,
        upload: Upload,
    ) -> Result<String, CallError> {
        let url = self.url(&[phone_number_id, "media"])?;
        let part = multipart::Part::stream_with_length(upload.body, upload.size_bytes)
            .file_name(upload.filename)
            .mime_str(&upload.mime_type)
            .map_err(|_| {
                let hint = "The media type is not a MIME type.";
                Rejection::local(Class::Never, Scope::Message, hint)
            })?;
        let form = multipart::Form::new()
            .text("messaging_product", "whatsapp")
            .text("type", upload.mime_type)
            .part("file", part);
        let request = self.post("media.upload", url, token);
        let request = request.multipart(form).deadline(UPLOAD);
        let body = self.call(request).await?;
        let id = body.object().and_then(|object| object.id("id"));
        id.ok_or(CallError::Unreadable)
    }

    /// Asks where media can be had. With a number, only media of that number.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn media_url(
        &self,
        media_id: &str,
        token: &SecretString,
        phone_number_id: Option<&str>,
    ) -> Result<MediaInfo, CallError> {
        let url = self.url(&[media_id])?;
        let mut request = self.get("media.get", url, token);
        if let Some(phone_number_id) = phone_number_id {
            request = request.query(&[("phone_number_id", phone_number_id)]);
        }
        let body = self.call(request).await?;
        let object = body.object().ok_or(CallError::Unreadable)?;
        Ok(MediaInfo {
            url: object.id("url").ok_or(CallError::Unreadable)?,
            mime_type: object.id("mime_type"),
            sha256: object.id("sha256").as_deref().and_then(digest),
            size_bytes: object
                .int("file_size")
                .and_then(|size| u64::try_from(size).ok()),
        })
    }

    /// Fetches media of at most `max_bytes`. The token goes to Meta's hosts only.
    ///
    /// # Errors
    /// [`MediaError`]; after [`MediaError::Expired`] ask for a new address.
    pub async fn download(
        &self,
        url: &str,
        token: &SecretString,
        max_bytes: usize,
    ) -> Result<Download, MediaError> {
        let url = Url::parse(url).map_err(|_| MediaError::HostNotAllowed)?;
        if !self.may_see_token(&url) {
            return Err(MediaError::HostNotAllowed);
        }
        let request = self.get("media.download", url, token);
        let body = request.max_response_bytes(max_bytes).stream().await;
        let body = body.map_err(CallError::Unreachable)?;
        match body.status() {
            StatusCode::OK => Ok(Download {
                content_type: body.header("content-type").map(str::to_owned),
                size_bytes: body.content_length(),
                body,
            }),
            StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::FORBIDDEN => {
                Err(MediaError::Expired)
            }
            status => {
                let (class, scope) = match status {
                    StatusCode::UNAUTHORIZED => (Class::Wait, Scope::Credential),
                    StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
                        (Class::Unknown, Scope::Message)
                    }
                    _ if status.is_client_error() => (Class::Never, Scope::Message),
                    _ => (Class::Unknown, Scope::Message),
                };
                let hint = "WhatsApp did not hand the media out.";
                let mut rejection = Rejection::local(class, scope, hint);
                rejection.status = Some(status);
                Err(MediaError::Failed(CallError::Rejected(rejection)))
            }
        }
    }

    /// Deletes uploaded media.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn delete_media(
        &self,
        media_id: &str,
        token: &SecretString,
    ) -> Result<(), CallError> {
        let url = self.url(&[media_id])?;
        let request = self.delete("media.delete", url, token);
        self.succeed(request.idempotent(Retry::default())).await
    }

    /// Addresses in webhooks are a stranger's word until the signature of the webhook and this
    /// check agree.
    fn may_see_token(&self, url: &Url) -> bool {
        let config = &self.0.config;
        if !url.username().is_empty() || url.password().is_some() {
            return false;
        }
        if url.origin() == config.base_url.origin() {
            return true;
        }
        let known = |host: &str| config.media_hosts.iter().any(|known| known == host);
        url.scheme() == "https" && url.port().is_none() && url.host_str().is_some_and(known)
    }
}
