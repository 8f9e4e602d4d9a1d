//! What callers with a narrowed view are answered.

use auth::{Conversations, Principal, View};
use proto::messaging::v1::{MessageContent, Text, message_content::Kind};
use tonic::Code;

use super::*;
use crate::fixture::{Fixture, Thread, member_context};

mod media;

/// A member with this view asks.
fn asks<T>(fixture: &Fixture, view: View, message: T) -> Request<T> {
    let mut context = member_context(fixture);
    if let Some(Principal::User { member, .. }) = &mut context.principal {
        member.view = view;
    }
    let mut request = Request::new(message);
    request.extensions_mut().insert(context);
    request
}

fn masked() -> View {
    View {
        hides_contact_details: true,
        ..View::default()
    }
}

fn service(fixture: &Fixture) -> Service {
    Service {
        engine: std::sync::Arc::clone(&fixture.engine),
        hub: Hub::new(fixture.db.clone()),
    }
}

fn get(thread: Thread) -> GetConversationRequest {
    GetConversationRequest {
        conversation_id: thread.id.to_string(),
    }
}

fn text(thread: Thread) -> SendMessageRequest {
    let body = Text {
        body: "Hello".to_owned(),
        preview_url: false,
    };
    SendMessageRequest {
        conversation_id: thread.id.to_string(),
        content: Some(MessageContent {
            kind: Some(Kind::Text(body)),
        }),
        ..SendMessageRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_without_contact_details_reads_masked_numbers() {
    let fixture = Fixture::new().await;
    let thread = fixture.conversation("4917012345678").await;
    let service = service(&fixture);
    let contact = |view| {
        let message = GetContactRequest {
            contact_id: thread.contact_id.to_string(),
        };
        service.get_contact(asks(&fixture, view, message))
    };
    let whole = contact(View::default())
        .await
        .expect("a contact")
        .into_inner();
    assert_eq!(whole.identities[0].value, "4917012345678");
    let shown = contact(masked()).await.expect("a contact").into_inner();
    assert_eq!(shown.identities[0].value, "+49 *** 678");
    let listed = service
        .list_contacts(asks(&fixture, masked(), ListContactsRequest::default()))
        .await
        .expect("contacts");
    assert_eq!(listed.into_inner().contacts, [shown]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opened_conversation_does_not_tell_the_number_behind_its_name() {
    let fixture = Fixture::new().await;
    let service = service(&fixture);
    let message = OpenConversationRequest {
        channel_id: fixture.route.channel_id.to_string(),
        phone: "+4917012345678".to_owned(),
        contact_name: "+49 170 12345678".to_owned(),
    };
    let opened = service.open_conversation(asks(&fixture, masked(), message));
    let opened = opened.await.expect("a conversation").into_inner();
    assert_eq!(opened.contact_name, "+49 *** 678");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sees_only_assigned_conversations_sees_none_while_none_can_be_assigned() {
    let fixture = Fixture::new().await;
    let thread = fixture.conversation("4917012345678").await;
    let service = service(&fixture);
    let all = service.get_conversation(asks(&fixture, View::default(), get(thread)));
    assert!(all.await.is_ok());
    let sent = service.send_message(asks(&fixture, View::default(), text(thread)));
    let message_id = sent.await.expect("a message").into_inner().id;

    for conversations in [Conversations::Own, Conversations::Team] {
        let view = View {
            conversations,
            ..View::default()
        };
        let listed = service
            .list_conversations(asks(
                &fixture,
                view.clone(),
                ListConversationsRequest::default(),
            ))
            .await
            .expect("a list");
        assert_eq!(listed.into_inner(), ListConversationsResponse::default());
        let messages = ListMessagesRequest {
            conversation_id: thread.id.to_string(),
            ..ListMessagesRequest::default()
        };
        let message = GetMessageRequest {
            message_id: message_id.clone(),
        };
        let open = OpenConversationRequest {
            channel_id: fixture.route.channel_id.to_string(),
            phone: "+4917012345678".to_owned(),
            contact_name: String::new(),
        };
        let refused = [
            service
                .get_conversation(asks(&fixture, view.clone(), get(thread)))
                .await
                .err(),
            service
                .list_messages(asks(&fixture, view.clone(), messages))
                .await
                .err(),
            service
                .get_message(asks(&fixture, view.clone(), message))
                .await
                .err(),
            service
                .send_message(asks(&fixture, view.clone(), text(thread)))
                .await
                .err(),
            service
                .open_conversation(asks(&fixture, view, open))
                .await
                .err(),
        ];
        for refused in refused {
            assert_eq!(refused.expect("a refusal").code(), Code::NotFound);
        }
    }
    assert_eq!(fixture.count("messages").await, 1, "nothing was written");
}
