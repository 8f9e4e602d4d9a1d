//! Writes a sorted batch, in the caller's transaction.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use db::{DbError, SystemTx, outbox};
use ids::{ContactId, ConversationId, MessageId, NoticeId, OrganizationId};
use proto::{
    events::DomainEvent,
    messaging::events::v1::{ConversationOpened, MessageReceived},
};

use super::{
    consents, files,
    people::{self, Met, Person},
    sort::{Incoming, Preferred, Sorted},
};
use crate::{
    domain::content::preview,
    events::{publish, worked::Traces},
    jobs::tell_blocks,
    ops::{channel_health, templates::follow},
    store::{
        entries,
        intake::{
            conversations::{self, Head, Touched},
            keys,
            messages::{self, Inbound},
            statuses,
        },
        notices, quarantine, results,
        routes::Route,
        work,
    },
};

fn event(message: &impl DomainEvent, of: OrganizationId, now: DateTime<Utc>) -> outbox::Event {
    bus::event(message, Some(of), Some(publish::WHATSAPP.to_owned()), now)
}

/// Stores everything and pushes the events. Repeating a batch changes nothing.
pub(crate) async fn apply(
    tx: &mut SystemTx,
    sorted: Sorted,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let mut events = Vec::new();
    if !sorted.quarantine.is_empty() {
        quarantine::insert(tx.conn(), &sorted.quarantine, now).await?;
    }
    let fresh = notify(tx, &sorted.notices, now, &mut events).await?;
    let mut preferences = sorted.preferences;
    preferences.retain(|preferred| fresh.contains(&preferred.notice_id));
    let messages = claim(tx, sorted.messages).await?;
    // Everybody at once, before any conversation is locked: the order of `store::merges`.
    let people = meet(tx, &preferences, &messages, now, &mut events).await?;
    let (set, wrote) = people.split_at(preferences.len());
    consents::prefer(tx, &preferences, set, now, &mut events).await?;
    receive(tx, &messages, wrote, now, &mut events).await?;
    report(tx, &sorted.reports, now, &mut events).await?;
    follow::follow(tx, &sorted.templates, now, &mut events).await?;
    channel_health::follow::follow(tx, sorted.health, &fresh, now).await?;
    outbox::push(tx, &events).await
}

/// The messages that are new.
async fn claim(tx: &mut SystemTx, mut messages: Vec<Incoming>) -> Result<Vec<Incoming>, DbError> {
    let claims: Vec<(Route, &str, MessageId)> = messages
        .iter()
        .map(|message| (message.route, message.wamid.as_str(), message.id))
        .collect();
    if !claims.is_empty() {
        let fresh = keys::claim(tx.conn(), &claims).await?;
        messages.retain(|message| fresh.contains(&message.id));
    }
    Ok(messages)
}

/// Who set the preferences, then who wrote the messages.
async fn meet(
    tx: &mut SystemTx,
    preferences: &[Preferred],
    messages: &[Incoming],
    now: DateTime<Utc>,
    events: &mut Vec<outbox::Event>,
) -> Result<Vec<Person>, DbError> {
    let set = preferences.iter().map(|preferred| Met {
        of: preferred.organization_id,
        sender: &preferred.sender,
    });
    let wrote = messages.iter().map(|message| Met {
        of: message.route.organization_id,
        sender: &message.sender,
    });
    let met: Vec<Met<'_>> = set.chain(wrote).collect();
    if met.is_empty() {
        return Ok(Vec::new());
    }
    let resolved = people::resolve(tx.conn(), &met, now).await?;
    events.extend(resolved.events);
    Ok(resolved.people)
}

async fn receive(
    tx: &mut SystemTx,
    messages: &[Incoming],
    people: &[Person],
    now: DateTime<Utc>,
    events: &mut Vec<outbox::Event>,
) -> Result<(), DbError> {
    if messages.is_empty() {
        return Ok(());
    }
    let touched = touch(tx, messages, people, now, events).await?;

    let mut rows = Vec::with_capacity(messages.len());
    let mut stored = Vec::with_capacity(messages.len());
    for (message, person) in messages.iter().zip(people) {
        let contact_id = person.contact_id;
        let Some(conversation) = touched.get(&(message.route, contact_id)) else {
            continue;
        };
        stored.push(message);
        rows.push(Inbound {
            route: message.route,
            id: message.id,
            conversation_id: *conversation,
            contact_id,
            identity: person.address.as_ref(),
            content: serde_json::to_value(&message.content).unwrap_or_default(),
            wamid: &message.wamid,
            reply_to_wamid: message.reply_to_wamid.as_deref(),
            sent_at: message.sent_at,
        });
        let received = MessageReceived {
            message_id: message.id.to_string(),
            conversation_id: conversation.to_string(),
            channel_id: message.route.channel_id.to_string(),
            contact_id: contact_id.to_string(),
            content: Some(message.content.clone()),
            provider_at: Some(message.sent_at.into()),
        };
        events.push(event(&received, message.route.organization_id, now));
    }
    messages::insert(tx.conn(), &rows, now).await?;
    files::note(tx, &stored, now).await?;
    consents::hear(tx, messages, people, &touched, now, events).await?;
    tell_blocks::again(tx, messages, people, now).await?;
    Ok(())
}

