//! Batches and merges that would wait for each other if they locked contacts in any order.

use std::time::Duration;

use ids::{MergeId, MessageId};
use testkit::eventually;

use super::*;
use crate::{
    events::intake::{
        apply,
        played::{sender, stops, writes},
        sort::Sorted,
    },
    fixture::Fixture,
    ops::contacts::merge_contacts::merge_contacts,
    store::{
        intake::keys,
        merges::{self, Order},
        queue, results,
    },
};

const PATIENCE: Duration = Duration::from_secs(20);

/// Contacts in the order of their ids, with their numbers.
async fn people<const N: usize>(fixture: &Fixture) -> [(ContactId, String); N] {
    let mut made = Vec::new();
    for index in 0..N {
        let phone = format!("49170{index}");
        made.push((fixture.contact(&phone).await, phone));
    }
    made.sort();
    made.try_into().expect("as many as were asked for")
}

async fn receive(fixture: &Fixture, sorted: Sorted) {
    let mut tx = fixture.system().await;
    apply::apply(&mut tx, sorted, fixture.now())
        .await
        .expect("nobody waits in a circle");
    tx.commit().await.expect("commit");
}

async fn merge(fixture: &Fixture, kept: ContactId, other: ContactId) {
    merge_contacts(&fixture.db, &fixture.scope(), kept, other, None)
        .await
        .expect("nobody waits in a circle");
}

async fn waits(fixture: &Fixture, count: i64) {
    eventually(PATIENCE, async || fixture.lock_waits().await >= count).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_set_a_preference_and_who_wrote_are_locked_in_one_order() {
    let fixture = Fixture::new().await;
    let [(first, first_phone), (second, second_phone)] = people(&fixture).await;
    let mut sorted = stops(&fixture, sender(&[("phone", &second_phone)]));
    let from = sender(&[("phone", &first_phone)]);
    sorted.messages = vec![writes(&fixture, from, "wamid.1", "Hello")];
    // Holds the batch between the two.
    let mut before = fixture.system().await;
    let key = (fixture.route, "wamid.1", MessageId::generate());
    keys::claim(before.conn(), &[key]).await.expect("a key");
    let ended = async {
        waits(&fixture, 1).await;
        let merging = merge(&fixture, first, second);
        let letting_go = async {
            eventually(PATIENCE, async || {
                let merges = fixture.count("contact_merges").await;
                merges > 0 || fixture.lock_waits().await > 1
            })
            .await;
            drop(before);
        };
        tokio::join!(merging, letting_go);
    };
    tokio::join!(receive(&fixture, sorted), ended);
    assert_eq!(fixture.count("messages where direction = 1").await, 1);
    let of_kept = format!("consents where contact_id = '{}'", first.as_uuid());
    assert_eq!(fixture.count(&of_kept).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_lets_its_contacts_go_when_it_must_begin_anew() {
    let fixture = Fixture::new().await;
    let [(kept, _), (held, held_phone), (merged, merged_phone)] = people(&fixture).await;
    let of = fixture.route.organization_id;
    let mut first = fixture.tenant().await;
    let pair = [kept.as_uuid(), merged.as_uuid()];
    merges::lock(first.conn(), &[of.as_uuid(); 2], &pair)
        .await
        .expect("locked");
    let order = Order {
        organization_id: of,
        id: MergeId::stamped(fixture.now()),
        kept,
        other: merged,
        reason: "manual",
        actor: "system:test",
        now: fixture.now(),
    };
    merges::merge(first.conn(), &order).await.expect("merged");
    let write = |phone: &str, wamid| writes(&fixture, sender(&[("phone", phone)]), wamid, "Hello");
    let sorted = Sorted {
        messages: vec![
            write(&held_phone, "wamid.1"),
            write(&merged_phone, "wamid.2"),
        ],
        ..Sorted::default()
    };
    // The batch has the second contact and waits for the last one, which leads to the first. Another merge is before it
    // there, and wants the second one then.
    let meeting = async {
        waits(&fixture, 1).await;
        let merging = merge(&fixture, kept, held);
        let committing = async {
            waits(&fixture, 2).await;
            first.commit().await.expect("commit");
        };
        tokio::join!(merging, committing);
    };
    tokio::join!(receive(&fixture, sorted), meeting);
    let of_kept = format!("messages where contact_id = '{}'", kept.as_uuid());
    assert_eq!(fixture.count(&of_kept).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_waits_for_results_of_what_waits_and_holds_nothing_they_need() {
    let fixture = Fixture::new().await;
    let (one, other) = (
        fixture.conversation("491701").await,
        fixture.conversation("491702").await,
    );
    let message = fixture.queue(other, Duration::from_hours(1)).await;
    let lease = fixture.lease().await;
    let attempt = fixture.begin(&lease, message).await;
    // A status takes the message, then its place in the queue.
    let mut status = fixture.system().await;
    sqlx::query("select from messaging.messages where id = $1 for no key update")
        .bind(message.as_uuid())
        .execute(status.conn())
        .await
        .expect("locked");
    let settling = async {
        waits(&fixture, 1).await;
        let of = [fixture.route.organization_id.as_uuid()];
        results::settle(status.conn(), &of, &[message.as_uuid()], fixture.now())
            .await
            .expect("nobody waits in a circle");
        status.commit().await.expect("commit");
    };
    tokio::join!(merge(&fixture, one.contact_id, other.contact_id), settling);
    let settled = format!(
        "attempts where id = '{}' and state = 'accepted'",
        attempt.as_uuid()
    );
    assert_eq!(fixture.count(&settled).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_waits_for_the_lane_that_claims() {
    let fixture = Fixture::new().await;
    let (one, other) = (
        fixture.conversation("491701").await,
        fixture.conversation("491702").await,
    );
    let message = fixture.queue(other, Duration::from_hours(1)).await;
    let lease = fixture.lease().await;
    let mut lane = fixture.tenant().await;
    let now = fixture.now();
    crate::store::lanes::renew(lane.conn(), &lease, now)
        .await
        .expect("renewed");
    queue::claim(lane.conn(), &lease, now, 1)
        .await
        .expect("claimed");
    let claiming = async {
        waits(&fixture, 1).await;
        let attempts = [(ids::AttemptId::stamped(now), message, 1)];
        queue::begin_attempts(lane.conn(), &lease, &attempts, now)
            .await
            .expect("nobody waits in a circle");
        lane.commit().await.expect("commit");
    };
    tokio::join!(merge(&fixture, one.contact_id, other.contact_id), claiming);
    let place = format!("send_queue where conversation_id = '{}'", one.id.as_uuid());
    assert_eq!(fixture.count(&place).await, 1);
}
