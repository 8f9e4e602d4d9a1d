//! What is reported to the audit log, which identity keeps.

use auth::Origin;
use chrono::{DateTime, Utc};
use db::outbox::Event;
use ids::TenantScope;
use proto::{common::v1::AuditRecord, messaging::events::v1::AuditRecorded};
use serde_json::Value;

/// A change of security interest. No secrets.
pub(crate) struct Change {
    /// `<resource>.<what was done>`.
    pub(crate) action: &'static str,
    /// The id of what was changed.
    pub(crate) target: String,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
}

/// The event of a change, to be pushed in its transaction.
pub(crate) fn recorded(
    scope: &TenantScope,
    origin: &Origin,
    now: DateTime<Utc>,
    change: Change,
) -> Event {
    let json = |value: Option<Value>| value.map(|value| value.to_string()).unwrap_or_default();
    let event = AuditRecorded {
        target: change.target,
        record: Some(AuditRecord {
            action: change.action.to_owned(),
            before: json(change.before),
            after: json(change.after),
            address: origin
                .address
                .map(|address| address.to_string())
                .unwrap_or_default(),
            user_agent: origin.user_agent.clone(),
        }),
    };
    let actor = Some(scope.actor.to_string());
    bus::event(&event, Some(scope.organization_id), actor, now)
}