/// One head per conversation, whatever the number of its messages in the batch.
async fn touch(
    tx: &mut SystemTx,
    messages: &[Incoming],
    people: &[Person],
    now: DateTime<Utc>,
    events: &mut Vec<outbox::Event>,
) -> Result<HashMap<(Route, ContactId), ConversationId>, DbError> {
    let mut heads: HashMap<(Route, ContactId), Head> = HashMap::new();
    for (message, person) in messages.iter().zip(people) {
        let head = heads
            .entry((message.route, person.contact_id))
            .or_insert_with(|| Head {
                route: message.route,
                contact_id: person.contact_id,
                identity: None,
                fresh_id: ConversationId::stamped(now),
                inbound: 0,
                preview: String::new(),
                last_inbound_at: DateTime::<Utc>::MIN_UTC,
            });
        head.inbound += 1;
        if message.sent_at >= head.last_inbound_at {
            head.last_inbound_at = message.sent_at;
            head.preview = preview::line(&message.content);
            head.identity.clone_from(&person.address);
        }
    }
    let heads: Vec<Head> = heads.into_values().collect();
    let parties: Vec<_> = heads
        .iter()
        .map(|head| (head.route, head.contact_id))
        .collect();
    let asleep = work::lock_asleep(tx.conn(), &parties).await?;
    let touched = conversations::touch(tx.conn(), &heads, now).await?;
    woken(tx, asleep, now, events).await?;
    Ok(touched
        .into_iter()
        .map(|conversation| {
            let route = Route {
                organization_id: conversation.organization_id,
                channel_id: conversation.channel_id,
            };
            if conversation.created {
                events.push(event(&opened(&conversation), route.organization_id, now));
            }
            ((route, conversation.contact_id), conversation.id)
        })
        .collect())
}

/// What the customers' messages woke or opened again, as everybody sees it.
async fn woken(
    tx: &mut SystemTx,
    asleep: Vec<work::Work>,
    now: DateTime<Utc>,
    events: &mut Vec<outbox::Event>,
) -> Result<(), DbError> {
    let mut traces = Traces::default();
    for before in asleep {
        let after = work::lock(tx.conn(), before.organization_id, before.id).await?;
        if let Some(after) = after {
            traces.add(&before, &after, publish::WHATSAPP, now);
        }
    }
    if !traces.entries.is_empty() {
        entries::insert(tx.conn(), &traces.entries, now).await?;
        events.append(&mut traces.events);
    }
    Ok(())
}

fn opened(conversation: &Touched) -> ConversationOpened {
    ConversationOpened {
        conversation_id: conversation.id.to_string(),
        channel_id: conversation.channel_id.to_string(),
        contact_id: conversation.contact_id.to_string(),
    }
}

async fn report(
    tx: &mut SystemTx,
    reports: &[statuses::Report],
    now: DateTime<Utc>,
    events: &mut Vec<outbox::Event>,
) -> Result<(), DbError> {
    if reports.is_empty() {
        return Ok(());
    }
    // Our token in a status names the message even when the answer to the send was lost.
    let adopted: Vec<(Route, &str, MessageId)> = reports
        .iter()
        .filter_map(|report| {
            report
                .message_id
                .map(|id| (report.route, report.wamid.as_str(), id))
        })
        .collect();
    if !adopted.is_empty() {
        keys::claim(tx.conn(), &adopted).await?;
    }
    statuses::record(tx.conn(), reports, now).await?;
    let moved = statuses::apply(tx.conn(), reports).await?;
    if moved.is_empty() {
        return Ok(());
    }
    let organizations: Vec<_> = moved
        .iter()
        .map(|moved| moved.organization_id.as_uuid())
        .collect();
    let ids: Vec<_> = moved
        .iter()
        .map(|moved| moved.message_id.as_uuid())
        .collect();
    results::settle(tx.conn(), &organizations, &ids, now).await?;
    let told = moved
        .iter()
        .map(|moved| publish::moved(moved, now, publish::WHATSAPP));
    events.extend(told);
    Ok(())
}

async fn notify(
    tx: &mut SystemTx,
    notices: &[notices::NewNotice],
    now: DateTime<Utc>,
    events: &mut Vec<outbox::Event>,
) -> Result<HashSet<NoticeId>, DbError> {
    if notices.is_empty() {
        return Ok(HashSet::new());
    }
    let fresh = notices::insert(tx.conn(), notices, now).await?;
    let told = notices
        .iter()
        .filter(|notice| fresh.contains(&notice.id))
        .map(|notice| {
            publish::channel_changed(notice.route, &notice.field, now, publish::WHATSAPP)
        });
    events.extend(told);
    Ok(fresh)
}
