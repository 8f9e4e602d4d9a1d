//! The wire format of server-sent events (WHATWG HTML, 9.2).

use std::time::Duration;

use bytes::{BufMut, BytesMut};
use errors::Problem;
use proto::messaging::v1::Event;

/// The type of an event that only moves the cursor.
const HEARTBEAT: &str = "heartbeat";

/// One event. A heartbeat has an id and no data: the client remembers the id and nothing happens.
pub(super) fn event(out: &mut BytesMut, event: &Event) {
    field(out, "id", &event.id);
    if event.r#type != HEARTBEAT {
        field(out, "event", &event.r#type);
        field(out, "data", &json(event));
    }
    end(out);
}

/// A service newer than this gateway may use values that have no JSON name here. The client still
/// learns that something happened, and of what type, and can load what it shows afresh.
fn json(event: &Event) -> String {
    serde_json::to_string(event)
        .or_else(|error| {
            tracing::warn!(event.id, error = %error, "event payload has no JSON form");
            serde_json::to_string(&Event {
                payload: None,
                ..event.clone()
            })
        })
        .unwrap_or_default()
}

/// Says why the stream ends, for clients that listen to `problem`. It has no id: it is not part of
/// what is resumed.
pub(super) fn problem(out: &mut BytesMut, problem: &Problem) {
    if let Ok(json) = serde_json::to_string(problem) {
        field(out, "event", "problem");
        field(out, "data", &json);
        end(out);
    }
}

/// How long the client waits before it connects again.
pub(super) fn retry(out: &mut BytesMut, delay: Duration) {
    field(out, "retry", &delay.as_millis().to_string());
    end(out);
}

/// Nothing but a sign of life, which keeps proxies from closing the connection.
pub(super) fn comment(out: &mut BytesMut, text: &str) {
    out.put_slice(b": ");
    out.put_slice(text.as_bytes());
    end(out);
    out.put_u8(b'\n');
}

/// A value ends with its line, so whatever would end it early is left out.
fn field(out: &mut BytesMut, name: &str, value: &str) {
    out.put_slice(name.as_bytes());
    out.put_slice(b": ");
    if value.contains(['\n', '\r', '\0']) {
        let clean = value.replace(['\n', '\r', '\0'], "");
        out.put_slice(clean.as_bytes());
    } else {
        out.put_slice(value.as_bytes());
    }
    out.put_u8(b'\n');
}

fn end(out: &mut BytesMut) {
    out.put_u8(b'\n');
}

#[cfg(test)]
mod tests {
    use proto::messaging::{
        events::v1::{ChannelChanged, MessageStatusChanged},
        v1::event::Payload,
    };

    use super::*;

    fn written(write: impl FnOnce(&mut BytesMut)) -> String {
        let mut out = BytesMut::new();
        write(&mut out);
        String::from_utf8(out.to_vec()).expect("text")
    }

    #[test]
    fn an_event_is_its_cursor_type_and_proto_json() {
        let happened = Event {
            id: "7-42".into(),
            r#type: "channel.changed".into(),
            payload: Some(Payload::ChannelChanged(ChannelChanged {
                channel_id: "ch_1".into(),
                change: "first\nsecond".into(),
                changed_at: None,
            })),
            ..Event::default()
        };
        assert_eq!(
            written(|out| event(out, &happened)),
            "id: 7-42\nevent: channel.changed\ndata: {\"id\":\"7-42\",\"type\":\"channel.changed\",\
             \"channelChanged\":{\"channelId\":\"ch_1\",\"change\":\"first\\nsecond\"}}\n\n"
        );
    }

    #[test]
    fn a_heartbeat_moves_the_cursor_and_dispatches_nothing() {
        let beat = Event {
            id: "7-43".into(),
            r#type: "heartbeat".into(),
            ..Event::default()
        };
        assert_eq!(written(|out| event(out, &beat)), "id: 7-43\n\n");
    }

    #[test]
    fn an_event_with_a_value_from_the_future_is_not_lost() {
        let odd = Event {
            id: "7-44".into(),
            r#type: "message.status_changed".into(),
            payload: Some(Payload::MessageStatusChanged(MessageStatusChanged {
                status: 9_999,
                ..MessageStatusChanged::default()
            })),
            ..Event::default()
        };
        assert_eq!(
            written(|out| event(out, &odd)),
            "id: 7-44\nevent: message.status_changed\n\
             data: {\"id\":\"7-44\",\"type\":\"message.status_changed\"}\n\n"
        );
    }

    #[test]
    fn a_value_cannot_smuggle_a_line() {
        let odd = Event {
            id: "1\ndata: forged".into(),
            r#type: "heartbeat".into(),
            ..Event::default()
        };
        assert_eq!(written(|out| event(out, &odd)), "id: 1data: forged\n\n");
    }

    #[test]
    fn a_comment_and_a_hint_are_whole_blocks() {
        assert_eq!(written(|out| comment(out, "alive")), ": alive\n\n");
        assert_eq!(
            written(|out| retry(out, Duration::from_millis(1_500))),
            "retry: 1500\n\n"
        );
    }
}
