//! The main job end to end, with timings.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::{Stream, StreamExt};
use serde_json::{Value, json};

use crate::{
    api::{Api, Event},
    whatsapp::{Control, Number},
};

/// Nothing takes this long.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the demonstration needs of a running platform.
#[derive(Debug)]
pub struct Stage<'a> {
    /// The agent.
    pub api: &'a Api,
    /// The sandbox.
    pub control: &'a Control,
    /// The connected number.
    pub number: &'a Number,
    /// Its channel.
    pub channel_id: &'a str,
}

/// A step and how long it took.
#[derive(Debug, Clone)]
pub struct Step {
    /// What happened.
    pub what: &'static str,
    /// From the step's beginning.
    pub took: Duration,
}

/// Plays it: a customer writes, the inbox shows it, an agent answers, the answer is delivered and
/// read, and the agent's open stream sees all of it.
pub async fn play(stage: &Stage<'_>, customer: &str) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    let mut events = stage
        .api
        .events(None)
        .await
        .context("open the event stream")?;
    expect(&mut events, "the first heartbeat", |event| {
        event.kind == "heartbeat"
    })
    .await?;

    let started = Instant::now();
    let text = "Hello! Is my order on its way?";
    let wamid = stage
        .control
        .customer_writes(customer, stage.number, text)
        .await?;
    accepted(stage, &wamid).await?;
    steps.push(step("webhook accepted (signed, durable, 200)", started));

    let received = expect(&mut events, "the customer's message", |event| {
        event.kind == "message.received"
            && event.data["messageReceived"]["channelId"] == stage.channel_id
    })
    .await?;
    steps.push(step("message seen on the open stream (SSE)", started));
    let conversation = received.data["messageReceived"]["conversationId"]
        .as_str()
        .context("a conversation")?
        .to_owned();
    let shown = stage
        .api
        .get(&format!("/v1/conversations/{conversation}"))
        .await?;
    anyhow::ensure!(shown["preview"] == text, "the inbox shows the message");
    steps.push(step("conversation visible in the inbox", started));

    let answered = Instant::now();
    let reply = reply(stage, &conversation).await?;
    steps.push(step("reply stored and queued", answered));
    for (status, what) in [
        (
            "MESSAGE_STATUS_ACCEPTED",
            "reply sent: accepted by WhatsApp",
        ),
        ("MESSAGE_STATUS_DELIVERED", "reply delivered"),
        ("MESSAGE_STATUS_READ", "reply read"),
    ] {
        expect(&mut events, what, |event| is_status(event, &reply, status)).await?;
        steps.push(step(what, answered));
    }
    Ok(steps)
}

/// The sandbox's ledger has the answer of our edge to the delivery.
async fn accepted(stage: &Stage<'_>, wamid: &str) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = stage
            .control
            .get(&format!(
                "ledger/deliveries?wamid={wamid}&outcome=acknowledged"
            ))
            .await?;
        if found["data"]
            .as_array()
            .is_some_and(|deliveries| !deliveries.is_empty())
        {
            return Ok(());
        }
        anyhow::ensure!(
            Instant::now() < deadline,
            "the webhook was not acknowledged"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn reply(stage: &Stage<'_>, conversation: &str) -> Result<String> {
    let path = format!("/v1/conversations/{conversation}/messages");
    let body = json!({ "content": { "text": { "body": "Yes! It arrives tomorrow." } } });
    let key = format!("demo-{}", ids::EventId::generate());
    let sent = stage.api.post(&path, &key, &body).await?;
    Ok(sent["id"].as_str().context("a message id")?.to_owned())
}

/// A later status implies the earlier ones, which may have been skipped.
fn is_status(event: &Event, message: &str, wanted: &str) -> bool {
    const ORDER: [&str; 4] = [
        "MESSAGE_STATUS_ACCEPTED",
        "MESSAGE_STATUS_SENT",
        "MESSAGE_STATUS_DELIVERED",
        "MESSAGE_STATUS_READ",
    ];
    let rank = |status: &str| ORDER.iter().position(|known| *known == status);
    let changed: &Value = &event.data["messageStatusChanged"];
    changed["messageId"] == message && changed["status"].as_str().and_then(rank) >= rank(wanted)
}

async fn expect(
    events: &mut (impl Stream<Item = Event> + Unpin),
    what: &str,
    fits: impl Fn(&Event) -> bool,
) -> Result<Event> {
    let wait = async {
        while let Some(event) = events.next().await {
            if fits(&event) {
                return Ok(event);
            }
        }
        anyhow::bail!("the stream ended before {what}")
    };
    tokio::time::timeout(PATIENCE, wait)
        .await
        .with_context(|| format!("{what} did not come"))?
}

fn step(what: &'static str, since: Instant) -> Step {
    Step {
        what,
        took: since.elapsed(),
    }
}
