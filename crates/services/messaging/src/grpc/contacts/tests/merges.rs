use proto::messaging::v1::{
    Conversation, GetConversationRequest, ListConversationsRequest, ListMessagesRequest,
};

use super::*;
use crate::fixture::Thread;

async fn merge(
    fixture: &Fixture,
    kept: &str,
    other: &str,
) -> Result<MergeContactsResponse, Status> {
    let message = MergeContactsRequest {
        contact_id: kept.to_owned(),
        other_contact_id: other.to_owned(),
    };
    let merged = service(fixture)
        .merge_contacts(asks(fixture, message))
        .await;
    merged.map(Response::into_inner)
}

async fn undo(fixture: &Fixture, merge_id: &str) -> Result<UndoMergeResponse, Status> {
    let message = UndoMergeRequest {
        merge_id: merge_id.to_owned(),
    };
    let undone = service(fixture).undo_merge(asks(fixture, message)).await;
    undone.map(Response::into_inner)
}

async fn conversations(fixture: &Fixture) -> Vec<Conversation> {
    let listed = service(fixture)
        .list_conversations(asks(fixture, ListConversationsRequest::default()))
        .await;
    listed.expect("a list").into_inner().conversations
}

async fn messages(fixture: &Fixture, thread: Thread) -> usize {
    let message = ListMessagesRequest {
        conversation_id: thread.id.to_string(),
        ..ListMessagesRequest::default()
    };
    let listed = service(fixture).list_messages(asks(fixture, message)).await;
    listed.expect("messages").into_inner().messages.len()
}

const LIFETIME: std::time::Duration = std::time::Duration::from_hours(1);

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_what_was_merged_lead_to_what_was_kept_until_it_is_taken_back() {
    let fixture = Fixture::new().await;
    let service = service(&fixture);
    let (one, other) = (
        fixture.conversation("491701").await,
        fixture.conversation("491702").await,
    );
    for thread in [one, other, other] {
        fixture.queue(thread, LIFETIME).await;
    }
    let (kept_id, other_id) = (one.contact_id.to_string(), other.contact_id.to_string());
    let merged = merge(&fixture, &kept_id, &other_id).await.expect("a merge");
    assert_eq!(merged.contact.expect("a contact").identities.len(), 2);
    let get = GetContactRequest {
        contact_id: other_id.clone(),
    };
    let led = service
        .get_contact(asks(&fixture, get.clone()))
        .await
        .expect("a contact");
    assert_eq!(led.into_inner().id, kept_id);
    let message = GetConversationRequest {
        conversation_id: other.id.to_string(),
    };
    let led = service.get_conversation(asks(&fixture, message)).await;
    assert_eq!(
        led.expect("a conversation").into_inner().id,
        one.id.to_string()
    );
    assert_eq!(messages(&fixture, other).await, 3);
    assert_eq!(conversations(&fixture).await.len(), 1);
    let listed = service
        .list_contacts(asks(&fixture, ListContactsRequest::default()))
        .await;
    assert_eq!(listed.expect("contacts").into_inner().contacts.len(), 1);
    let waiting = format!("send_queue where conversation_id = '{}'", one.id.as_uuid());
    assert_eq!(fixture.count(&waiting).await, 3);

    // What is written since stays with whom it was written to.
    fixture.queue(one, LIFETIME).await;
    let undone = undo(&fixture, &merged.merge_id).await.expect("undone");
    assert_eq!(undone.kept.expect("a contact").id, kept_id);
    assert_eq!(undone.restored.expect("a contact").id, other_id);
    assert_eq!(
        (
            messages(&fixture, one).await,
            messages(&fixture, other).await
        ),
        (2, 2)
    );
    assert_eq!(conversations(&fixture).await.len(), 2);
    assert_eq!(fixture.count(&waiting).await, 2);
    let twice = undo(&fixture, &merged.merge_id).await.expect_err("twice");
    assert_eq!(twice.code(), Code::FailedPrecondition);
    assert_eq!(
        fixture
            .count("outbox where event_type like '%ContactMerged'")
            .await,
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_the_kept_contact_has_none_beside_changes_hands() {
    let fixture = Fixture::new().await;
    let kept = create_id(&fixture, "+491701").await;
    let other = fixture.conversation("491702").await;
    fixture.queue(other, LIFETIME).await;
    let merged = merge(&fixture, &kept, &other.contact_id.to_string())
        .await
        .expect("a merge");
    let [conversation] = &conversations(&fixture).await[..] else {
        panic!("one conversation")
    };
    assert_eq!(conversation.id, other.id.to_string());
    assert_eq!(conversation.contact_id, kept);
    undo(&fixture, &merged.merge_id).await.expect("undone");
    let back = format!(
        "messages where contact_id = '{}'",
        other.contact_id.as_uuid()
    );
    assert_eq!(fixture.count(&back).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_key_merges_once_and_a_contact_is_never_merged_with_itself() {
    let fixture = Fixture::new().await;
    let (kept, other) = (
        create_id(&fixture, "+491701").await,
        create_id(&fixture, "+491702").await,
    );
    let message = MergeContactsRequest {
        contact_id: kept.clone(),
        other_contact_id: other.clone(),
    };
    let mut merges = Vec::new();
    for _ in 0..2 {
        let asked = asks_with(&fixture, View::default(), Some("m"), message.clone());
        let answer = service(&fixture).merge_contacts(asked).await;
        merges.push(answer.expect("a merge").into_inner().merge_id);
    }
    assert_eq!(merges[0], merges[1]);
    for (one, other) in [(&kept, &kept), (&kept, &other), (&other, &kept)] {
        let refused = merge(&fixture, one, other).await.expect_err("one contact");
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
    let message = ListMergesRequest {
        contact_id: other,
        ..ListMergesRequest::default()
    };
    let listed = service(&fixture).list_merges(asks(&fixture, message)).await;
    let listed = listed.expect("merges").into_inner().merges;
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (&listed[0].kept_contact_id, listed[0].reason.as_str()),
        (&kept, "manual")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn merges_are_taken_back_in_the_opposite_order() {
    let fixture = Fixture::new().await;
    let mut ids = Vec::new();
    for phone in ["+491701", "+491702", "+491703", "+491704"] {
        ids.push(create_id(&fixture, phone).await);
    }
    let mut merges = Vec::new();
    // The last one takes in all.
    for (kept, other) in [(0, 1), (0, 2), (3, 0)] {
        let answer = merge(&fixture, &ids[kept], &ids[other]).await;
        merges.push(answer.expect("a merge").merge_id);
    }
    for early in [0, 1] {
        let refused = undo(&fixture, &merges[early]).await.expect_err("early");
        assert_eq!(refused.code(), Code::FailedPrecondition);
    }
    for id in merges.iter().rev() {
        undo(&fixture, id).await.expect("undone");
    }
    assert_eq!(
        fixture.count("contacts where merged_into_id is null").await,
        4
    );
    for (id, phone) in ids.iter().zip(["491701", "491702", "491703", "491704"]) {
        let get = GetContactRequest {
            contact_id: id.clone(),
        };
        let contact = service(&fixture).get_contact(asks(&fixture, get)).await;
        let contact = contact.expect("a contact").into_inner();
        assert_eq!(contact.identities[0].value, phone);
        assert_eq!(contact.identities.len(), 1);
    }
}
