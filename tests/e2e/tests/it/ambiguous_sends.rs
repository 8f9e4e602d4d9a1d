//! When WhatsApp's answer is lost: no silent loss, no automatic double.

use std::time::Duration;

use serde_json::json;

use crate::{
    ledger, rows,
    world::{World, eventually},
};

/// When the job first looks after a send without an answer.
const FIRST_LOOK: Duration = Duration::from_secs(90);
/// Longer than it waits without proof.
const AGES: Duration = Duration::from_mins(20);

const HELD: &str = "select count(*) from messaging.send_queue where state = 'held'";

/// The mark in a status settles what the lost answer could not tell.
async fn is_settled_by_its_status(kind: &str) {
    let world = World::start().await;
    let conversation = world.conversation("hello").await;
    world.fault(kind, 1).await;
    let id = world.send_text(&conversation, "lost", "is it there?").await;
    world.is_sent(&id).await;
    let next = world.send_text(&conversation, "next", "and the next").await;
    world.is_sent(&next).await;
    let taken = ledger::taken(world.sandbox());
    let taken: Vec<_> = taken
        .iter()
        .map(|taken| (taken.text.as_str(), taken.answer))
        .collect();
    assert_eq!(
        taken,
        [("is it there?", kind), ("and the next", "returned")],
        "the answer was lost, and never a double"
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_500_after_accept_is_settled_by_its_status() {
    is_settled_by_its_status("server_error_after_accept").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_after_accept_is_settled_by_its_status() {
    is_settled_by_its_status("reset_after_accept").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_cut_in_the_middle_is_settled_by_its_status() {
    is_settled_by_its_status("reset_mid_response").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_garbage_answer_is_settled_by_its_status() {
    is_settled_by_its_status("garbage_body").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_after_accept_is_settled_by_its_status() {
    is_settled_by_its_status("timeout_after_accept").await;
}

/// A send of "did it go?" in a new conversation, of which nobody can tell whether it went.
async fn lost(world: &World) -> (String, String) {
    let conversation = world.conversation("hello").await;
    world.fault("server_error_before_accept", 1).await;
    let id = world.send_text(&conversation, "lost", "did it go?").await;
    eventually(async || world.count(HELD).await == 1).await;
    (conversation, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_nobody_can_tell_about_becomes_unconfirmed_and_is_not_repeated() {
    let world = World::start().await;
    let (conversation, id) = lost(&world).await;
    let next = world
        .send_text(&conversation, "next", "waits behind it")
        .await;
    rows::time_passes(&world.db, FIRST_LOOK).await;
    // No status at all has come, which may be the fault of the webhooks.
    let looked = "select count(*) from messaging.jobs where kind = 'messaging.reconcile_attempt'
                  and state = 'waiting' and attempts = 1";
    eventually(async || world.count(looked).await == 1).await;
    assert_eq!(world.count(HELD).await, 1, "it is still waited for");
    assert_eq!(
        world.message(&next).await["status"],
        "MESSAGE_STATUS_QUEUED",
        "the conversation waits"
    );
    rows::time_passes(&world.db, AGES).await;
    world.reaches(&id, &["UNCONFIRMED"]).await;
    world.is_sent(&next).await;
    assert_eq!(
        world.times_sent("did it go?"),
        0,
        "it was not sent again by itself"
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_of_later_messages_end_the_wait_at_the_first_look() {
    let world = World::start().await;
    let (_, id) = lost(&world).await;
    let other = world.conversation_with("4915187654321", "me too").await;
    let later = world.send_text(&other, "later", "has statuses").await;
    world.is_sent(&later).await;
    assert_eq!(world.count(HELD).await, 1, "nobody has looked yet");
    rows::time_passes(&world.db, FIRST_LOOK).await;
    world.reaches(&id, &["UNCONFIRMED"]).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_status_turns_unconfirmed_into_what_it_is() {
    let world = World::start().await;
    let conversation = world.conversation("hello").await;
    world.fault("server_error_after_accept", 1).await;
    world.fault("dropped_statuses", 1).await;
    let id = world.send_text(&conversation, "late", "late news").await;
    eventually(async || world.count(HELD).await == 1).await;
    rows::time_passes(&world.db, AGES).await;
    world.reaches(&id, &["UNCONFIRMED"]).await;
    let wamid = ledger::taken(world.sandbox()).remove(0).wamid;
    let status = json!({ "wamid": wamid, "status": "delivered" });
    world
        .control
        .post("statuses", &status)
        .await
        .expect("it comes at last");
    world.reaches(&id, &["DELIVERED"]).await;
    assert_eq!(world.times_sent("late news"), 1);
    world.stop().await;
}
