use futures::FutureExt as _;
use testkit::eventually;
use tokio::sync::oneshot;

use super::*;
use crate::{domain::status::Status, fixture::Fixture};

const DAY: Duration = Duration::from_hours(24);

fn accepted(message_id: ids::MessageId, attempt_id: ids::AttemptId, wamid: &str) -> Done {
    Done {
        message_id,
        attempt_id,
        outcome: Outcome::Accepted {
            wamid: wamid.to_owned(),
        },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_lane_writes_an_answer_while_another_call_is_still_under_way() {
    let fixture = Fixture::new().await;
    let quick = fixture.conversation("491701").await;
    let slow = fixture.conversation("491702").await;
    let quick = fixture.queue(quick, DAY).await;
    let slow = fixture.queue(slow, DAY).await;
    let lease = fixture.lease().await;
    let quick_attempt = fixture.begin(&lease, quick).await;
    let slow_attempt = fixture.begin(&lease, slow).await;

    let mut lane = Lane::new(Arc::clone(&fixture.engine), lease, Arc::default());
    let (answer, answered) = oneshot::channel::<()>();
    lane.calls
        .spawn(async move { accepted(quick, quick_attempt, "wamid.1") });
    lane.calls.spawn(async move {
        answered.await.expect("an answer");
        accepted(slow, slow_attempt, "wamid.2")
    });
    let stop = CancellationToken::new();
    stop.cancel();
    let watching = async {
        eventually(Duration::from_secs(20), async || {
            fixture.message(quick).await.status == Status::Accepted
        })
        .await;
        assert_eq!(fixture.message(slow).await.status, Status::Sending);
        answer.send(()).expect("the call waits");
    };
    tokio::join!(lane.run(stop), watching);
    assert_eq!(fixture.message(slow).await.status, Status::Accepted);
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_messages_do_not_keep_a_reply_waiting() {
    let fixture = Fixture::new().await;
    for number in 0..60 {
        let thread = fixture.conversation(&format!("4918{number}")).await;
        fixture.queue(thread, Duration::from_secs(1)).await;
    }
    let reply = fixture.conversation("4915112345678").await;
    let reply = fixture.queue(reply, DAY).await;
    fixture.hand.advance(Duration::from_secs(2));

    let lease = fixture.lease().await;
    let mut lane = Lane::new(Arc::clone(&fixture.engine), lease, Arc::default());
    let stop = CancellationToken::new();
    let mut turns = 0;
    while lane.calls.is_empty() {
        assert_eq!(lane.turn().await.expect("a turn"), None);
        turns += 1;
        if lane.calls.is_empty() {
            let waited = lane.wait(&stop).now_or_never();
            assert!(waited.is_some(), "turn {turns} waits though more is due");
        }
    }
    assert!(turns > 1, "the first claim was full of expired messages");
    assert_eq!(fixture.message(reply).await.status, Status::Sending);
    assert_eq!(fixture.count("messages where status = 11").await, 60);
}
