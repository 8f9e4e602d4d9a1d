use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use ids::WebhookId;
use sha2::{Digest, Sha256};

/// A delivery whose signature was right, as it came. Nobody has looked inside.
#[derive(Debug)]
pub(crate) struct Webhook {
    pub(crate) id: WebhookId,
    pub(crate) app: Arc<str>,
    pub(crate) body: Bytes,
    /// Recognises a repeated delivery.
    pub(crate) body_sha256: [u8; 32],
    pub(crate) received_at: DateTime<Utc>,
}

impl Webhook {
    pub(crate) fn new(app: &Arc<str>, body: Bytes, received_at: DateTime<Utc>) -> Self {
        Self {
            id: WebhookId::stamped(received_at),
            app: Arc::clone(app),
            body_sha256: Sha256::digest(&body).into(),
            body,
            received_at,
        }
    }
}
