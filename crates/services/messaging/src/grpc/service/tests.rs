//! What callers with a narrowed view are answered.

use auth::{Principal, View};

use super::*;
use crate::fixture::{Fixture, member_context};

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
