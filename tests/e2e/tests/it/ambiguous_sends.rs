//! When WhatsApp's answer is lost: no silent loss, no automatic double.

use serde_json::json;

use crate::world::{World, eventually};

async fn with_fault(kind: &str) -> (World, String) {
    let world = World::start().await;
    let conversation = world.conversation("hello").await;
    let fault = json!({ "kind": kind, "times": 1 });
    world
        .control
        .post("faults", &fault)
        .await
        .expect("the fault is scripted");
    (world, conversation)
}

/// The mark in a status settles what the lost answer could not tell.
async fn is_settled_by_its_status(kind: &str) {
    let (world, conversation) = with_fault(kind).await;
    let id = world.send_text(&conversation, "lost", "is it there?").await;
    world.reaches(&id, &["SENT", "DELIVERED", "READ"]).await;
    let next = world.send_text(&conversation, "next", "and the next").await;
    world.reaches(&next, &["SENT", "DELIVERED", "READ"]).await;
    assert_eq!(
        world.times_sent("is it there?"),
        1,
        "{kind}: never a double"
    );
    assert_eq!(world.times_sent("and the next"), 1);
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

#[tokio::test(flavor = "multi_thread")]
async fn a_send_nobody_can_tell_about_becomes_unconfirmed_and_is_not_repeated() {
    let (world, conversation) = with_fault("server_error_before_accept").await;
    let id = world.send_text(&conversation, "lost", "did it go?").await;
    let held = "select count(*) from messaging.send_queue where state = 'held'";
    eventually(async || (world.count(held).await == 1).then_some(())).await;
    let next = world
        .send_text(&conversation, "next", "waits behind it")
        .await;
    assert_eq!(
        world.message(&next).await["status"],
        "MESSAGE_STATUS_QUEUED",
        "the conversation waits"
    );
    // Twenty minutes pass without a status.
    let mut admin = world.db.admin().await;
    for statement in [
        "update messaging.attempts set started_at = started_at - interval '20 minutes'",
        "update messaging.jobs set due_at = due_at - interval '20 minutes'",
    ] {
        sqlx::query(statement)
            .execute(&mut admin)
            .await
            .expect("time passes");
    }
    world.reaches(&id, &["UNCONFIRMED"]).await;
    world.reaches(&next, &["SENT", "DELIVERED", "READ"]).await;
    assert_eq!(
        world.times_sent("did it go?"),
        0,
        "it was not sent again by itself"
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_status_turns_unconfirmed_into_what_it_is() {
    let (world, conversation) = with_fault("server_error_after_accept").await;
    let quiet = json!({ "kind": "delayed_statuses", "times": 1, "delay_ms": 6_000 });
    world
        .control
        .post("faults", &quiet)
        .await
        .expect("statuses are late");
    let id = world.send_text(&conversation, "late", "late news").await;
    let held = "select count(*) from messaging.send_queue where state = 'held'";
    eventually(async || (world.count(held).await == 1).then_some(())).await;
    let mut admin = world.db.admin().await;
    for statement in [
        "update messaging.attempts set started_at = started_at - interval '20 minutes'",
        "update messaging.jobs set due_at = due_at - interval '20 minutes'",
    ] {
        sqlx::query(statement)
            .execute(&mut admin)
            .await
            .expect("time passes");
    }
    world.reaches(&id, &["UNCONFIRMED"]).await;
    world.reaches(&id, &["SENT", "DELIVERED", "READ"]).await;
    assert_eq!(world.times_sent("late news"), 1);
    world.stop().await;
}
