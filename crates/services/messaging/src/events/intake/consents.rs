//! What customers say about marketing messages: by a word, or in WhatsApp itself.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use db::{DbError, SystemTx, outbox::Event};
use ids::{ConsentId, ContactId, ConversationId, NoticeId, OrganizationId, TenantScope};
use proto::messaging::v1::{MessageContent, Text, message_content::Kind};
use serde_json::{Value, json};

use super::{
    people::{self, Met},
    sort::{Incoming, Preferred},
};
use crate::{
    domain::consent::{Choice, Purpose},
    error::Error,
    events::publish,
    ops::send_message::{self, Input},
    store::{
        consents::{self, Consent},
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
    people: &[ContactId],
    conversations: &HashMap<(Route, ContactId), ConversationId>,
    now: DateTime<Utc>,
    events: &mut Vec<Event>,
) -> Result<(), DbError> {
    let mut said: Vec<_> = messages.iter().zip(people).collect();
    // A batch may have them in any order, and START means something only after STOP.
    said.sort_by_key(|(message, _)| message.sent_at);
    for (message, contact_id) in said {
        let (Some(choice), Some(conversation_id)) = (
            message.choice,
            conversations.get(&(message.route, *contact_id)),
        ) else {
            continue;
        };
        let of = message.route.organization_id;
        let before = last(tx, of, *contact_id).await?;
        if choice.granted && before != Some(false) {
            continue;
        }
        let said = Said {
            of,
            contact_id: *contact_id,
            granted: choice.granted,
            source: "keyword",
            proof: json!({ "wamid": message.wamid, "message_id": message.id }),
            at: message.sent_at,
        };
        events.push(record(tx, &said, now).await?);
        // Said again, it is recorded again and answered no more: programs may be talking to each other.
        if last(tx, of, *contact_id).await? != before {
            events.extend(answer(tx, of, *conversation_id, choice, now).await?);
        }
    }
    Ok(())
}

/// Records what customers set in WhatsApp itself, for notices that are new.
pub(super) async fn prefer(
    tx: &mut SystemTx,
    preferences: &[Preferred],
    fresh: &HashSet<NoticeId>,
    now: DateTime<Utc>,
    events: &mut Vec<Event>,
) -> Result<(), DbError> {
    let new = preferences
        .iter()
        .filter(|preferred| fresh.contains(&preferred.notice_id));
    let new: Vec<&Preferred> = new.collect();
    if new.is_empty() {
        return Ok(());
    }
    let met: Vec<Met<'_>> = new
        .iter()
        .map(|preferred| Met {
            of: preferred.organization_id,
            sender: &preferred.sender,
        })
        .collect();
    let resolved = people::resolve(tx.conn(), &met, now).await?;
    events.extend(resolved.events);
    for (preferred, contact_id) in new.iter().zip(resolved.contacts) {
        let said = Said {
            of: preferred.organization_id,
            contact_id,
            granted: preferred.granted,
            source: "whatsapp",
            proof: json!({ "notice_id": preferred.notice_id }),
            at: preferred.stated_at,
        };
        events.push(record(tx, &said, now).await?);
    }
    Ok(())
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
