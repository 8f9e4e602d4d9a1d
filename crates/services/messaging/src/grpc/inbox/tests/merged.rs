//! The team's work on conversations whose contacts become one, and two again.

use chrono::TimeDelta;
use proto::messaging::v1::{
    MergeContactsRequest, UndoMergeRequest, contact_service_server::ContactService,
};

use super::*;

/// The desk looks at another conversation.
fn at(desk: &mut Desk, thread: Thread) {
    desk.thread = thread;
}

async fn mention(desk: &Desk, who: UserId) {
    let request = CreateNoteRequest {
        conversation_id: desk.thread.id.to_string(),
        body: "look here".to_owned(),
        mentioned_user_ids: vec![who.to_string()],
    };
    let noted = desk.inbox.create_note(desk.asks(who, request)).await;
    noted.expect("a note");
}

async fn put_label(desk: &Desk, who: UserId, label: &Label) {
    let request = LabelConversationRequest {
        conversation_id: desk.thread.id.to_string(),
        add_label_ids: vec![label.id.clone()],
        ..LabelConversationRequest::default()
    };
    let labelled = desk.inbox.label_conversation(desk.asks(who, request)).await;
    labelled.expect("a label");
}

/// Of the mention of the person, the conversation.
async fn mentioned_in(desk: &Desk, who: UserId) -> Vec<String> {
    let request = ListMentionsRequest::default();
    let listed = desk.inbox.list_mentions(desk.asks(who, request)).await;
    let mentions = listed.expect("mentions").into_inner().mentions.into_iter();
    mentions.map(|mention| mention.conversation_id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_had_a_conversation_has_what_it_becomes_and_both_after_they_are_parted() {
    let mut desk = Desk::new().await;
    let me = desk.agent().await;
    let (kept, other) = (desk.thread, desk.fixture.conversation("491702").await);
    let later = desk.fixture.now() + TimeDelta::hours(1);
    desk.customer_writes(1).await;
    let snoozed = desk.set_status(me, ConversationStatus::Snoozed, Some(later));
    snoozed.await.expect("snoozed");
    at(&mut desk, other);
    desk.assign(me, Some(me), None).await.expect("assigned");
    let label = desk.label(me, "VIP").await;
    put_label(&desk, me, &label).await;
    mention(&desk, me).await;

    let request = MergeContactsRequest {
        contact_id: kept.contact_id.to_string(),
        other_contact_id: other.contact_id.to_string(),
    };
    let merged = desk.messaging.merge_contacts(desk.asks(me, request)).await;
    let merge_id = merged.expect("a merge").into_inner().merge_id;
    let one = desk.get(me).await;
    assert_eq!(one.id, kept.id.to_string());
    assert_eq!(one.status(), ConversationStatus::Open);
    assert_eq!(one.snoozed_until, None);
    assert_eq!(one.assignee_id, me.to_string());
    assert_eq!(one.label_ids, std::slice::from_ref(&label.id));
    assert_eq!(one.unread_count, 1);
    assert_eq!(mentioned_in(&desk, me).await, [kept.id.to_string()]);
    // An old id still names it, for changes, too.
    desk.assign(me, None, None).await.expect("given back");
    at(&mut desk, kept);
    assert_eq!(desk.get(me).await.assignee_id, "");

    let undone = desk
        .messaging
        .undo_merge(desk.asks(me, UndoMergeRequest { merge_id }))
        .await;
    undone.expect("undone");
    at(&mut desk, other);
    let parted = desk.get(me).await;
    assert_eq!(parted.id, other.id.to_string());
    assert_eq!(parted.assignee_id, me.to_string());
    assert_eq!(parted.label_ids, [label.id]);
    assert_eq!(parted.unread_count, 0);
    assert_eq!(mentioned_in(&desk, me).await, [other.id.to_string()]);
    at(&mut desk, kept);
    assert_eq!(desk.get(me).await.unread_count, 1);
}
