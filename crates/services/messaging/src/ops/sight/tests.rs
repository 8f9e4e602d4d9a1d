use ids::{TeamId, UserId};
use proto::messaging::{
    events::v1::{ChannelChanged, ConversationOpened, MessageQueued, MessageReceived},
    v1::{
        ButtonReply, ChannelNotice, Contact, ContactCard, ContactCards, ContactIdentity,
        Conversation, Edit, ListChannelNoticesResponse, ListContactsResponse,
        ListConversationsResponse, ListMessagesResponse, Message, MessageContent, Reaction, Revoke,
        System, Text, Unsupported, message_content::Kind,
    },
};

use super::*;
use crate::domain::content::inbound::structure;

const NUMBER: &str = "16505551234";
const MASKED: Sight = Sight {
    reach: None,
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
fn who_sees_only_some_conversations_hears_only_of_those() {
    let (me, team) = (UserId::generate(), TeamId::generate());
    let sight = |user, teams| Sight {
        reach: Some(Reach { user, teams }),
        contact_details: true,
    };
    let (own, of_team) = (sight(Some(me), vec![]), sight(Some(me), vec![team]));
    let program = sight(None, vec![]);
    let place = |assignee_id, team_id, participant_ids| Place {
        id: ConversationId::generate(),
        assignee_id,
        team_id,
        participant_ids,
    };
    let event = |payload| Event {
        payload,
        ..Event::default()
    };
    // Who has it, and whether the member, the member of the team and the program hear of it.
    for (place, heard) in [
        (place(Some(me), None, vec![]), [true, true, false]),
        (
            place(Some(UserId::generate()), None, vec![me]),
            [true, true, false],
        ),
        (place(None, Some(team), vec![]), [false, true, false]),
        (place(None, None, vec![]), [false, false, false]),
    ] {
        let id = ConversationId::generate();
        let opened = event(Some(Payload::ConversationOpened(ConversationOpened {
            conversation_id: id.to_string(),
            ..ConversationOpened::default()
        })));
        let places = Places::from([(id, place)]);
        let shown = [&own, &of_team, &program].map(|one| one.event(&opened, &places).is_some());
        assert_eq!(shown, heard, "{places:?}");
        assert_eq!(MASKED.event(&opened, &Places::new()), Some(opened.clone()));
        assert_eq!(own.event(&opened, &Places::new()), None, "it is gone");
    }
    for left in [
        event(Some(Payload::ChannelChanged(ChannelChanged::default()))),
        event(None),
    ] {
        assert_eq!(own.event(&left, &Places::new()), Some(left.clone()));
    }
}
