//! What customers do after their contacts were merged, and whose it is when the merge is taken back.

use std::time::Duration;

use ids::ContactId;
use proto::messaging::v1::{
    ConsentPurpose, ListConversationsRequest, ListMessagesRequest, MergeContactsRequest,
};

use super::*;
use crate::{
    events::intake::{
        played::{self, sender, write},
        sort::Sorted,
    },
    fixture::Thread,
    store::{lanes::Lease, queue},
};

const LIFETIME: Duration = Duration::from_hours(1);
const ONE: &str = "491701";
const OTHER: &str = "491702";

/// The contact that has the number.
async fn contact_of(fixture: &Fixture, phone: &str) -> Contact {
    let listed = service(fixture)
        .list_contacts(asks(fixture, ListContactsRequest::default()))
        .await;
    let contacts = listed.expect("contacts").into_inner().contacts;
    let has = |contact: &Contact| contact.identities.iter().any(|one| one.value == phone);
    contacts.into_iter().find(has).expect("a contact")
}

async fn merge(fixture: &Fixture, kept: &str, other: &str) -> String {
    fixture.hand.advance(Duration::from_secs(1));
    let message = MergeContactsRequest {
        contact_id: contact_of(fixture, kept).await.id,
        other_contact_id: contact_of(fixture, other).await.id,
    };
    let merged = service(fixture)
        .merge_contacts(asks(fixture, message))
        .await;
    merged.expect("a merge").into_inner().merge_id
}

async fn undo(fixture: &Fixture, merge_id: String) {
    let undone = service(fixture)
        .undo_merge(asks(fixture, UndoMergeRequest { merge_id }))
        .await;
    undone.expect("undone");
}

/// What the conversation of a contact shows: its preview, what is unanswered, and its texts.
async fn read(fixture: &Fixture, phone: &str) -> (String, u32, Vec<String>) {
    let contact_id = contact_of(fixture, phone).await.id;
    let service = service(fixture);
    let listed = service
        .list_conversations(asks(fixture, ListConversationsRequest::default()))
        .await;
    let mut listed = listed.expect("conversations").into_inner().conversations;
    listed.retain(|conversation| conversation.contact_id == contact_id);
    assert_eq!(listed.len(), 1, "of {phone}");
    let conversation = listed.remove(0);
    let message = ListMessagesRequest {
        conversation_id: conversation.id,
        ..ListMessagesRequest::default()
    };
    let listed = service.list_messages(asks(fixture, message)).await;
    let text = |message: proto::messaging::v1::Message| {
        assert_eq!(message.contact_id, contact_id);
        match message.content.and_then(|content| content.kind) {
            Some(proto::messaging::v1::message_content::Kind::Text(text)) => text.body,
            other => panic!("{other:?}"),
        }
    };
    let messages = listed.expect("messages").into_inner().messages;
    (
        conversation.preview,
        conversation.unanswered_count,
        messages.into_iter().map(text).collect(),
    )
}

/// Where the next message of the conversation goes. It stays where it waits.
async fn next(fixture: &Fixture, lease: &Lease) -> (String, String) {
    let mut tx = fixture.tenant().await;
    let claimed = queue::claim(tx.conn(), lease, fixture.now(), 1).await;
    let address = claimed.expect("what is due").remove(0).address;
    sqlx::query("update messaging.send_queue set state = 'queued'")
        .execute(tx.conn())
        .await
        .expect("as it was");
    tx.commit().await.expect("commit");
    address.expect("an address")
}

fn phone(value: &str) -> (String, String) {
    ("phone".to_owned(), value.to_owned())
}

