use std::{collections::HashSet, fs, path::PathBuf, time::Duration};

use proto::{
    edge::events::v1::WhatsAppReceived,
    events::{self, DomainEvent},
    identity::events::v1::{ApiKeyRevoked, OrganizationCreated, SessionEnded},
    messaging::{
        events::v1::{
            ChannelChanged, ConversationOpened, MessageQueued, MessageReceived,
            MessageStatusChanged,
        },
        v1::{Failure, MessageContent, MessageStatus, Text, message_content::Kind},
    },
};

const AT: Option<pbjson_types::Timestamp> = Some(pbjson_types::Timestamp {
    seconds: 1_760_000_000,
    nanos: 0,
});

fn text(body: &str) -> MessageContent {
    MessageContent {
        kind: Some(Kind::Text(Text {
            body: body.to_owned(),
            preview_url: false,
        })),
    }
}

/// One example of each event type, and the name of its golden file.
fn examples() -> Vec<(&'static str, Vec<u8>)> {
    fn entry<E: DomainEvent>(event: &E) -> (&'static str, Vec<u8>) {
        (E::SPEC.event_type, event.encode_to_vec())
    }
    vec![
        entry(&WhatsAppReceived {
            webhook_id: "wh_1".into(),
            app: "main".into(),
            body: br#"{"object":"whatsapp_business_account","entry":[]}"#.to_vec(),
            received_at: AT,
        }),
        entry(&OrganizationCreated {
            organization_id: "org_1".into(),
            owner_user_id: "usr_1".into(),
            created_at: AT,
        }),
        entry(&ApiKeyRevoked {
            api_key_id: "key_1".into(),
            revoked_at: AT,
        }),
        entry(&SessionEnded {
            session_id: "ses_1".into(),
            user_id: "usr_1".into(),
            reason: "logged_out".into(),
            ended_at: AT,
        }),
        entry(&MessageReceived {
            message_id: "msg_1".into(),
            conversation_id: "cv_1".into(),
            channel_id: "ch_1".into(),
            contact_id: "ct_1".into(),
            content: Some(text("hello")),
            provider_at: AT,
        }),
        entry(&MessageQueued {
            message_id: "msg_2".into(),
            conversation_id: "cv_1".into(),
            channel_id: "ch_1".into(),
            contact_id: "ct_1".into(),
            content: Some(text("hi")),
            author: "user:usr_1".into(),
        }),
        entry(&MessageStatusChanged {
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
        entry(&ConversationOpened {
            conversation_id: "cv_1".into(),
            channel_id: "ch_1".into(),
            contact_id: "ct_1".into(),
        }),
        entry(&ChannelChanged {
            channel_id: "ch_1".into(),
            change: "connected".into(),
            changed_at: AT,
        }),
    ]
}

fn golden(event_type: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("golden")
        .join(format!("{event_type}.hex"))
}

/// What was once written to a queue or an outbox must be read the same way for ever: a golden file
/// is never edited. `UPDATE_GOLDEN=1` writes the files that are missing, and only those.
#[test]
fn every_event_keeps_its_encoding() {
    let examples = examples();
    for (event_type, bytes) in &examples {
        let path = golden(event_type);
        let encoded = hex::encode(bytes);
        if !path.exists() && option_env!("UPDATE_GOLDEN").is_some() {
            fs::create_dir_all(path.parent().expect("a folder")).expect("create golden/");
            fs::write(&path, &encoded).expect("write the golden file");
        }
        let stored = fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("no golden encoding of {event_type}: {error}"));
        assert_eq!(
            stored.trim(),
            encoded,
            "the encoding of {event_type} changed"
        );
    }
    let covered: HashSet<_> = examples.iter().map(|(event_type, _)| *event_type).collect();
    for spec in events::all() {
        assert!(
            covered.contains(spec.event_type),
            "no golden encoding of {}",
            spec.event_type
        );
    }
}

#[test]
fn routing_keys_are_unique_and_every_event_says_what_happened() {
    let mut seen = HashSet::new();
    for spec in events::all() {
        assert!(seen.insert(spec.routing_key), "{} twice", spec.routing_key);
        assert!(
            spec.summary.ends_with('.'),
            "{} needs a comment",
            spec.event_type
        );
    }
}

#[test]
fn an_outbox_is_kept_as_long_as_its_owner_promises_for_any_event() {
    let days = |owner| events::retention(owner).as_secs() / Duration::from_hours(24).as_secs();
    assert_eq!(
        [days("edge"), days("identity"), days("messaging")],
        [14, 30, 7]
    );
    assert_eq!(days("nobody"), 30);
}
