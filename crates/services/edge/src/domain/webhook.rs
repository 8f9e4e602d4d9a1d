use std::{fmt, sync::Arc};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use ids::WebhookId;
use sha2::{Digest, Sha256};

/// A delivery whose signature was right, as it came. Nobody has looked inside.
#[derive(Debug)]
pub(crate) struct Webhook {
    pub(crate) id: WebhookId,
    pub(crate) origin: Origin,
    pub(crate) body: Bytes,
    pub(crate) received_at: DateTime<Utc>,
}

/// Whose it is, and what recognises a repeat of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Meta signs neither a time nor an id, so only the body is the same in a repeat.
    WhatsApp {
        app: Arc<str>,
        body_sha256: [u8; 32],
    },
    /// Resend signs the delivery's id.
    Resend { delivery_id: Arc<str> },
}

impl Webhook {
    /// A delivery to a Meta app.
    pub(crate) fn whatsapp(app: &Arc<str>, body: Bytes, received_at: DateTime<Utc>) -> Self {
        let origin = Origin::WhatsApp {
            app: Arc::clone(app),
            body_sha256: Sha256::digest(&body).into(),
        };
        Self::new(origin, body, received_at)
    }

    /// A delivery of Resend's.
    pub(crate) fn resend(delivery_id: &str, body: Bytes, received_at: DateTime<Utc>) -> Self {
        let delivery_id = delivery_id.into();
        Self::new(Origin::Resend { delivery_id }, body, received_at)
    }

    fn new(origin: Origin, body: Bytes, received_at: DateTime<Utc>) -> Self {
        Self {
            id: WebhookId::stamped(received_at),
            origin,
            body,
            received_at,
        }
    }
}

/// For logs.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WhatsApp { app, .. } => write!(f, "whatsapp/{app}"),
            Self::Resend { .. } => f.write_str("resend"),
        }
    }
}
