//! Events that several parts of the service tell, as outbox rows.

use chrono::{DateTime, Utc};
use db::outbox::Event;
use ids::{ChannelId, ContactId, ConversationId, OrganizationId, TenantScope};
use proto::messaging::{
    events::v1::{
        ChannelChanged, ConsentChanged, ContactChanged, ContactMerged, ConversationOpened,
        MessageStatusChanged, TemplateChanged,
    },
    v1::{Failure, MessageStatus},
};
use serde_json::Value;

use crate::{
    ops::view,
    store::{
        consents::Consent,
        merges::{Merge, Order},
        moved::Moved,
        routes::Route,
        templates::Template,
    },
};

/// The actor of what a number's lane does by itself.
pub(crate) const LANE: &str = "system:lane";
/// The actor of what is seen of a number by looking at it.
pub(crate) const HEALTH: &str = "system:channel_health";
/// The actor of what WhatsApp reported.
pub(crate) const WHATSAPP: &str = "system:whatsapp";

/// The event of a message that moved on.
pub(crate) fn moved(moved: &Moved, now: DateTime<Utc>, actor: &str) -> Event {
    let changed = MessageStatusChanged {
        message_id: moved.message_id.to_string(),
        conversation_id: moved.conversation_id.to_string(),
        status: MessageStatus::from(moved.status).into(),
        failure: moved.failure.as_ref().and_then(failure),
        status_at: Some(moved.status_at.into()),
    };
    bus::event(
        &changed,
        Some(moved.organization_id),
        Some(actor.to_owned()),
        now,
    )
}

/// The event of a channel: `connected`, `blocked`, or the name of what WhatsApp reported.
pub(crate) fn channel_changed(
    route: Route,
    change: &str,
    now: DateTime<Utc>,
    actor: &str,
) -> Event {
    let changed = ChannelChanged {
        channel_id: route.channel_id.to_string(),
        change: change.to_owned(),
        changed_at: Some(now.into()),
    };
    bus::event(
        &changed,
        Some(route.organization_id),
        Some(actor.to_owned()),
        now,
    )
}

/// The event of a template as it is now.
pub(crate) fn template_changed(
    organization_id: OrganizationId,
    template: &Template,
    now: DateTime<Utc>,
    actor: &str,
) -> Event {
    let changed = TemplateChanged {
        template_id: template.id.to_string(),
        waba_id: template.waba_id.clone(),
        name: template.name.clone(),
        language: template.language.clone(),
        status: template.status.clone(),
        category: template.category.clone(),
        quality: template.quality.clone(),
        changed_at: Some(now.into()),
    };
    bus::event(&changed, Some(organization_id), Some(actor.to_owned()), now)
}

/// The event of something that a customer agreed to or took back.
pub(crate) fn consent_changed(of: OrganizationId, consent: &Consent) -> Event {
    let changed = ConsentChanged {
        consent_id: consent.id.to_string(),
        contact_id: consent.contact_id.to_string(),
        purpose: view::purpose(&consent.purpose).into(),
        granted: consent.granted,
        source: consent.source.clone(),
        occurred_at: Some(consent.occurred_at.into()),
    };
    bus::event(
        &changed,
        Some(of),
        Some(consent.actor.clone()),
        consent.recorded_at,
    )
}

/// The event of a contact: `created`, `updated`, `blocked` or `unblocked`.
pub(crate) fn contact_changed(
    scope: &TenantScope,
    id: ContactId,
    change: &str,
    version: i64,
    now: DateTime<Utc>,
) -> Event {
    let changed = ContactChanged {
        contact_id: id.to_string(),
        change: change.to_owned(),
        version: version.unsigned_abs(),
        changed_at: Some(now.into()),
    };
    let actor = Some(scope.actor.to_string());
    bus::event(&changed, Some(scope.organization_id), actor, now)
}

/// The event of a conversation that there was none of before.
pub(crate) fn conversation_opened(
    scope: &TenantScope,
    id: ConversationId,
    channel_id: ChannelId,
    contact_id: ContactId,
    now: DateTime<Utc>,
) -> Event {
    let opened = ConversationOpened {
        conversation_id: id.to_string(),
        channel_id: channel_id.to_string(),
        contact_id: contact_id.to_string(),
    };
    let actor = Some(scope.actor.to_string());
    bus::event(&opened, Some(scope.organization_id), actor, now)
}

/// The event of two contacts that became one.
pub(crate) fn merged(order: &Order<'_>) -> Event {
    let merged = ContactMerged {
        merge_id: order.id.to_string(),
        kept_contact_id: order.kept.to_string(),
        merged_contact_id: order.other.to_string(),
        reason: order.reason.to_owned(),
        undone: false,
        happened_at: Some(order.now.into()),
    };
    let actor = Some(order.actor.to_owned());
    bus::event(&merged, Some(order.organization_id), actor, order.now)
}

/// The event of a contact that became two again.
pub(crate) fn undone(scope: &TenantScope, merge: &Merge, now: DateTime<Utc>) -> Event {
    let undone = ContactMerged {
        merge_id: merge.id.to_string(),
        kept_contact_id: merge.kept_id.to_string(),
        merged_contact_id: merge.merged_id.to_string(),
        reason: merge.reason.clone(),
        undone: true,
        happened_at: Some(now.into()),
    };
    let actor = Some(scope.actor.to_string());
    bus::event(&undone, Some(scope.organization_id), actor, now)
}

/// A stored failure; what can't be read any more is left out rather than hiding the status.
pub(crate) fn failure(stored: &Value) -> Option<Failure> {
    serde_json::from_value(stored.clone()).ok()
}
