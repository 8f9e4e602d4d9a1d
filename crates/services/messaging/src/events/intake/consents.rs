//! What customers say about marketing messages: by a word, or in WhatsApp itself.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use db::{DbError, SystemTx, outbox::Event};
use ids::{ConsentId, ContactId, ConversationId, OrganizationId, TenantScope};
use proto::messaging::v1::{MessageContent, Text, message_content::Kind};
use serde_json::{Value, json};

use super::{
    people::Person,
    sort::{Incoming, Preferred},
};
use crate::{
    domain::consent::{Choice, Purpose},
    error::Error,
    events::publish,
    ops::send_message::{self, Input},
    store::{
        consents::{self, Consent},
        intake::contacts::Identity,
        routes::Route,
    },
};

/// What one customer said.
struct Said {
    of: OrganizationId,
    contact_id: ContactId,
    granted: bool,
    source: &'static str,
    proof: Value,
    at: DateTime<Utc>,
}

/// Records words such as STOP and START among new messages, and answers them. The message is the proof.
///
/// START alone agrees to nothing: many conversations begin with it. It takes back what was taken back before.
pub(super) async fn hear(
    tx: &mut SystemTx,
    messages: &[Incoming],
    people: &[Person],
    conversations: &HashMap<(Route, ContactId), ConversationId>,
    now: DateTime<Utc>,
    events: &mut Vec<Event>,
) -> Result<(), DbError> {
    let mut said: Vec<_> = messages.iter().zip(people).collect();
    // A batch may have them in any order, and START means something only after STOP.
    said.sort_by_key(|(message, _)| message.sent_at);
    for (message, person) in said {
        let contact_id = person.contact_id;
        let (Some(choice), Some(conversation_id)) = (
            message.choice,
            conversations.get(&(message.route, contact_id)),
        ) else {
            continue;
        };
        let of = message.route.organization_id;
        let before = last(tx, of, contact_id).await?;
        if choice.granted && before != Some(false) {
            continue;
        }
        let said = Said {
            of,
            contact_id,
            granted: choice.granted,
            source: "keyword",
            proof: json!({
                "wamid": message.wamid, "message_id": message.id, "identity": identity(person),
            }),
            at: message.sent_at,
        };
        events.push(record(tx, &said, now).await?);
        // Said again, it is recorded again and answered no more: programs may be talking to each other.
        if last(tx, of, contact_id).await? != before {
            events.extend(answer(tx, of, *conversation_id, choice, now).await?);
        }
    }
    Ok(())
}

/// Records what customers set in WhatsApp itself.
pub(super) async fn prefer(
    tx: &mut SystemTx,
    preferences: &[Preferred],
    people: &[Person],
    now: DateTime<Utc>,
    events: &mut Vec<Event>,
) -> Result<(), DbError> {
    for (preferred, person) in preferences.iter().zip(people) {
        let said = Said {
            of: preferred.organization_id,
            contact_id: person.contact_id,
            granted: preferred.granted,
            source: "whatsapp",
            proof: json!({ "notice_id": preferred.notice_id, "identity": identity(person) }),
            at: preferred.stated_at,
        };
        events.push(record(tx, &said, now).await?);
    }
    Ok(())
}

/// What the customer said it by: it tells whose it is when merged contacts are parted.
fn identity(person: &Person) -> Value {
    let shown = |address: &Identity| json!({ "kind": address.kind, "value": address.value });
    person.address.as_ref().map_or(Value::Null, shown)
}

async fn last(
    tx: &mut SystemTx,
    of: OrganizationId,
    contact_id: ContactId,
) -> Result<Option<bool>, DbError> {
    let purpose = Purpose::Marketing.word();
    Ok(consents::find_latest(tx.conn(), of, contact_id, purpose).await?)
}

async fn record(tx: &mut SystemTx, said: &Said, now: DateTime<Utc>) -> Result<Event, DbError> {
    let consent = Consent {
        id: ConsentId::stamped(now),
        contact_id: said.contact_id,
        purpose: Purpose::Marketing.word().to_owned(),
        granted: said.granted,
        source: said.source.to_owned(),
        proof: said.proof.clone(),
        actor: publish::WHATSAPP.to_owned(),
        occurred_at: said.at,
        recorded_at: now,
        position: 0,
    };
    consents::insert(tx.conn(), said.of, &consent).await?;
    Ok(publish::consent_changed(said.of, &consent))
}

/// The way of every other message. Where nothing can be sent, to a blocked contact or through a blocked number, what was
/// said still counts.
async fn answer(
    tx: &mut SystemTx,
    of: OrganizationId,
    conversation_id: ConversationId,
    choice: Choice,
    now: DateTime<Utc>,
) -> Result<Option<Event>, DbError> {
    let text = Text {
        body: choice.answer.to_owned(),
        preview_url: false,
    };
    let input = Input {
        conversation_id,
        content: MessageContent {
            kind: Some(Kind::Text(text)),
        },
        reply_to: None,
        expires_at: None,
        idempotency: None,
    };
    let scope = TenantScope::system(of, "consent");
    match send_message::queue(tx, &scope, input, now).await {
        Ok((_, event)) => Ok(Some(event)),
        Err(Error::Db(error)) => Err(error),
        Err(refused) => {
            tracing::info!(
                conversation.id = %conversation_id,
                reason = %refused,
                "what a customer said about marketing is not answered"
            );
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests;
