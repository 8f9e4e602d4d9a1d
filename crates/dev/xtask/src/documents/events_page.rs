//! `docs/EVENTS.md`: the catalogue of domain events.

use std::fmt::{self, Write};

use proto::events::Spec;

const INTRODUCTION: &str = "\
<!-- Made by `make gen` from the event options in proto/. -->
# Events

A service writes its events to its outbox in the transaction that causes them; the relay publishes them to the exchange
`<owner>.events` with the routing key below and the full proto name as AMQP `type`. Delivery is at least once: consumers
claim the event id in their inbox before the effect. Events with the same key are published in order.
";

/// The page for a registry.
pub(crate) fn page(events: &[&Spec]) -> Result<String, fmt::Error> {
    let mut sorted = events.to_vec();
    sorted.sort_by_key(|event| (event.owner, event.routing_key));

    let mut page = INTRODUCTION.to_owned();
    let mut owner = "";
    for event in sorted {
        if event.owner != owner {
            owner = event.owner;
            writeln!(
                page,
                "\n## {owner}\n\n\
                     | routing key | type | key | kept | personal data | what happened |\n|---|---|---|---|---|---|"
            )?;
        }
        writeln!(
            page,
            "| `{}` | `{}` | `{}` | {} days | {} | {} |",
            event.routing_key,
            event.event_type,
            event.key,
            event.retention_days,
            if event.personal_data { "yes" } else { "no" },
            event.summary.replace('|', "\\|"),
        )?;
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_stand_under_their_owner() {
        static SENT: Spec = Spec {
            event_type: "switchboard.messaging.events.v1.MessageSent",
            routing_key: "messaging.message.sent.v1",
            owner: "messaging",
            key: "conversation_id",
            personal_data: true,
            retention_days: 14,
            summary: "A message left | was sent.",
        };
        let page = page(&[&SENT]).expect("a page");
        assert!(page.contains("\n## messaging\n"), "{page}");
        assert!(
            page.ends_with(
                "| `messaging.message.sent.v1` | `switchboard.messaging.events.v1.MessageSent` | `conversation_id` \
                 | 14 days | yes | A message left \\| was sent. |\n"
            ),
            "{page}"
        );
    }
}
