//! The bytes of every event, as they were once written to a queue or an outbox.

mod contents;
mod identity;
mod messaging;

use std::{collections::HashSet, fs, path::PathBuf};

use proto::{
    edge::events::v1::{ResendReceived, WhatsAppReceived},
    events::{self, DomainEvent},
    messaging::events::v1::MessageReceived,
};

const AT: Option<pbjson_types::Timestamp> = Some(pbjson_types::Timestamp {
    seconds: 1_760_000_000,
    nanos: 0,
});

/// An event whose encoding is kept in `golden/<event type>[.<variant>].hex`.
struct Example {
    event_type: &'static str,
    variant: &'static str,
    bytes: Vec<u8>,
    /// Reads bytes of this type and writes them again.
    again: fn(&[u8]) -> Vec<u8>,
}

impl Example {
    fn of<E: DomainEvent + Default>(event: &E) -> Self {
        Self {
            event_type: E::SPEC.event_type,
            variant: "",
            bytes: event.encode_to_vec(),
            again: |bytes| E::decode(bytes).expect("an event").encode_to_vec(),
        }
    }

    fn file(&self) -> String {
        let dot = if self.variant.is_empty() { "" } else { "." };
        format!("{}{dot}{}.hex", self.event_type, self.variant)
    }
}

/// One example of each event type, and of each kind of content.
fn examples() -> Vec<Example> {
    let received = Example::of(&WhatsAppReceived {
        webhook_id: "wh_1".into(),
        app: "main".into(),
        body: br#"{"object":"whatsapp_business_account","entry":[]}"#.to_vec(),
        received_at: AT,
    });
    let mail = Example::of(&ResendReceived {
        webhook_id: "wh_2".into(),
        delivery_id: "msg_p5jXN8AQM9LWM0D4loKWxJek".into(),
        body: br#"{"type":"email.bounced","data":{}}"#.to_vec(),
        received_at: AT,
    });
    let contents = contents::all().into_iter().map(|(variant, content)| {
        let received = MessageReceived {
            message_id: "msg_1".into(),
            content: Some(content),
            ..MessageReceived::default()
        };
        Example {
            variant,
            ..Example::of(&received)
        }
    });
    let mut examples = vec![received, mail];
    examples.extend(identity::examples());
    examples.extend(messaging::examples());
    examples.extend(contents);
    examples
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// What was once written to a queue or an outbox must be read the same way for ever: a golden file
/// is never edited. `UPDATE_GOLDEN=1` writes the files that are missing, and only those.
#[test]
fn every_event_keeps_its_encoding() {
    let examples = examples();
    for example in &examples {
        let file = example.file();
        let path = folder().join(&file);
        let encoded = hex::encode(&example.bytes);
        if !path.exists() && option_env!("UPDATE_GOLDEN").is_some() {
            fs::write(&path, &encoded).expect("write the golden file");
        }
        let stored = fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("no golden encoding {file}: {error}"));
        assert_eq!(stored.trim(), encoded, "the encoding of {file} changed");
    }
    let covered: HashSet<_> = examples.iter().map(|example| example.event_type).collect();
    for spec in events::all() {
        assert!(
            covered.contains(spec.event_type),
            "no golden encoding of {}",
            spec.event_type
        );
    }
}

/// Also what no example writes any more: a type that is gone, or a field that lost its number.
#[test]
fn every_stored_event_is_read_without_loss() {
    let examples = examples();
    for entry in fs::read_dir(folder()).expect("golden/") {
        let path = entry.expect("a file").path();
        let file = path.file_name().and_then(|name| name.to_str());
        let file = file.expect("a name").to_owned();
        let event_type = |example: &&Example| {
            let rest = file.strip_prefix(example.event_type);
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        let known = examples.iter().find(event_type);
        let known = known.unwrap_or_else(|| panic!("{file} is of no event type"));
        let stored = fs::read_to_string(&path).expect("text");
        let bytes = hex::decode(stored.trim()).expect("hexadecimal");
        assert_eq!((known.again)(&bytes), bytes, "{file} lost something");
    }
}
