//! Files: uploads of the business, attachments of customers, and the short-lived URLs to both.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::{Meta, identifiers::object_id};
use crate::locked::Locked;

/// Meta: a media URL lives five minutes.
const URL_LIFE: TimeDelta = TimeDelta::minutes(5);
/// Meta: an uploaded file lives 30 days, one that came with a webhook 7.
const UPLOAD_LIFE: TimeDelta = TimeDelta::days(30);
const ATTACHMENT_LIFE: TimeDelta = TimeDelta::days(7);

#[derive(Debug)]
pub(super) struct StoredMedia {
    pub(super) id: String,
    pub(super) phone_number_id: String,
    pub(super) mime_type: String,
    pub(super) sha256: [u8; 32],
    pub(super) bytes: Bytes,
    expires_at: DateTime<Utc>,
}

pub(super) struct Upload<'a> {
    pub(super) phone_number_id: &'a str,
    pub(super) mime_type: &'a str,
    pub(super) bytes: Bytes,
    pub(super) from_customer: bool,
}

/// Everything stored, the oldest dropped when there is too much.
#[derive(Debug)]
pub(super) struct MediaStore {
    shelf: Locked<Shelf>,
    capacity: usize,
    /// Makes URLs unguessable.
    url_key: [u8; 16],
}

#[derive(Debug, Default)]
struct Shelf {
    files: HashMap<String, Arc<StoredMedia>>,
    order: VecDeque<String>,
    bytes: usize,
}

impl Shelf {
    fn remove(&mut self, id: &str) -> bool {
        let removed = self.files.remove(id);
        if let Some(file) = &removed {
            self.bytes -= file.bytes.len();
        }
        removed.is_some()
    }
}

impl MediaStore {
    pub(super) fn new(capacity: usize, url_key: [u8; 16]) -> Self {
        Self {
            shelf: Locked::default(),
            capacity,
            url_key,
        }
    }

    fn put(&self, file: Arc<StoredMedia>) {
        self.shelf.with(|shelf| {
            shelf.bytes += file.bytes.len();
            shelf.order.push_back(file.id.clone());
            shelf.files.insert(file.id.clone(), file);
            while shelf.bytes > self.capacity
                && let Some(oldest) = shelf.order.pop_front()
            {
                shelf.remove(&oldest);
            }
        });
    }

    pub(super) fn find(&self, id: &str, now: DateTime<Utc>) -> Option<Arc<StoredMedia>> {
        self.shelf
            .with(|shelf| shelf.files.get(id).cloned())
            .filter(|file| file.expires_at > now)
    }

    pub(super) fn remove(&self, id: &str) -> bool {
        self.shelf.with(|shelf| shelf.remove(id))
    }

    pub(super) fn clear(&self) {
        self.shelf.with(|shelf| *shelf = Shelf::default());
    }

    fn url_hash(&self, id: &str, expires: i64) -> String {
        let hash = Sha256::new()
            .chain_update(self.url_key)
            .chain_update(format!("{id}:{expires}"))
            .finalize();
        hex::encode(&hash[..16])
    }
}

impl Meta {
    pub(super) fn store_media(&self, upload: Upload<'_>) -> Arc<StoredMedia> {
        let life = if upload.from_customer {
            ATTACHMENT_LIFE
        } else {
            UPLOAD_LIFE
        };
        let file = Arc::new(StoredMedia {
            id: self.rng().with(object_id),
            phone_number_id: upload.phone_number_id.to_owned(),
            mime_type: upload.mime_type.to_owned(),
            sha256: Sha256::digest(&upload.bytes).into(),
            bytes: upload.bytes,
            expires_at: self.clock().now() + life,
        });
        self.0.media.put(Arc::clone(&file));
        file
    }

    /// A download URL like those of lookaside.fbsbx.com. `source`: `webhook` or `getMedia`.
    pub(super) fn media_url(&self, file: &StoredMedia, source: &str) -> String {
        let expires = (self.clock().now() + URL_LIFE).timestamp();
        format!(
            "{}/whatsapp_business/attachments/?mid={}&source={source}&ext={expires}&hash={}",
            self.0.public_url,
            file.id,
            self.0.media.url_hash(&file.id, expires),
        )
    }

    /// The file a download URL stands for, if the URL is ours and still good.
    pub(super) fn media_behind(
        &self,
        id: &str,
        expires: &str,
        hash: &str,
    ) -> Option<Arc<StoredMedia>> {
        let now = self.clock().now();
        let expires: i64 = expires.parse().ok()?;
        if expires < now.timestamp() || hash != self.0.media.url_hash(id, expires) {
            return None;
        }
        self.0.media.find(id, now)
    }
}
