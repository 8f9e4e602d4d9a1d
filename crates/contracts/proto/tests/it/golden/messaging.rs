//! Examples of what messaging tells.

use proto::{
    common::v1::AuditRecord,
    messaging::{
        events::v1::{
            AuditRecorded, ChannelChanged, ChannelHealthChanged, ConsentChanged, ContactChanged,
            ContactMerged, ConversationAssigned, ConversationChanged, ConversationOpened,
            MediaFailed, MediaReady, MessageQueued, MessageReceived, MessageStatusChanged,
            NoteCreated, TemplateChanged,
        },
        v1::{ChannelHealthState, ConsentPurpose, Failure, MediaKind, MessageStatus, Note},
    },
};

use super::{AT, Example, contents};

pub(super) fn examples() -> Vec<Example> {
    let mut all = of_conversations();
    all.extend(of_contacts());
    all.extend(of_the_rest());
    all
}

fn of_conversations() -> Vec<Example> {
    vec![
        Example::of(&MessageReceived {
            message_id: "msg_1".into(),
            conversation_id: "cv_1".into(),
            channel_id: "ch_1".into(),
            contact_id: "ct_1".into(),
            content: Some(contents::text("hello")),
            provider_at: AT,
        }),
        Example::of(&MessageQueued {
            message_id: "msg_2".into(),
            conversation_id: "cv_1".into(),
            channel_id: "ch_1".into(),
            contact_id: "ct_1".into(),
            content: Some(contents::text("hi")),
            author: "user:usr_1".into(),
        }),
        Example::of(&MessageStatusChanged {
            message_id: "msg_2".into(),
            conversation_id: "cv_1".into(),
            status: MessageStatus::Failed.into(),
            failure: Some(Failure {
                provider_code: 131_047,
                class: "window".into(),
                retryable: false,
                hint: "Send a template.".into(),
            }),
            status_at: AT,
        }),
        Example::of(&ConversationOpened {
            conversation_id: "cv_1".into(),
            channel_id: "ch_1".into(),
            contact_id: "ct_1".into(),
        }),
        Example::of(&ConversationChanged {
            conversation_id: "cv_1".into(),
            channel_id: "ch_1".into(),
            contact_id: "ct_1".into(),
            changed: vec!["status".into(), "assignee".into()],
            status: "snoozed".into(),
            priority: "high".into(),
            assignee_id: "usr_1".into(),
            team_id: "team_1".into(),
            label_ids: vec!["lbl_1".into()],
            snoozed_until: AT,
            version: 7,
        }),
        Example::of(&ConversationAssigned {
            conversation_id: "cv_1".into(),
            assignee_id: "usr_1".into(),
            team_id: "team_1".into(),
            previous_assignee_id: "usr_2".into(),
            previous_team_id: "team_2".into(),
        }),
        Example::of(&NoteCreated {
            message_id: "msg_3".into(),
            conversation_id: "cv_1".into(),
            author: "user:usr_1".into(),
            note: Some(Note {
                body: "ask billing".into(),
                mentioned_user_ids: vec!["usr_2".into()],
            }),
        }),
    ]
}

fn of_contacts() -> Vec<Example> {
    vec![
        Example::of(&ContactChanged {
            contact_id: "ct_1".into(),
            change: "updated".into(),
            version: 2,
            changed_at: AT,
        }),
        Example::of(&ContactMerged {
            merge_id: "mrg_1".into(),
            kept_contact_id: "ct_1".into(),
            merged_contact_id: "ct_2".into(),
            reason: "linked".into(),
            undone: true,
            happened_at: AT,
        }),
        Example::of(&ConsentChanged {
            consent_id: "cst_1".into(),
            contact_id: "ct_1".into(),
            purpose: ConsentPurpose::Marketing.into(),
            granted: true,
            source: "keyword".into(),
            occurred_at: AT,
        }),
    ]
}

fn of_the_rest() -> Vec<Example> {
    vec![
        Example::of(&ChannelChanged {
            channel_id: "ch_1".into(),
            change: "connected".into(),
            changed_at: AT,
        }),
        Example::of(&ChannelHealthChanged {
            channel_id: "ch_1".into(),
            state: ChannelHealthState::Broken.into(),
            diagnoses: vec!["token_refused".into(), "quality_low".into()],
            changed_at: AT,
        }),
        Example::of(&TemplateChanged {
            template_id: "tpl_1".into(),
            waba_id: "2001".into(),
            name: "order_confirmation".into(),
            language: "en_US".into(),
            status: "approved".into(),
            category: "utility".into(),
            quality: "green".into(),
            changed_at: AT,
        }),
        Example::of(&MediaReady {
            media_id: "med_1".into(),
            message_id: "msg_1".into(),
            conversation_id: "cv_1".into(),
            kind: MediaKind::Image.into(),
            mime_type: "image/jpeg".into(),
            size_bytes: 12_345,
        }),
        Example::of(&MediaFailed {
            media_id: "med_2".into(),
            message_id: "msg_1".into(),
            conversation_id: "cv_1".into(),
            kind: MediaKind::Document.into(),
            problem: "gone".into(),
        }),
        Example::of(&AuditRecorded {
            target: "ch_1".into(),
            record: Some(AuditRecord {
                action: "channel.connected".into(),
                before: String::new(),
                after: r#"{"name":"Support"}"#.into(),
                address: "203.0.113.9".into(),
                user_agent: "curl/8".into(),
            }),
        }),
    ]
}
