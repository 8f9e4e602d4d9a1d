use proto::messaging::{
    events::v1::{ChannelChanged, ConversationOpened, MessageQueued, MessageReceived},
    v1::{
        ButtonReply, ChannelNotice, ContactCard, ContactCards, Edit, Reaction, Revoke, System,
        Text, Unsupported,
    },
};

use super::*;
use crate::domain::content::inbound::structure;

const NUMBER: &str = "16505551234";
const MASKED: Sight = Sight {
    conversations: true,
    contact_details: false,
};

fn raw() -> pbjson_types::Struct {
    structure(&format!(
        r#"{{"from":"{NUMBER}","mail":"ada@example.com"}}"#
    ))
}

/// Contents whose details are not what somebody wrote.
fn contents() -> Vec<MessageContent> {
    let card = ContactCard {
        formatted_name: format!("+{NUMBER}"),
        phones: vec![format!("+{NUMBER}")],
        emails: vec!["ada@example.com".to_owned()],
        ..ContactCard::default()
    };
    let wamid = format!("wamid.{NUMBER}");
    let reaction = Reaction {
        wamid: wamid.clone(),
        ..Reaction::default()
    };
    let edit = Edit {
        original_wamid: wamid.clone(),
        text: "new".to_owned(),
    };
    let system = System {
        r#type: "user_changed_number".to_owned(),
        body: format!("changed from {NUMBER} to +{NUMBER}"),
    };
    let reply = ButtonReply {
        form: Some(raw()),
        ..ButtonReply::default()
    };
    let unsupported = Unsupported {
        r#type: "call".to_owned(),
        raw: Some(raw()),
    };
    [
        Kind::Contacts(ContactCards { cards: vec![card] }),
        Kind::Reaction(reaction),
        Kind::Edit(edit),
        Kind::Revoke(Revoke {
            original_wamid: wamid,
        }),
        Kind::System(system),
        Kind::ButtonReply(reply),
        Kind::Unsupported(unsupported),
    ]
    .map(|kind| MessageContent { kind: Some(kind) })
    .into()
}

fn hides<T: Details + Clone + serde::Serialize>(answer: &T) {
    let whole = serde_json::to_string(&Sight::EVERYTHING.show(answer.clone())).expect("JSON");
    assert!(whole.contains("5551234"), "{whole}");
    let shown = serde_json::to_string(&MASKED.show(answer.clone())).expect("JSON");
    assert!(!shown.contains("555") && !shown.contains("ada"), "{shown}");
}

#[test]
fn every_answer_hides_numbers_and_addresses() {
    let identity = |kind: &str, value: &str| ContactIdentity {
        kind: kind.to_owned(),
        value: value.to_owned(),
    };
    let contact = Contact {
        name: format!("+{NUMBER}"),
        identities: vec![identity("phone", NUMBER), identity("username", "adal")],
        // Noted as a text and as a number.
        attributes: Some(structure(&format!(
            r#"{{"text":"{NUMBER}","number":{NUMBER}}}"#
        ))),
        ..Contact::default()
    };
    hides(&ListContactsResponse {
        contacts: vec![contact.clone()],
        ..ListContactsResponse::default()
    });
    hides(&contact);
    let conversation = Conversation {
        contact_name: NUMBER.to_owned(),
        preview: format!("Contact: +{NUMBER}"),
        ..Conversation::default()
    };
    hides(&ListConversationsResponse {
        conversations: vec![conversation.clone()],
        ..ListConversationsResponse::default()
    });
    hides(&conversation);
    hides(&ListChannelNoticesResponse {
        notices: vec![ChannelNotice {
            value: Some(raw()),
            ..ChannelNotice::default()
        }],
        ..ListChannelNoticesResponse::default()
    });
}

#[test]
fn every_content_hides_them_in_answers_and_events() {
    for content in contents() {
        let message = Message {
            wamid: format!("wamid.{NUMBER}"),
            content: Some(content.clone()),
            ..Message::default()
        };
        hides(&ListMessagesResponse {
            messages: vec![message.clone()],
            ..ListMessagesResponse::default()
        });
        hides(&message);
        hides(&Event {
            payload: Some(Payload::MessageReceived(MessageReceived {
                content: Some(content.clone()),
                ..MessageReceived::default()
            })),
            ..Event::default()
        });
        hides(&Event {
            payload: Some(Payload::MessageQueued(MessageQueued {
                content: Some(content),
                ..MessageQueued::default()
            })),
            ..Event::default()
        });
    }
}

#[test]
fn names_and_what_people_wrote_are_shown() {
    let contact = Contact {
        name: "Ada Lovelace".to_owned(),
        ..Contact::default()
    };
    assert_eq!(MASKED.show(contact.clone()), contact);
    let text = Text {
        body: "my number is 16505551234".to_owned(),
        preview_url: false,
    };
    let content = MessageContent {
        kind: Some(Kind::Text(text)),
    };
    assert_eq!(MASKED.show(content.clone()), content);
}

#[test]
fn without_conversations_only_other_events_are_left() {
    let sight = Sight {
        conversations: false,
        contact_details: true,
    };
    let event = |payload| Event {
        payload,
        ..Event::default()
    };
    let opened = event(Some(Payload::ConversationOpened(
        ConversationOpened::default(),
    )));
    assert_eq!(sight.event(&opened), None);
    assert_eq!(MASKED.event(&opened), Some(opened));
    for left in [
        event(Some(Payload::ChannelChanged(ChannelChanged::default()))),
        event(None),
    ] {
        assert_eq!(sight.event(&left), Some(left.clone()));
    }
}
