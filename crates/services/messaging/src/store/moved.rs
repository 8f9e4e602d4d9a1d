//! A message that took a step, as every statement that moves messages returns it.

use chrono::{DateTime, Utc};
use ids::{ConversationId, MessageId, OrganizationId};
use serde_json::Value;

use crate::domain::status::Status;

/// The message as its row is now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Moved {
    pub(crate) organization_id: OrganizationId,
    pub(crate) message_id: MessageId,
    pub(crate) conversation_id: ConversationId,
    pub(crate) status: Status,
    /// Why it failed; none when it did not.
    pub(crate) failure: Option<Value>,
    /// Our time for what we did, WhatsApp's time for what it reported.
    pub(crate) status_at: DateTime<Utc>,
}