/// A waiting message in the only conversation.
async fn queue_reply(fixture: &Fixture) -> Lease {
    let service = service(fixture);
    let listed = service
        .list_conversations(asks(fixture, ListConversationsRequest::default()))
        .await;
    let listed = listed.expect("conversations").into_inner().conversations;
    let [conversation] = &listed[..] else {
        panic!("one conversation: {listed:?}")
    };
    let thread = Thread {
        id: conversation.id.parse().expect("an id"),
        contact_id: conversation.contact_id.parse::<ContactId>().expect("an id"),
    };
    fixture.queue(thread, LIFETIME).await;
    fixture.lease().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_goes_to_what_the_customer_wrote_from_last() {
    let fixture = Fixture::new().await;
    write(&fixture, ONE, "wamid.1", "Hello").await;
    write(&fixture, OTHER, "wamid.2", "Hello").await;
    write(&fixture, ONE, "wamid.3", "Are you there?").await;
    merge(&fixture, OTHER, ONE).await;
    let lease = queue_reply(&fixture).await;
    assert_eq!(next(&fixture, &lease).await, phone(ONE));
    write(&fixture, OTHER, "wamid.4", "I have two").await;
    assert_eq!(next(&fixture, &lease).await, phone(OTHER));
    write(&fixture, ONE, "wamid.5", "numbers").await;
    assert_eq!(next(&fixture, &lease).await, phone(ONE));
    // It is somebody else's now.
    sqlx::query("delete from messaging.contact_identities where value = $1")
        .bind(ONE)
        .execute(&mut fixture.admin().await)
        .await
        .expect("gone");
    assert_eq!(next(&fixture, &lease).await, phone(OTHER));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_not_sent_to_a_user_id_where_a_number_is_known() {
    let fixture = Fixture::new().await;
    let shown: [&[(&'static str, &str)]; 2] = [
        &[("user_id", "DE.1"), ("phone", ONE)],
        &[("user_id", "DE.1")],
    ];
    for (index, shown) in shown.into_iter().enumerate() {
        fixture.hand.advance(Duration::from_secs(1));
        let wamid = format!("wamid.{index}");
        let message = played::writes(&fixture, sender(shown), &wamid, "Hello");
        let sorted = Sorted {
            messages: vec![message],
            ..Sorted::default()
        };
        played::receive(&fixture, sorted).await;
    }
    fixture.template("code", "authentication").await;
    let lease = queue_reply(&fixture).await;
    let user_id = ("user_id".to_owned(), "DE.1".to_owned());
    assert_eq!(next(&fixture, &lease).await, user_id);
    sqlx::query("update messaging.messages set content = $1 where direction = 2")
        .bind(serde_json::json!({"template": {"name": "code", "language": "en_US"}}))
        .execute(&mut fixture.admin().await)
        .await
        .expect("a template");
    assert_eq!(next(&fixture, &lease).await, phone(ONE));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_received_since_a_merge_goes_with_the_number_that_wrote_it() {
    let fixture = Fixture::new().await;
    write(&fixture, ONE, "wamid.1", "one").await;
    write(&fixture, OTHER, "wamid.2", "other").await;
    let merge_id = merge(&fixture, ONE, OTHER).await;
    write(&fixture, OTHER, "wamid.3", "other again").await;
    write(&fixture, ONE, "wamid.4", "one again").await;
    write(&fixture, OTHER, "wamid.5", "other at last").await;
    undo(&fixture, merge_id).await;
    let texts = |texts: &[&str]| {
        texts
            .iter()
            .map(|&text| text.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        read(&fixture, ONE).await,
        ("one again".to_owned(), 2, texts(&["one again", "one"]))
    );
    let others = texts(&["other at last", "other again", "other"]);
    assert_eq!(
        read(&fixture, OTHER).await,
        ("other at last".to_owned(), 3, others)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_opened_for_what_was_received_in_one_that_goes_back() {
    let fixture = Fixture::new().await;
    create_id(&fixture, &format!("+{ONE}")).await;
    write(&fixture, OTHER, "wamid.1", "other").await;
    let merge_id = merge(&fixture, ONE, OTHER).await;
    write(&fixture, ONE, "wamid.2", "one").await;
    undo(&fixture, merge_id).await;
    assert_eq!(read(&fixture, ONE).await.2, ["one"]);
    assert_eq!(read(&fixture, OTHER).await.2, ["other"]);
    let opened = "outbox where event_type like '%ConversationOpened'";
    assert_eq!(fixture.count(opened).await, 2);
    // And the next one finds it.
    write(&fixture, ONE, "wamid.3", "one again").await;
    assert_eq!(read(&fixture, ONE).await.1, 2);
}

/// What the contact last said, by purpose.
async fn said(fixture: &Fixture, phone: &str) -> Vec<(ConsentPurpose, bool)> {
    let consents = contact_of(fixture, phone).await.consents;
    let said = consents.iter().map(|one| (one.purpose(), one.granted));
    said.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_said_since_a_merge_holds_for_the_number_that_said_it() {
    let fixture = Fixture::new().await;
    write(&fixture, ONE, "wamid.1", "Hello").await;
    write(&fixture, OTHER, "wamid.2", "Hello").await;
    let merge_id = merge(&fixture, ONE, OTHER).await;
    write(&fixture, OTHER, "wamid.3", "STOP").await;
    undo(&fixture, merge_id).await;
    assert_eq!(said(&fixture, ONE).await, []);
    let stopped = [(ConsentPurpose::Marketing, false)];
    assert_eq!(said(&fixture, OTHER).await, stopped);
    assert_eq!(fixture.count("consents").await, 1);

    let merge_id = merge(&fixture, ONE, OTHER).await;
    played::receive(&fixture, played::stops(&fixture, sender(&[("phone", ONE)]))).await;
    undo(&fixture, merge_id).await;
    assert_eq!(said(&fixture, ONE).await, stopped);
    assert_eq!(fixture.count("consents").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_back_since_a_merge_and_may_be_of_either_holds_for_both() {
    let fixture = Fixture::new().await;
    write(&fixture, ONE, "wamid.1", "Hello").await;
    write(&fixture, OTHER, "wamid.2", "STOP").await;
    let merge_id = merge(&fixture, ONE, OTHER).await;
    let contact_id = contact_of(&fixture, ONE).await.id;
    for (purpose, granted) in [
        (ConsentPurpose::Utility, false),
        (ConsentPurpose::Marketing, true),
    ] {
        let message = RecordConsentRequest {
            contact_id: contact_id.clone(),
            purpose: purpose.into(),
            granted,
            ..RecordConsentRequest::default()
        };
        let recorded = service(&fixture)
            .record_consent(asks(&fixture, message))
            .await;
        recorded.expect("a consent");
    }
    undo(&fixture, merge_id).await;
    let (marketing, utility) = (ConsentPurpose::Marketing, ConsentPurpose::Utility);
    assert_eq!(
        said(&fixture, ONE).await,
        [(marketing, true), (utility, false)]
    );
    assert_eq!(
        said(&fixture, OTHER).await,
        [(marketing, false), (utility, false)],
        "what was given may be of the other one"
    );
    let told = "outbox where event_type like '%ConsentChanged'";
    assert_eq!(fixture.count(told).await, 4);
}
