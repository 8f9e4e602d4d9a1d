//! Sorts the items of a batch by what must happen to them.

use chrono::{DateTime, SubsecRound as _, Utc};
use ids::{MessageId, NoticeId, OrganizationId, QuarantineId};
use proto::messaging::v1::MessageContent;
use serde_json::Value;
use whatsapp::webhook::{self, Content, Item, Payload, PreferenceValue, SystemKind};

use crate::{
    domain::{
        consent::{self, Choice},
        content::inbound,
        failure,
        status::Status,
    },
    ops::{channel_health::follow as health, templates::follow::Told},
    store::{
        intake::statuses::Report,
        notices::NewNotice,
        quarantine::{NewItem, Reason},
        routes::Route,
    },
};

/// A customer's message with where it goes.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) route: Route,
    pub(crate) id: MessageId,
    pub(crate) wamid: String,
    pub(crate) sender: Sender,
    pub(crate) content: MessageContent,
    /// What the customer says about marketing by it.
    pub(crate) choice: Option<Choice>,
    pub(crate) reply_to_wamid: Option<String>,
    /// WhatsApp counts in whole seconds, and so does the order of a conversation.
    pub(crate) sent_at: DateTime<Utc>,
}

/// What is told about who wrote, best identity first.
#[derive(Debug, Default)]
pub(crate) struct Sender {
    /// Identities the person is found by and known by afterwards.
    pub(crate) identities: Vec<(&'static str, String)>,
    /// Identities of the past, to find the person by.
    pub(crate) former: Vec<(&'static str, String)>,
    pub(crate) name: String,
}

/// What a customer set in WhatsApp itself.
#[derive(Debug)]
pub(crate) struct Preferred {
    /// The notice that tells it.
    pub(crate) notice_id: NoticeId,
    pub(crate) organization_id: OrganizationId,
    pub(crate) sender: Sender,
    pub(crate) granted: bool,
    pub(crate) stated_at: DateTime<Utc>,
}

/// What one batch of webhooks asks for.
#[derive(Debug, Default)]
pub(crate) struct Sorted {
    pub(crate) messages: Vec<Incoming>,
    pub(crate) reports: Vec<Report>,
    pub(crate) notices: Vec<NewNotice>,
    pub(crate) preferences: Vec<Preferred>,
    pub(crate) quarantine: Vec<NewItem>,
    pub(crate) templates: Vec<Told>,
    pub(crate) health: Vec<health::Told>,
}

/// Verifies the token that WhatsApp hands back with a status of ours.
pub(crate) type ReadToken<'a> = &'a (dyn Fn(&str) -> Option<MessageId> + Sync);

impl Sorted {
    /// A body that is no JSON object: kept whole.
    pub(crate) fn malformed(&mut self, body: &[u8], digest: &str, now_ms: u64) {
        self.quarantine.push(NewItem {
            id: QuarantineId::generate_at(now_ms),
            reason: Reason::Malformed,
            phone_number_id: None,
            dedupe_key: format!("body:{digest}"),
            raw: body.to_vec(),
        });
    }

    /// An item that belongs to no channel: never guessed, kept until somebody looks.
    pub(crate) fn unrouted(&mut self, item: &Item, reason: Reason, now_ms: u64) {
        self.quarantine.push(NewItem {
            id: QuarantineId::generate_at(now_ms),
            reason,
            phone_number_id: item.origin.number.phone_number_id.clone(),
            dedupe_key: item.key.as_str().to_owned(),
            raw: item.raw.get().as_bytes().to_vec(),
        });
    }

    /// An item of a channel of ours.
    pub(crate) fn routed(
        &mut self,
        item: &Item,
        route: Route,
        now: DateTime<Utc>,
        token: ReadToken<'_>,
    ) {
        let sorted = match &item.payload {
            Payload::Message(message) => {
                incoming(item, message, route, now).map(|message| self.messages.push(message))
            }
            Payload::Status(status) => {
                report(status, route, now, token).map(|report| self.reports.push(report))
            }
            _ => None,
        };
        if sorted.is_none() {
            let notice = notice(item, route, now);
            match &item.payload {
                Payload::Preference(preference) => {
                    let preferred = preferred(preference, &notice, now);
                    self.preferences.extend(preferred);
                }
                Payload::ChannelField(field) => {
                    let told = super::templates::told(item, field, route, now);
                    self.templates.extend(told);
                    self.health
                        .extend(health::news(field).map(|news| health::Told {
                            notice_id: notice.id,
                            route,
                            news,
                            // A clock that is ahead must not hide what comes later.
                            at: item.origin.entry_at.map_or(now, |at| at.min(now)),
                        }));
                }
                _ => {}
            }
            self.notices.push(notice);
        }
    }
}

/// `None` for what can't stand in a conversation: without an id, without a sender, or of a group.
fn incoming(
    item: &Item,
    message: &webhook::Message,
    route: Route,
    now: DateTime<Utc>,
) -> Option<Incoming> {
    if message.group_id.is_some() {
        return None;
    }
    let sender = sender(message);
    if sender.identities.is_empty() && sender.former.is_empty() {
        return None;
    }
    Some(Incoming {
        route,
        id: MessageId::stamped(now),
        wamid: message.id.clone()?,
        sender,
        content: inbound::content(&message.content, &item.raw),
        choice: choice(&message.content),
        reply_to_wamid: message
            .context
            .as_ref()
            .and_then(|context| context.message_id.clone()),
        // A clock that is ahead must not keep a conversation on top for ever.
        sent_at: message
            .sent_at
            .map_or(now, |at| at.min(now))
            .trunc_subsecs(0),
    })
}

fn sender(message: &webhook::Message) -> Sender {
    let mut sender = Sender::default();
    let contact = message.contact.as_ref();
    let user_id = message
        .from_user_id
        .clone()
        .or_else(|| contact.and_then(|contact| contact.user_id.clone()));
    let phone = message
        .from
        .clone()
        .or_else(|| contact.and_then(|contact| contact.wa_id.clone()));
    match &message.content {
        Content::System(notice)
            if matches!(
                notice.kind,
                SystemKind::UserChangedNumber | SystemKind::UserChangedUserId
            ) =>
        {
            let (old, new) = if notice.kind == SystemKind::UserChangedNumber {
                // `from` is the old number; the notice names the new one.
                (phone, notice.wa_id.clone())
            } else {
                // Sources disagree whether `from_user_id` is the old or the new id; the notice names
                // both.
                (None, phone)
            };
            let previous = notice.previous_user_id.clone();
            sender.former.extend(identity("phone", old));
            sender.former.extend(identity("user_id", previous));
            let current = notice.user_id.clone();
            sender.identities.extend(identity("user_id", current));
            sender.identities.extend(identity("phone", new));
        }
        _ => {
            sender.identities.extend(identity("user_id", user_id));
            sender.identities.extend(identity("phone", phone));
        }
    }
    if let Some(contact) = contact {
        if !sender.identities.is_empty() {
            let username = contact.username.clone();
            sender.identities.extend(identity("username", username));
        }
        sender.name = contact
            .profile_name
            .clone()
            .or_else(|| contact.username.clone())
            .unwrap_or_default();
    }
    sender
}

fn identity(kind: &'static str, value: Option<String>) -> Option<(&'static str, String)> {
    value.map(|value| (kind, value))
}

/// A text, or a button of a template: buttons of other messages belong to what was asked there.
fn choice(content: &Content) -> Option<Choice> {
    match content {
        Content::Text(body) => consent::choice(body),
        Content::Button { payload, text } => [text, payload]
            .into_iter()
            .flatten()
            .find_map(|said| consent::choice(said)),
        _ => None,
    }
}

/// `None` for what is not about marketing, for values that this version does not know, and where nobody is named.
fn preferred(
    preference: &webhook::Preference,
    notice: &NewNotice,
    now: DateTime<Utc>,
) -> Option<Preferred> {
    if preference.category.as_deref() != Some("marketing_messages") {
        return None;
    }
    let granted = match preference.value {
        PreferenceValue::Stop => false,
        PreferenceValue::Resume | PreferenceValue::Signup => true,
        PreferenceValue::Other(_) => return None,
    };
    let user_id = identity("user_id", preference.user_id.clone());
    let phone = identity("phone", preference.wa_id.clone());
    let contact = preference.contact.as_ref();
    let sender = Sender {
        identities: user_id.into_iter().chain(phone).collect(),
        former: Vec::new(),
        name: contact
            .and_then(|contact| contact.profile_name.clone())
            .unwrap_or_default(),
    };
    (!sender.identities.is_empty()).then_some(Preferred {
        notice_id: notice.id,
        organization_id: notice.route.organization_id,
        sender,
        granted,
        stated_at: preference.stated_at.map_or(now, |at| at.min(now)),
    })
}

fn report(
    status: &webhook::Status,
    route: Route,
    now: DateTime<Utc>,
    token: ReadToken<'_>,
) -> Option<Report> {
    // A group's statuses are one per participant and say nothing about the message as a whole.
    let participant = status.participant.as_ref();
    let word = match &status.kind {
        webhook::StatusKind::Other(word) => word.clone().unwrap_or_default(),
        kind => kind.name().to_owned(),
    };
    let recipient = participant
        .and_then(|one| one.id.clone().or_else(|| one.user_id.clone()))
        .or_else(|| status.recipient_id.clone())
        .or_else(|| status.recipient_user_id.clone())
        .unwrap_or_default();
    let moves = Status::from_whatsapp(&word).filter(|_| participant.is_none());
    Some(Report {
        route,
        wamid: status.message_id.clone()?,
        status: moves,
        recipient,
        provider_at: status.reported_at.unwrap_or(now),
        failure: (moves == Some(Status::Failed))
            .then(|| failed(&status.errors))
            .flatten(),
        pricing: status.pricing.as_ref().map(pricing),
        message_id: status.callback_data.as_deref().and_then(token),
        word,
    })
}

fn failed(faults: &[webhook::Fault]) -> Option<Value> {
    let code = faults.first().and_then(|fault| fault.code).unwrap_or(0);
    let failure = failure::from_code(code);
    serde_json::to_value(failure).ok()
}

fn pricing(pricing: &webhook::Pricing) -> Value {
    serde_json::json!({
        "billable": pricing.billable,
        "model": pricing.model,
        "type": pricing.kind,
        "category": pricing.category,
    })
}

fn notice(item: &Item, route: Route, now: DateTime<Utc>) -> NewNotice {
    let name = item.payload.name();
    let field = match (&item.origin.field, &item.payload) {
        // Several kinds share these fields: say which one it is.
        (Some(field), Payload::ChannelField(_)) => field.clone(),
        (Some(field), _) => format!("{field}.{name}"),
        (None, _) => name.to_owned(),
    };
    NewNotice {
        route,
        id: NoticeId::stamped(now),
        field,
        value: serde_json::from_str(item.raw.get())
            .unwrap_or_else(|_| Value::String(item.raw.get().to_owned())),
        dedupe_key: item.key.as_str().to_owned(),
    }
}
