use clock::Clock;
use sandbox::{
    Sandbox, SandboxConfig, SandboxHandle,
    meta::{InboundSpec, SetupSpec},
};

use super::*;
use crate::{
    fixture::{Fixture, Thread},
    ops::contacts::block_contact::{block_contact, unblock_contact},
    ops::send_message::{self, Input},
    ops::sight::Sight,
};

const NUMBER: &str = "16505551234";

/// A tenant whose number is one of the sandbox.
async fn world() -> (Fixture, SandboxHandle) {
    // The same moment as the fixture's, so that both know the same window.
    let start = chrono::DateTime::from_timestamp(1_770_000_000, 0).expect("a time");
    let (clock, _hand) = Clock::manual(start);
    let config = SandboxConfig {
        seed: Some(1),
        ..SandboxConfig::default()
    };
    let sandbox = Sandbox::start(config, clock).await.expect("it starts");
    let spec = SetupSpec {
        phone_number_id: Some("1001".to_owned()),
        access_token: "t".to_owned().into(),
        ..SetupSpec::default()
    };
    sandbox.meta().set_up(spec).await.expect("it is set up");
    let fixture = Fixture::with_graph(sandbox.base_url()).await;
    (fixture, sandbox)
}

fn blocked(sandbox: &SandboxHandle) -> Vec<String> {
    sandbox.meta().blocked_users("1001").expect("a number")
}

async fn send(fixture: &Fixture, thread: Thread) -> Result<(), Error> {
    let text = proto::messaging::v1::Text {
        body: "Hello".to_owned(),
        preview_url: false,
    };
    let kind = proto::messaging::v1::message_content::Kind::Text(text);
    let input = Input {
        conversation_id: thread.id,
        content: proto::messaging::v1::MessageContent { kind: Some(kind) },
        reply_to: None,
        expires_at: None,
        idempotency: None,
    };
    let scope = fixture.scope();
    send_message::send_message(&fixture.db, &scope, &Sight::EVERYTHING, input)
        .await
        .map(drop)
}

async fn block(fixture: &Fixture, thread: Thread) {
    let scope = fixture.scope();
    let contact = block_contact(&fixture.db, &scope, thread.contact_id).await;
    assert!(contact.expect("a contact").blocked_at.is_some());
}

async fn unblock(fixture: &Fixture, thread: Thread) {
    let scope = fixture.scope();
    let contact = unblock_contact(&fixture.db, &scope, thread.contact_id).await;
    assert!(contact.expect("a contact").blocked_at.is_none());
}

async fn work(fixture: &Fixture) {
    while pass(&fixture.engine).await.expect("a pass") {}
}

#[tokio::test(flavor = "multi_thread")]
async fn whatsapp_is_told_of_a_block_and_of_its_end() {
    let (fixture, sandbox) = world().await;
    let thread = fixture.conversation(NUMBER).await;
    let hello = InboundSpec::text("1001", "Hello");
    sandbox
        .meta()
        .customer_writes(NUMBER, hello)
        .expect("a message");
    for _ in 0..2 {
        block(&fixture, thread).await;
    }
    assert_eq!(
        fixture.count("jobs").await,
        1,
        "blocking twice changes nothing"
    );
    work(&fixture).await;
    assert_eq!(blocked(&sandbox), [NUMBER]);
    unblock(&fixture, thread).await;
    work(&fixture).await;
    assert!(blocked(&sandbox).is_empty());
    assert_eq!(fixture.count("jobs where state <> 'done'").await, 0);
    assert_eq!(
        fixture
            .count("outbox where event_type like '%ContactChanged'")
            .await,
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_contact_is_blocked_here_and_whatsapp_is_not_asked() {
    let (fixture, sandbox) = world().await;
    let thread = fixture.conversation(NUMBER).await;
    fixture.hand.advance(Duration::from_hours(25));
    block(&fixture, thread).await;
    work(&fixture).await;
    assert!(blocked(&sandbox).is_empty());
    let refused = send(&fixture, thread).await.expect_err("blocked");
    assert_eq!(
        errors::Classify::code(&refused).id,
        "messaging.contact_blocked"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_ends_the_job_and_a_failure_is_tried_again() {
    let (fixture, sandbox) = world().await;
    let thread = fixture.conversation(NUMBER).await;
    // WhatsApp does not know that the customer wrote.
    block(&fixture, thread).await;
    work(&fixture).await;
    assert_eq!(fixture.count("jobs where state = 'failed'").await, 1);
    let busy = serde_json::json!({"kind": "graph_error", "call": "block_users", "code": 4});
    let busy = serde_json::from_value(busy).expect("a failure");
    sandbox.meta().script(busy);
    unblock(&fixture, thread).await;
    work(&fixture).await;
    assert_eq!(
        fixture
            .count("jobs where state = 'waiting' and due_at > created_at")
            .await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_to_a_blocked_contact_not_even_what_waited() {
    let fixture = Fixture::new().await;
    let thread = fixture.conversation(NUMBER).await;
    fixture.queue(thread, Duration::from_hours(1)).await;
    block(&fixture, thread).await;
    let refused = send(&fixture, thread).await.expect_err("blocked");
    assert_eq!(
        errors::Classify::code(&refused).id,
        "messaging.contact_blocked"
    );
    let lease = fixture.lease().await;
    let mut tx = fixture.tenant().await;
    let claimed = crate::store::queue::claim(tx.conn(), &lease, fixture.now(), 9).await;
    assert!(matches!(&claimed.expect("what is due")[..], [one] if one.blocked));
    drop(tx);
    unblock(&fixture, thread).await;
    send(&fixture, thread)
        .await
        .expect("it may be written to again");
}
