//! Upload, look-up, download and deletion of files.

use axum::{
    body::Body,
    extract::{FromRequest, Multipart, Request, multipart::Field},
    response::Response,
};
use bytes::{Bytes, BytesMut};
use http::header;
use serde_json::json;

use super::Reply;
use crate::meta::{
    Meta,
    error::GraphError,
    media::{StoredMedia, Upload},
    number::Number,
};

/// Meta's supported types, the kind of message each goes with, and its size limit in bytes.
const SUPPORTED: [(&str, &str, usize); 22] = [
    ("audio/aac", "audio", 16 << 20),
    ("audio/amr", "audio", 16 << 20),
    ("audio/mpeg", "audio", 16 << 20),
    ("audio/mp4", "audio", 16 << 20),
    ("audio/ogg", "audio", 16 << 20),
    ("audio/opus", "audio", 16 << 20),
    ("image/jpeg", "image", 5 << 20),
    ("image/png", "image", 5 << 20),
    ("image/webp", "sticker", 500 << 10),
    ("video/mp4", "video", 16 << 20),
    ("video/3gpp", "video", 16 << 20),
    ("text/plain", "document", 100 << 20),
    ("text/csv", "document", 100 << 20),
    ("application/pdf", "document", 100 << 20),
    ("application/zip", "document", 100 << 20),
    ("application/msword", "document", 100 << 20),
    ("application/vnd.ms-excel", "document", 100 << 20),
    ("application/vnd.ms-powerpoint", "document", 100 << 20),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "document",
        100 << 20,
    ),
    (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "document",
        100 << 20,
    ),
    (
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "document",
        100 << 20,
    ),
    ("application/json", "document", 100 << 20),
];
const LARGEST: usize = 100 << 20;

fn supported(mime_type: &str) -> Option<&'static (&'static str, &'static str, usize)> {
    let essence = mime_type.split(';').next().unwrap_or_default().trim();
    SUPPORTED
        .iter()
        .find(|(known, ..)| known.eq_ignore_ascii_case(essence))
}

/// The type of message a file of this MIME type can be sent with.
pub(super) fn kind_of(mime_type: &str) -> Option<&'static str> {
    supported(mime_type).map(|(_, kind, _)| *kind)
}

impl Meta {
    pub(super) async fn upload_media(
        &self,
        number: &Number,
        request: Request,
    ) -> Result<Reply, GraphError> {
        let broken = || GraphError::schema("The request body is not valid multipart/form-data");
        let mut form = Multipart::from_request(request, &())
            .await
            .map_err(|_| broken())?;
        let (mut product, mut declared, mut file) = (None, None, None);
        while let Some(field) = form.next_field().await.map_err(|_| broken())? {
            match field.name() {
                Some("messaging_product") => product = field.text().await.ok(),
                Some("type") => declared = field.text().await.ok(),
                Some("file") => {
                    let part_type = field.content_type().map(str::to_owned);
                    file = Some((part_type, read(field).await?));
                }
                _ => {}
            }
        }
        if product.as_deref() != Some("whatsapp") {
            return Err(GraphError::schema(
                "The parameter messaging_product is required.",
            ));
        }
        let (part_type, bytes) =
            file.ok_or_else(|| GraphError::schema("The parameter file is required."))?;
        let mime_type = part_type.or(declared).unwrap_or_default();
        let Some((_, kind, limit)) = supported(&mime_type) else {
            return Err(GraphError::schema(&format!(
                "Param file must be a file with one of the following types: {}. Received file of \
                 type '{mime_type}'.",
                SUPPORTED.map(|(known, ..)| known).join(", ")
            )));
        };
        if bytes.len() > *limit {
            return Err(GraphError::of(131_053).details(format!(
                "File size {} exceeds the limit of {limit} bytes for {kind}",
                bytes.len()
            )));
        }
        let stored = self.store_media(Upload {
            phone_number_id: &number.id,
            mime_type: &mime_type,
            bytes,
            from_customer: false,
        });
        Ok(Reply::json(json!({ "id": stored.id })))
    }

    pub(super) fn describe_media(&self, file: &StoredMedia) -> Reply {
        Reply::json(json!({
            "messaging_product": "whatsapp",
            "url": self.media_url(file, "getMedia"),
            "mime_type": file.mime_type,
            "sha256": hex::encode(file.sha256),
            "file_size": file.bytes.len().to_string(),
            "id": file.id,
        }))
    }

    pub(super) fn delete_media(&self, file: &StoredMedia) -> Reply {
        self.0.media.remove(&file.id);
        Reply::success()
    }
}

pub(super) fn download(file: &StoredMedia) -> Result<Reply, GraphError> {
    let response = Response::builder()
        .header(header::CONTENT_TYPE, &file.mime_type)
        .header(header::CONTENT_LENGTH, file.bytes.len())
        .body(Body::from(file.bytes.clone()))
        // A customer's file may name a type that can't be a header.
        .map_err(|_| GraphError::of(131_052))?;
    Ok(Reply {
        response,
        hold: None,
    })
}

/// Reads one part, but no more than any file may have.
async fn read(mut field: Field<'_>) -> Result<Bytes, GraphError> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = field
        .chunk()
        .await
        .map_err(|_| GraphError::of(131_053).details("The upload was cut off"))?
    {
        if bytes.len() + chunk.len() > LARGEST {
            return Err(GraphError::of(131_053).details("The file is too large"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}
