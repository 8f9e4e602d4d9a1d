//! The process dies where a crash could lose or double something, and comes back. The sandbox's
//! ledger and the rows are the oracle: nothing lost, nothing doubled, nothing unexplained.
//!
//! The places are kill points (`kill::point!`), which abort the process: it dies at once and
//! cleans nothing up, as after SIGKILL. Death during a call to WhatsApp (K9) is a SIGKILL from here,
//! while the sandbox keeps the answer back.

use std::{ops::RangeInclusive, time::Duration};

use sandbox::meta::{Fault, FaultKind};
use serde_json::{Value, json};
use switchboard::{api::Api, whatsapp};

use crate::{
    ledger, rows,
    scene::{Scene, Victim},
    world::{CUSTOMER, PASSWORD, eventually, sign_up},
};

const EMAIL: &str = "owner@kills.example";
/// Occasions to die that pass before it dies: the first is not like those in the middle of work.
const PASSED: [u32; 2] = [0, 3];
/// A round is a question and an answer.
const ROUNDS: u32 = 5;
/// Longer than a message without answer and status waits.
const AGES: Duration = Duration::from_mins(20);

const INBOUND: &str = "select count(*) from messaging.messages where direction = 1";
const OUTBOUND: &str = "select count(*) from messaging.messages where direction = 2";
const UNFINISHED: &str = "select count(*) from messaging.send_queue";
const RECEIVED_EVENTS: &str =
    "select count(*) from messaging.outbox where event_type like '%.MessageReceived'";
const UNPUBLISHED: &str = "select count(*) from messaging.outbox where published_at is null";
const UNPUBLISHED_ANYWHERE: &str =
    "select (select count(*) from messaging.outbox where published_at is null)
     + (select count(*) from identity.outbox where published_at is null)
     + (select count(*) from edge.outbox where published_at is null)";
const DEAD: &str = "select count(*) from messaging.deferred_deliveries where state = 'dead'";
const UNCONFIRMED: i16 = 15;
const SENT_DELIVERED_READ_OR_PLAYED: [i16; 4] = [30, 40, 50, 60];

/// As many messages that were not sent, and of which nobody can know it. Of one conversation at most
/// one message is under way.
type Unconfirmed = RangeInclusive<usize>;
const NONE: Unconfirmed = 0..=0;
const ONE: Unconfirmed = 1..=1;
/// The death of one part may meet a lane just between its attempt and its call.
const PERHAPS_ONE: Unconfirmed = 0..=1;

/// The platform dies at `place`.
async fn survives(place: &str, unconfirmed: Unconfirmed) {
    for passed in PASSED {
        let life = Life::begin().await;
        let kill = format!("{place}={passed}*off->1*return");
        let victim = life.scene.start(&kill).await;
        life.goes_on(&victim).await;
        life.scene.dies(victim).await;
        life.ends(&unconfirmed).await;
    }
}

/// The platform dies while the sandbox keeps back the answer to a call.
async fn survives_during_a_call(faults: Vec<Fault>, unconfirmed: Unconfirmed) {
    let life = Life::begin().await;
    let victim = life.scene.start("").await;
    let meta = life.scene.sandbox.meta();
    for fault in faults {
        meta.script(fault);
    }
    life.goes_on(&victim).await;
    eventually(async || meta.faults().iter().any(|rule| rule.struck == 1)).await;
    life.scene.kill(victim).await;
    life.ends(&unconfirmed).await;
}

/// A conversation, around one crash.
struct Life {
    scene: Scene,
    number: whatsapp::Number,
    conversation: String,
}

impl Life {
    /// An organization is there, with a number and a customer who has written.
    async fn begin() -> Self {
        let scene = Scene::new().await;
        let first = scene.start("").await;
        let owner = sign_up(&first.gateway, EMAIL).await;
        let set_up = scene.control.set_up(&scene.callback_url()).await;
        let number = set_up.expect("a number");
        whatsapp::connect_channel(&owner, "connect", &number)
            .await
            .expect("connected");
        scene
            .control
            .customer_writes(CUSTOMER, &number, "the first")
            .await
            .expect("written");
        let conversation = eventually(async || {
            let list = owner.get("/v1/conversations").await.expect("the list");
            list["conversations"][0]["id"].as_str().map(str::to_owned)
        })
        .await;
        // What is left to tell would kill the next life before it has begun.
        eventually(async || rows::count(&scene.db, UNPUBLISHED_ANYWHERE).await == 0).await;
        scene.stop(first).await;
        Self {
            scene,
            number,
            conversation,
        }
    }

