//! Any order of merges, and of taking them back.

use std::collections::{BTreeMap, HashMap};

use ids::{ContactId, ConversationId, MessageId};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use sqlx::Row;
use uuid::Uuid;

use super::*;

const CONTACTS: usize = 5;
const CASES: usize = 8;

/// Which contacts write on which of two numbers, and what is done with them then.
#[derive(Debug, Clone)]
struct Case {
    writes: Vec<(bool, bool)>,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Merge(usize, usize),
    /// The newest merge that is left.
    Undo,
}

fn cases() -> impl Strategy<Value = Case> {
    let writes = prop::collection::vec(any::<(bool, bool)>(), CONTACTS);
    let merge = (0..CONTACTS, 0..CONTACTS).prop_map(|(one, other)| Step::Merge(one, other));
    let step = prop_oneof![4 => merge, 1 => Just(Step::Undo)];
    let steps = prop::collection::vec(step, 1..8);
    (writes, steps).prop_map(|(writes, steps)| Case { writes, steps })
}

/// Where each message is: its conversation and its contact.
type Places = BTreeMap<MessageId, (ConversationId, ContactId)>;

async fn places(fixture: &Fixture) -> Places {
    let rows = sqlx::query(
        "select id, conversation_id, contact_id from messaging.messages where organization_id = $1",
    )
    .bind(fixture.route.organization_id.as_uuid())
    .fetch_all(&mut fixture.admin().await)
    .await
    .expect("messages");
    let places = rows.iter().map(|row| {
        let at = |index: usize| row.get::<Uuid, _>(index);
        let place = (
            ConversationId::from_uuid(at(1)),
            ContactId::from_uuid(at(2)),
        );
        (MessageId::from_uuid(at(0)), place)
    });
    places.collect()
}

/// How often each message is met by somebody who reads every conversation that is listed.
async fn read_everything(fixture: &Fixture) -> HashMap<String, usize> {
    let service = service(fixture);
    let all = proto::messaging::v1::ListConversationsRequest {
        page_size: 100,
        ..Default::default()
    };
    let listed = service.list_conversations(asks(fixture, all)).await;
    let mut met = HashMap::new();
    for conversation in listed.expect("conversations").into_inner().conversations {
        let message = proto::messaging::v1::ListMessagesRequest {
            conversation_id: conversation.id.clone(),
            page_size: 100,
            ..Default::default()
        };
        let listed = service.list_messages(asks(fixture, message)).await;
        for message in listed.expect("messages").into_inner().messages {
            assert_eq!(message.conversation_id, conversation.id);
            assert_eq!(message.contact_id, conversation.contact_id);
            *met.entry(message.id).or_default() += 1;
        }
    }
    met
}

async fn check(fixture: &Fixture, case: &Case, count: usize) {
    let met = read_everything(fixture).await;
    assert_eq!(met.len(), count, "every message is reachable: {case:?}");
    assert!(met.values().all(|times| *times == 1), "and once: {case:?}");
}

async fn play(fixture: &mut Fixture, number: usize, case: &Case) {
    fixture.add_tenant(&format!("{}", 2 * number + 5_000)).await;
    let mut contacts = Vec::new();
    for index in 0..CONTACTS {
        contacts.push(fixture.contact(&format!("49170{index}")).await);
    }
    let lifetime = std::time::Duration::from_hours(1);
    for channel in [0, 1] {
        for (contact, writes) in contacts.iter().zip(&case.writes) {
            if [writes.0, writes.1][channel] {
                let thread = fixture.thread(*contact).await;
                fixture.queue(thread, lifetime).await;
                fixture.queue(thread, lifetime).await;
            }
        }
        if channel == 0 {
            fixture
                .add_channel(&format!("{}", 2 * number + 5_001))
                .await;
        }
    }
    let first = places(fixture).await;
    let service = service(fixture);
    let mut merges: Vec<String> = Vec::new();
    for step in &case.steps {
        match *step {
            Step::Merge(one, other) => {
                let message = MergeContactsRequest {
                    contact_id: contacts[one].to_string(),
                    other_contact_id: contacts[other].to_string(),
                };
                match service.merge_contacts(asks(fixture, message)).await {
                    Ok(answer) => merges.push(answer.into_inner().merge_id),
                    // They are one already.
                    Err(refused) => assert_eq!(refused.code(), Code::InvalidArgument, "{case:?}"),
                }
            }
            Step::Undo => {
                if let Some(merge_id) = merges.pop() {
                    let undone = service
                        .undo_merge(asks(fixture, UndoMergeRequest { merge_id }))
                        .await;
                    undone.unwrap_or_else(|refused| panic!("{refused:?} in {case:?}"));
                }
            }
        }
        check(fixture, case, first.len()).await;
    }
    while let Some(merge_id) = merges.pop() {
        let undone = service
            .undo_merge(asks(fixture, UndoMergeRequest { merge_id }))
            .await;
        undone.unwrap_or_else(|refused| panic!("{refused:?} in {case:?}"));
    }
    assert_eq!(places(fixture).await, first, "{case:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_order_of_merges_leaves_every_message_reachable_exactly_once_and_can_be_taken_back() {
    let mut fixture = Fixture::new().await;
    let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), seed);
    for number in 0..CASES {
        let case = cases().new_tree(&mut runner).expect("a case").current();
        play(&mut fixture, number, &case).await;
    }
}
