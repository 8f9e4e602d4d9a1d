//! Snoozing and resolving, and what opens a conversation again.

use chrono::TimeDelta;
use proto::messaging::{
    events::v1::ConversationChanged,
    v1::{MessageContent, SendMessageRequest, Text},
};

use super::*;
use crate::jobs::{release_work, wake_snoozed};

#[tokio::test(flavor = "multi_thread")]
async fn a_snoozed_conversation_opens_at_its_time_and_not_before() {
    let desk = Desk::new().await;
    let me = desk.agent().await;
    let until = desk.fixture.now() + TimeDelta::hours(1);
    let snoozed = desk
        .set_status(me, ConversationStatus::Snoozed, Some(until))
        .await;
    let snoozed = snoozed.expect("snoozed");
    assert_eq!(snoozed.status(), ConversationStatus::Snoozed);
    assert_eq!(snoozed.snoozed_until, Some(until.into()));

    wake_snoozed::pass(&desk.fixture.db).await.expect("a pass");
    assert_eq!(desk.get(me).await.status(), ConversationStatus::Snoozed);
    desk.fixture
        .hand
        .advance(std::time::Duration::from_hours(1));
    wake_snoozed::pass(&desk.fixture.db).await.expect("a pass");
    let woken = desk.get(me).await;
    assert_eq!(woken.status(), ConversationStatus::Open);
    assert_eq!((woken.snoozed_until, woken.version), (None, 3));
    let (author, last) = desk.activities(me).await.pop().expect("a line");
    assert_eq!(
        (author.as_str(), last),
        ("system:snooze", line("status", "snoozed", "open"))
    );
    let told = desk.events::<ConversationChanged>().await;
    assert_eq!(told[1].status, "open");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_works_on_does_not_hold_up_the_others_that_are_due() {
    let desk = Desk::new().await;
    let me = desk.agent().await;
    let until = desk.fixture.now() + TimeDelta::hours(1);
    desk.set_status(me, ConversationStatus::Snoozed, Some(until))
        .await
        .expect("snoozed");
    let held = desk.fixture.conversation("4917012345679").await;
    sqlx::query(
        "update messaging.conversations set status = 'snoozed', snoozed_until = $1 where id = $2",
    )
    .bind(desk.fixture.now())
    .bind(held.id.as_uuid())
    .execute(&mut desk.fixture.admin().await)
    .await
    .expect("snoozed");
    let mut tx = desk.fixture.tenant().await;
    let of = desk.fixture.route.organization_id;
    crate::store::work::lock(tx.conn(), of, held.id)
        .await
        .expect("locked");
    desk.fixture
        .hand
        .advance(std::time::Duration::from_hours(1));
    wake_snoozed::pass(&desk.fixture.db).await.expect("a pass");
    assert_eq!(desk.get(me).await.status(), ConversationStatus::Open);
    assert_eq!(
        desk.fixture
            .count("conversations where status = 'snoozed'")
            .await,
        1
    );
    tx.commit().await.expect("commit");
    wake_snoozed::pass(&desk.fixture.db).await.expect("a pass");
    assert_eq!(
        desk.fixture
            .count("conversations where status = 'snoozed'")
            .await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snooze_has_an_end_and_nothing_else_has_one() {
    let desk = Desk::new().await;
    let me = desk.agent().await;
    let now = desk.fixture.now();
    for (status, until) in [
        (ConversationStatus::Snoozed, None),
        (ConversationStatus::Snoozed, Some(now)),
        (
            ConversationStatus::Snoozed,
            Some(now + TimeDelta::days(400)),
        ),
        (
            ConversationStatus::Resolved,
            Some(now + TimeDelta::hours(1)),
        ),
    ] {
        let refused = desk
            .set_status(me, status, until)
            .await
            .expect_err("refused");
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_message_wakes_and_reopens_the_one_conversation_there_is() {
    let desk = Desk::new().await;
    let me = desk.agent().await;
    let until = desk.fixture.now() + TimeDelta::hours(1);
    desk.set_status(me, ConversationStatus::Snoozed, Some(until))
        .await
        .expect("snoozed");
    desk.customer_writes(1).await;
    let woken = desk.get(me).await;
    assert_eq!(
        (woken.status(), woken.snoozed_until),
        (ConversationStatus::Open, None)
    );
    desk.set_status(me, ConversationStatus::Resolved, None)
        .await
        .expect("resolved");
    desk.customer_writes(2).await;
    assert_eq!(desk.get(me).await.status(), ConversationStatus::Open);
    assert_eq!(desk.fixture.count("conversations").await, 1);

    let lines: Vec<_> = desk
        .activities(me)
        .await
        .into_iter()
        .map(|(author, line)| (author, line.before, line.after))
        .collect();
    let by_whatsapp = |before: &str| {
        (
            "system:whatsapp".to_owned(),
            before.to_owned(),
            "open".to_owned(),
        )
    };
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[1], by_whatsapp("snoozed"));
    assert_eq!(lines[3], by_whatsapp("resolved"));
    let versions: Vec<_> = desk
        .events::<ConversationChanged>()
        .await
        .into_iter()
        .map(|event| event.version)
        .collect();
    assert_eq!(versions, [2, 3, 4, 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_conversation_stays_so_and_an_open_one_leaves_no_trace() {
    let desk = Desk::new().await;
    let me = desk.agent().await;
    desk.customer_writes(1).await;
    assert!(desk.activities(me).await.is_empty());
    desk.set_status(me, ConversationStatus::Pending, None)
        .await
        .expect("pending");
    desk.customer_writes(2).await;
    let still = desk.get(me).await;
    assert_eq!(
        (still.status(), still.unanswered_count),
        (ConversationStatus::Pending, 2)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_does_not_get_back_what_is_reopened() {
    let desk = Desk::new().await;
    let (me, left) = (desk.agent().await, desk.agent().await);
    let team = desk.team(&[left]).await;
    desk.assign(me, Some(left), Some(team))
        .await
        .expect("assigned");
    desk.set_status(me, ConversationStatus::Resolved, None)
        .await
        .expect("resolved");
    desk.tell(left, false).await;
    desk.tell_team(team, None).await;
    // Resolved, it still tells who had it.
    assert_eq!(desk.get(me).await.assignee_id, left.to_string());
    desk.customer_writes(1).await;
    let reopened = desk.get(me).await;
    assert_eq!(reopened.status(), ConversationStatus::Open);
    assert_eq!(
        (reopened.assignee_id, reopened.team_id),
        (String::new(), String::new())
    );
}

async fn answer(desk: &Desk, who: UserId, body: &str) {
    let text = Text {
        body: body.to_owned(),
        preview_url: false,
    };
    let request = SendMessageRequest {
        conversation_id: desk.thread.id.to_string(),
        content: Some(MessageContent {
            kind: Some(Kind::Text(text)),
        }),
        ..SendMessageRequest::default()
    };
    desk.messaging
        .send_message(desk.asks(who, request))
        .await
        .expect("sent");
}

/// WhatsApp tells whole seconds, we know parts of them: the customer's time looks earlier than ours.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_the_customer_within_the_second_of_ours_stands_below_it() {
    let desk = Desk::new().await;
    let me = desk.agent().await;
    let part = 1_800 - u64::from(desk.fixture.now().timestamp_subsec_millis());
    let part = std::time::Duration::from_millis(part);
    desk.fixture.hand.advance(part);
    answer(&desk, me, "It is on its way").await;
    desk.fixture
        .hand
        .advance(std::time::Duration::from_millis(100));
    desk.customer_writes(7).await;
    assert_eq!(desk.get(me).await.preview, "Hello?");
    let last = desk.stream(me).await.pop().expect("a message");
    assert_eq!(last.direction(), proto::messaging::v1::Direction::Inbound);
}

#[tokio::test(flavor = "multi_thread")]
async fn writing_into_a_resolved_conversation_opens_it() {
    let desk = Desk::new().await;
    let me = desk.agent().await;
    desk.set_status(me, ConversationStatus::Resolved, None)
        .await
        .expect("resolved");
    answer(&desk, me, "One more thing").await;
    assert_eq!(desk.get(me).await.status(), ConversationStatus::Open);
    let (author, last) = desk.activities(me).await.pop().expect("a line");
    assert_eq!(
        (author, last),
        (format!("user:{me}"), line("status", "resolved", "open"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_loses_what_is_not_resolved_and_follows_nothing() {
    let desk = Desk::new().await;
    let (me, left) = (desk.agent().await, desk.agent().await);
    let second = desk.fixture.conversation("4917012345679").await;
    desk.assign(me, Some(left), None).await.expect("assigned");
    let request = AddParticipantsRequest {
        conversation_id: second.id.to_string(),
        user_ids: vec![left.to_string()],
    };
    desk.inbox
        .add_participants(desk.asks(me, request))
        .await
        .expect("added");
    let of = desk.fixture.route.organization_id;
    let leave = async || {
        let job = release_work::job(of, release_work::Gone::Person(left), desk.fixture.now());
        let mut tx = desk.fixture.system().await;
        db::jobs::push(&mut tx, &[job]).await.expect("a job");
        tx.commit().await.expect("commit");
        while release_work::pass(&desk.fixture.db, "test")
            .await
            .expect("a pass")
        {}
    };
    // Back before the job began: nothing is taken away.
    leave().await;
    assert_eq!(desk.get(me).await.assignee_id, left.to_string());
    desk.tell(left, false).await;
    leave().await;
    assert!(desk.get(me).await.assignee_id.is_empty());
    assert_eq!(desk.fixture.count("conversation_participants").await, 0);
    let (author, last) = desk.activities(me).await.pop().expect("a line");
    assert_eq!(
        (author.as_str(), last),
        ("system:roster", line("assignee", &left.to_string(), ""))
    );
}