    /// The customer asks and the agent answers.
    async fn goes_on(&self, victim: &Victim) {
        // A login tells others of itself, so it may be what kills the victim.
        let owner = Api::log_in(&victim.gateway, EMAIL, PASSWORD).await;
        for n in 0..ROUNDS {
            let question = format!("question {n}");
            self.scene
                .control
                .customer_writes(CUSTOMER, &self.number, &question)
                .await
                .expect("written");
            // The victim may be dead by now; then the agent sees an error and sends again, with the
            // same key.
            if let Ok(owner) = &owner {
                let _lost = self.answer(owner, n).await;
            }
        }
    }

    async fn answer(&self, owner: &Api, n: u32) -> anyhow::Result<Value> {
        let body = json!({ "content": { "text": { "body": answer(n) } } });
        let path = format!("/v1/conversations/{}/messages", self.conversation);
        owner.post(&path, &format!("answer-{n}"), &body).await
    }

    /// The platform comes back, and everything is found in its place.
    async fn ends(self, unconfirmed: &Unconfirmed) {
        rows::leases_run_out(&self.scene.db).await;
        let last = self.scene.start("").await;
        let owner = log_in(&last).await;
        for n in 0..ROUNDS {
            self.answer(&owner, n)
                .await
                .expect("sent, or answered as before");
        }
        eventually(async || self.count(INBOUND).await == written()).await;
        eventually(async || {
            rows::time_passes(&self.scene.db, AGES).await;
            self.count(UNFINISHED).await == 0
        })
        .await;
        self.check_answers(unconfirmed).await;
        eventually(async || self.count(UNPUBLISHED).await == 0).await;
        assert_eq!(
            self.count(INBOUND).await,
            written(),
            "every question has exactly one row"
        );
        assert_eq!(
            self.count(RECEIVED_EVENTS).await,
            written(),
            "and exactly one event"
        );
        assert_eq!(self.count(DEAD).await, 0, "no dead letters");
        self.scene.stop(last).await;
        self.scene.end().await;
    }

    /// Every accepted request is one message; each was sent once, in order, and has a status of
    /// WhatsApp's, or was not sent and is called unconfirmed.
    async fn check_answers(&self, unconfirmed: &Unconfirmed) {
        assert_eq!(self.count(OUTBOUND).await, i64::from(ROUNDS));
        let (mut sent, mut not_sent) = (Vec::new(), Vec::new());
        for n in 0..ROUNDS {
            let text = answer(n);
            let times = eventually(async || {
                let times = self.times_taken(&text);
                assert!(times <= 1, "{text} was sent {times} times");
                let status = self.status(&text).await;
                let explained = match times {
                    0 => status == UNCONFIRMED,
                    _ => SENT_DELIVERED_READ_OR_PLAYED.contains(&status),
                };
                explained.then_some(times)
            })
            .await;
            if times == 1 { &mut sent } else { &mut not_sent }.push(text);
        }
        assert!(
            unconfirmed.contains(&not_sent.len()),
            "not sent: {not_sent:?}"
        );
        let taken = ledger::taken(&self.scene.sandbox).into_iter();
        let in_order: Vec<String> = taken.map(|taken| taken.text).collect();
        assert_eq!(in_order, sent, "the order of the conversation");
    }

    fn times_taken(&self, text: &str) -> usize {
        let taken = ledger::taken(&self.scene.sandbox).into_iter();
        taken.filter(|taken| taken.text == text).count()
    }

    async fn status(&self, text: &str) -> i16 {
        let mut admin = self.scene.db.admin().await;
        sqlx::query_scalar(
            "select status from messaging.messages where direction = 2 and content #>> '{text,body}' = $1",
        )
        .bind(text)
        .fetch_one(&mut admin)
        .await
        .expect("the answer's row")
    }

