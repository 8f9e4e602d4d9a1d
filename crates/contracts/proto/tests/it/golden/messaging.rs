//! Examples of what messaging tells.

use proto::{
    common::v1::AuditRecord,
    messaging::{
        events::v1::{
            AuditRecorded, ChannelChanged, ConversationOpened, MessageQueued, MessageReceived,
            MessageStatusChanged,
        },
        v1::{Failure, MessageStatus},
    },
};

use super::{AT, Example, contents};

pub(super) fn examples() -> Vec<Example> {
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
        Example::of(&ChannelChanged {
            channel_id: "ch_1".into(),
            change: "connected".into(),
            changed_at: AT,
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
