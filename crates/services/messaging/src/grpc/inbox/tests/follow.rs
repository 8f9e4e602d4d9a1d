//! Notes, mentions, followers and what is unread.

use proto::messaging::{
    events::v1::NoteCreated,
    v1::{Direction, MessageStatus},
};

use super::*;

fn note(desk: &Desk, body: &str, mentioned: &[UserId]) -> CreateNoteRequest {
    CreateNoteRequest {
        conversation_id: desk.thread.id.to_string(),
        body: body.to_owned(),
        mentioned_user_ids: mentioned.iter().map(UserId::to_string).collect(),
    }
}

async fn mentions(desk: &Desk, who: UserId, unread_only: bool) -> Vec<String> {
    let request = ListMentionsRequest {
        unread_only,
        ..ListMentionsRequest::default()
    };
    let listed = desk.inbox.list_mentions(desk.asks(who, request)).await;
    let mentions = listed.expect("mentions").into_inner().mentions.into_iter();
    mentions
        .map(|mention| mention.note.expect("the note").id)
        .collect()
}

async fn mark_read(desk: &Desk, who: UserId) {
    let request = MarkReadRequest {
        conversation_id: desk.thread.id.to_string(),
    };
    desk.inbox
        .mark_read(desk.asks(who, request))
        .await
        .expect("read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_stands_in_the_stream_goes_nowhere_and_is_written_once() {
    let desk = Desk::new().await;
    let me = desk.agent().await;
    let before = desk.get(me).await;
    let write = async || {
        let request = desk.with_key(me, "once", note(&desk, "ask billing", &[]));
        desk.inbox
            .create_note(request)
            .await
            .expect("a note")
            .into_inner()
    };
    let written = write().await;
    assert_eq!(write().await, written);
    assert_eq!(written.direction(), Direction::Note);
    assert_eq!(written.status(), MessageStatus::Recorded);
    assert_eq!(written.author, format!("user:{me}"));
    assert_eq!(desk.stream(me).await, std::slice::from_ref(&written));
    assert_eq!(desk.fixture.count("send_queue").await, 0);
    // The customer did not hear it, so the list tells nothing of it.
    assert_eq!(desk.get(me).await, before);
    let told = desk.events::<NoteCreated>().await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].message_id, written.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_can_not_be_sent_as_a_message() {
    use proto::messaging::v1::{MessageContent, Note, SendMessageRequest};
    let desk = Desk::new().await;
    let me = desk.agent().await;
    for kind in [
        Kind::Note(Note::default()),
        Kind::Activity(Activity::default()),
    ] {
        let request = SendMessageRequest {
            conversation_id: desk.thread.id.to_string(),
            content: Some(MessageContent { kind: Some(kind) }),
            ..SendMessageRequest::default()
        };
        let refused = desk.messaging.send_message(desk.asks(me, request)).await;
        assert_eq!(
            code(&refused.expect_err("refused")),
            "messaging.content_invalid"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_mentioned_is_told_until_it_has_read() {
    let desk = Desk::new().await;
    let (me, other) = (desk.agent().await, desk.agent().await);
    let request = desk.asks(me, note(&desk, "please look", &[other, other]));
    let written = desk
        .inbox
        .create_note(request)
        .await
        .expect("a note")
        .into_inner();
    assert_eq!(mentions(&desk, other, true).await, [written.id.as_str()]);
    assert!(mentions(&desk, me, false).await.is_empty());
    let request = ListParticipantsRequest {
        conversation_id: desk.thread.id.to_string(),
    };
    let followers = desk.inbox.list_participants(desk.asks(me, request)).await;
    assert_eq!(
        followers.expect("followers").into_inner().user_ids,
        [other.to_string()]
    );

    mark_read(&desk, other).await;
    assert!(mentions(&desk, other, true).await.is_empty());
    assert_eq!(mentions(&desk, other, false).await, [written.id]);
    let request = desk.asks(me, note(&desk, "who?", &[UserId::generate()]));
    let refused = desk.inbox.create_note(request).await.expect_err("refused");
    assert_eq!(code(&refused), "messaging.assignee_unknown");
    assert_eq!(desk.stream(me).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_person_has_its_own_unread_messages() {
    let desk = Desk::new().await;
    let (me, other) = (desk.agent().await, desk.agent().await);
    desk.customer_writes(1).await;
    desk.customer_writes(2).await;
    assert_eq!(desk.get(me).await.unread_count, 2);
    mark_read(&desk, me).await;
    mark_read(&desk, me).await;
    assert_eq!(desk.get(me).await.unread_count, 0);
    assert_eq!(desk.get(other).await.unread_count, 2);
    desk.customer_writes(3).await;
    desk.customer_writes(3).await;
    assert_eq!(
        desk.get(me).await.unread_count,
        1,
        "the same message counts once"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn people_follow_and_stop_following() {
    let desk = Desk::new().await;
    let (me, other) = (desk.agent().await, desk.agent().await);
    let conversation_id = desk.thread.id.to_string();
    let add = async |users: &[UserId]| {
        let request = AddParticipantsRequest {
            conversation_id: conversation_id.clone(),
            user_ids: users.iter().map(UserId::to_string).collect(),
        };
        let added = desk.inbox.add_participants(desk.asks(me, request)).await;
        added.map(|answer| answer.into_inner().user_ids)
    };
    assert_eq!(add(&[other]).await.expect("added"), [other.to_string()]);
    desk.fixture.hand.advance(std::time::Duration::from_secs(1));
    assert_eq!(
        add(&[other, me]).await.expect("added"),
        [other.to_string(), me.to_string()]
    );
    let refused = add(&[UserId::generate()]).await.expect_err("refused");
    assert_eq!(code(&refused), "messaging.assignee_unknown");
    let request = RemoveParticipantRequest {
        conversation_id: conversation_id.clone(),
        user_id: other.to_string(),
    };
    let left = desk.inbox.remove_participant(desk.asks(me, request)).await;
    assert_eq!(left.expect("left").into_inner().user_ids, [me.to_string()]);
}