    async fn count(&self, query: &'static str) -> i64 {
        rows::count(&self.scene.db, query).await
    }
}

fn answer(n: u32) -> String {
    format!("answer {n}")
}

/// The questions, and what the customer wrote first.
fn written() -> i64 {
    i64::from(ROUNDS) + 1
}

async fn log_in(victim: &Victim) -> Api {
    Api::log_in(&victim.gateway, EMAIL, PASSWORD)
        .await
        .expect("log in")
}

/// K1: the message is queued, the agent does not know and sends again with the same key.
#[tokio::test(flavor = "multi_thread")]
async fn messaging_killed_after_queueing_a_message_and_before_its_answer() {
    survives("messaging.message-queued", PERHAPS_ONE).await;
}

/// K2: the relay has its batch, nothing is published.
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_killed_before_it_publishes() {
    survives("bus.claimed", PERHAPS_ONE).await;
}

/// K3: the events are on their way, no confirm was read.
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_killed_before_the_confirms() {
    survives("bus.published", PERHAPS_ONE).await;
}

/// K4: the events are confirmed and not marked, so they are published twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_killed_before_it_marks_what_was_confirmed() {
    survives("bus.confirmed", PERHAPS_ONE).await;
}

/// K5: the consumer has a delivery and did nothing yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_killed_with_a_delivery_in_hand() {
    survives("bus.received", PERHAPS_ONE).await;
}

/// K7, and K13 when the batch was statuses: everything is committed, its events are not published and
/// the deliveries not acknowledged, so they come again.
#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_killed_before_it_acknowledges() {
    survives("bus.settled", PERHAPS_ONE).await;
}

/// K14: the process was asked to stop and is finishing what it began.
#[tokio::test(flavor = "multi_thread")]
async fn the_platform_killed_while_it_stops() {
    let life = Life::begin().await;
    let victim = life.scene.start("host.draining=1*return").await;
    life.goes_on(&victim).await;
    life.scene.dies_when_stopped(victim).await;
    life.ends(&PERHAPS_ONE).await;
}

/// K12: the webhook is durable, the sender does not know.
#[tokio::test(flavor = "multi_thread")]
async fn the_edge_killed_after_its_commit_and_before_its_answer() {
    survives("edge.committed", PERHAPS_ONE).await;
}

/// W-11: nothing was promised yet.
#[tokio::test(flavor = "multi_thread")]
async fn the_edge_killed_before_its_commit() {
    survives("edge.before-commit", PERHAPS_ONE).await;
}

/// K6: the inbox is written, nothing is committed.
#[tokio::test(flavor = "multi_thread")]
async fn messaging_killed_in_the_middle_of_a_batch() {
    survives("messaging.inbox-claimed", PERHAPS_ONE).await;
}

/// K8: the attempt is written, no byte has left.
#[tokio::test(flavor = "multi_thread")]
async fn messaging_killed_between_the_attempt_and_the_call() {
    survives("messaging.attempts-written", ONE).await;
}

/// K9: the request is written and WhatsApp took the message, no answer was read.
#[tokio::test(flavor = "multi_thread")]
async fn messaging_killed_during_a_call_that_whatsapp_took() {
    // The statuses come when it is dead. Sooner, they would settle the message, and the next be sent.
    let late = Fault {
        delay_ms: Some(10_000),
        ..Fault::new(FaultKind::DelayedStatuses)
    };
    let faults = vec![Fault::new(FaultKind::TimeoutAfterAccept), late];
    survives_during_a_call(faults, NONE).await;
}

/// K9: the request is written and WhatsApp did not take it, no answer was read.
#[tokio::test(flavor = "multi_thread")]
async fn messaging_killed_during_a_call_that_whatsapp_did_not_take() {
    survives_during_a_call(vec![Fault::new(FaultKind::TimeoutBeforeAccept)], ONE).await;
}

/// K10: WhatsApp answered, the answer is not written.
#[tokio::test(flavor = "multi_thread")]
async fn messaging_killed_with_answers_in_hand() {
    survives("messaging.answers-read", NONE).await;
}

/// K11: the results are written.
#[tokio::test(flavor = "multi_thread")]
async fn messaging_killed_right_after_writing_results() {
    survives("messaging.results-written", NONE).await;
}
