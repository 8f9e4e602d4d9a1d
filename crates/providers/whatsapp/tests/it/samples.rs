//! Every webhook sample is understood, and none is dropped.

use std::collections::HashSet;

use whatsapp::webhook::{Item, Payload, StandbyPayload};

use crate::fixtures::{names, parsed};

/// What each sample is: payloads in order, with the content of messages.
const EXPECTED: &[(&str, &str)] = &[
    ("field-account-alerts.json", "account_alert"),
    ("field-account-review-update.json", "account_review"),
    ("field-account-settings-update.json", "account_settings"),
    ("field-account-update-deleted.json", "account_update"),
    (
        "field-account-update-direct-send-restriction.json",
        "account_update",
    ),
    ("field-account-update-disabled.json", "account_update"),
    ("field-account-update-partner-added.json", "account_update"),
    (
        "field-account-update-partner-app-uninstalled.json",
        "account_update",
    ),
    (
        "field-account-update-partner-removed-app-disconnection.json",
        "account_update",
    ),
    (
        "field-account-update-partner-removed.json",
        "account_update",
    ),
    (
        "field-account-update-primary-location.json",
        "account_update",
    ),
    ("field-account-update-restriction.json", "account_update"),
    ("field-account-update-volume-tier.json", "account_update"),
    ("field-business-capability-update.json", "capability"),
    ("field-business-username-updates.json", "username username"),
    ("field-calls-connect.json", "call"),
    ("field-flows-status-change.json", "flow"),
    ("field-history-declined-bare.json", "history_progress"),
    (
        "field-history-threads.json",
        "history_progress history_message:text history_message:media_placeholder history_message:text history_message:text",
    ),
    ("field-partner-solutions.json", "partner_solution"),
    (
        "field-payment-configuration-update.json",
        "payment_configuration",
    ),
    ("field-phone-number-name-update.json", "number_name"),
    ("field-phone-number-quality-update.json", "number_quality"),
    ("field-smb-app-state-sync.json", "contact_change"),
    ("field-smb-message-echo-bsuid.json", "echo:text"),
    ("field-smb-message-echo-edit.json", "echo:edit"),
    ("field-smb-message-echo-revoke.json", "echo:revoke"),
    ("field-standby-echo.json", "standby_echo:text"),
    (
        "field-template-category-impending.json",
        "template_category",
    ),
    (
        "field-template-quality-update-docbug.json",
        "template_quality",
    ),
    ("field-template-quality-update.json", "template_quality"),
    ("field-template-status-approved.json", "template_status"),
    ("in-button-no-context.json", "message:button"),
    ("in-button-reply.json", "message:button_reply"),
    ("in-button.json", "message:button"),
    ("in-contacts-username-vcard.json", "message:contacts"),
    ("in-contacts.json", "message:contacts"),
    ("in-edit.json", "message:edit"),
    ("in-flow-nfm-reply.json", "message:flow_reply"),
    ("in-group-text.json", "message:text"),
    ("in-image-with-url.json", "message:image"),
    ("in-image.json", "message:image"),
    ("in-interactive-with-error.json", "message:unknown"),
    ("in-list-reply.json", "message:list_reply"),
    ("in-location.json", "message:location"),
    ("in-nfm-reply-address.json", "message:flow_reply"),
    ("in-order.json", "message:order"),
    ("in-reaction-removed-absent.json", "message:reaction"),
    ("in-reaction-removed-empty.json", "message:reaction"),
    ("in-revoke.json", "message:revoke"),
    ("in-sticker-animated.json", "message:sticker"),
    ("in-system-identity-changed.json", "message:system"),
    ("in-system-number-changed.json", "message:system"),
    ("in-text-product-context.json", "message:text"),
    ("in-text-reply.json", "message:text"),
    ("in-text-username-no-phone.json", "message:text"),
    ("in-text.json", "message:text"),
    ("in-unsupported.json", "message:unsupported"),
    ("in-user-action-link-click.json", "user_action"),
    ("status-delivered-bsuid-and-phone.json", "status:delivered"),
    ("status-delivered-bsuid-only.json", "status:delivered"),
    ("status-failed-130472.json", "status:failed"),
    ("status-failed-131049.json", "status:failed"),
    (
        "status-group-aggregated.json",
        "status:read status:read status:delivered",
    ),
    ("status-group-read.json", "status:read"),
    ("status-played.json", "status:played"),
    ("status-read.json", "status:read"),
    ("status-sent-pmp.json", "status:sent"),
    ("status-sent-v24-no-conversation.json", "status:sent"),
];

const WEBHOOKS: &[&str] = &["in-", "status-", "field-"];

fn summary(item: &Item) -> String {
    let name = item.payload.name();
    let detail = match &item.payload {
        Payload::Message(message) | Payload::Echo(message) => message.content.name(),
        Payload::HistoryMessage(message) => message.message.content.name(),
        Payload::Standby(StandbyPayload::Echo(echo)) => echo.content.name(),
        Payload::Status(status) => status.kind.name(),
        _ => return name.to_owned(),
    };
    format!("{name}:{detail}")
}

#[test]
fn every_sample_is_read_as_what_it_is() {
    for (name, expected) in EXPECTED {
        let parsed = parsed(name);
        let found: Vec<String> = parsed.items.iter().map(summary).collect();
        assert_eq!(found.join(" "), *expected, "{name}");
        assert_eq!(parsed.repaired, 0, "{name}");
    }
}

#[test]
fn no_sample_is_missing_from_the_table() {
    let listed: HashSet<&str> = EXPECTED.iter().map(|(name, _)| *name).collect();
    for name in names(WEBHOOKS) {
        assert!(listed.contains(name.as_str()), "{name} is not in the table");
    }
    assert_eq!(names(WEBHOOKS).len(), EXPECTED.len());
}

#[test]
fn reading_twice_gives_the_same_keys_and_each_item_has_its_own() {
    for (name, _) in EXPECTED {
        let once = parsed(name);
        assert_eq!(once, parsed(name));
        let keys: HashSet<_> = once.items.iter().map(|item| &item.key).collect();
        assert_eq!(
            keys.len(),
            once.items.len(),
            "{name}: two items have one key"
        );
    }
}

#[test]
fn every_item_keeps_its_own_json() {
    for (name, _) in EXPECTED {
        for item in parsed(name).items {
            let raw: serde_json::Value = serde_json::from_str(item.raw.get()).expect("JSON");
            assert!(raw.is_object() || raw.is_array(), "{name}");
        }
    }
}
