//! Delivering webhooks: batches out, retries back into the queue.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{StatusCode, header};
use rand::Rng;
use tokio::time::Instant;

use super::{
    Event,
    payload::{body_of, items_of},
    queue::{Batch, Slot, Work},
    signature::sign,
};
use crate::meta::{
    Meta,
    ledger::{Delivery, Outcome},
    registry::App,
    settings::WebhookSettings,
};

/// Serves the lane of `app` until it is stopped.
pub(in crate::meta) async fn run(meta: Meta, app: Arc<App>) {
    let lane = &app.lane;
    loop {
        let settings = meta.settings().webhooks.clone();
        let most = settings.max_batch.max(1).saturating_mul(16);
        let due = lane.take_due(meta.clock().now(), most);
        if due.is_empty() {
            let next = lane.next_due();
            let due_again = async {
                match next {
                    Some(at) => meta.clock().sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = lane.stop.cancelled() => return,
                () = lane.arrived.notified() => {}
                () = due_again => {}
            }
            continue;
        }
        for (batch, works) in batches(&meta, &app, due, &settings) {
            let slot = loop {
                if let Some(slot) = lane.try_slot(settings.max_in_flight, works) {
                    break slot;
                }
                tokio::select! {
                    biased;
                    () = lane.stop.cancelled() => return,
                    () = lane.slot_freed.notified() => {}
                }
            };
            let (meta, app) = (meta.clone(), Arc::clone(&app));
            let tasks = meta.tasks().clone();
            tasks.spawn(deliver(meta, app, batch, slot));
        }
    }
}

/// Groups events by where they go, in bundles of at most `max_batch`. With each batch comes the
/// number of queued works it stands for.
fn batches(
    meta: &Meta,
    app: &App,
    due: Vec<Work>,
    settings: &WebhookSettings,
) -> Vec<(Batch, usize)> {
    let mut ready = Vec::new();
    let mut bundles: Vec<(reqwest::Url, Vec<Event>)> = Vec::new();
    let mut lost = 0;
    for work in due {
        match work {
            Work::Retry(batch) => ready.push((batch, 1)),
            Work::Event(event) => match meta.callback_for(app, &event) {
                None => lost += 1,
                Some(url) => match bundles.iter_mut().find(|(known, _)| *known == url) {
                    Some((_, events)) => events.push(event),
                    None => bundles.push((url, vec![event])),
                },
            },
        }
    }
    if lost > 0 {
        meta.ledger().count(|counters| {
            counters.events_without_callback += u64::try_from(lost).unwrap_or(0);
        });
        app.lane.close(lost);
    }
    for (url, events) in bundles {
        let (raw, events): (Vec<_>, Vec<_>) = events
            .into_iter()
            .partition(|event| matches!(event, Event::Raw(_)));
        for event in raw {
            ready.push((assemble(meta, app, &url, &[event]), 1));
        }
        for bundle in events.chunks(settings.max_batch.max(1)) {
            ready.push((assemble(meta, app, &url, bundle), bundle.len()));
        }
    }
    ready
}

fn assemble(meta: &Meta, app: &App, url: &reqwest::Url, events: &[Event]) -> Batch {
    let now = meta.clock().now();
    for event in events {
        if let Event::Status(status) = event {
            meta.ledger()
                .emitted(&status.wamid, status.status, &app.id, now);
        }
    }
    let body = match events {
        [Event::Raw(body)] => body.clone(),
        _ => Bytes::from(body_of(events, now.timestamp())),
    };
    Batch {
        id: meta.next_delivery(),
        attempt: 1,
        url: url.clone(),
        signature: sign(&app.secret, &body),
        body,
        items: items_of(events).into(),
    }
}

async fn deliver(meta: Meta, app: Arc<App>, batch: Batch, slot: Slot) {
    let settings = meta.settings().webhooks.clone();
    let at = meta.clock().now();
    let started = Instant::now();
    let result = tokio::select! {
        biased;
        () = app.lane.stop.cancelled() => return,
        result = post(&meta, &batch, &settings) => result,
    };
    let (outcome, http_status, error) = match result {
        Ok(StatusCode::OK) => (Outcome::Acknowledged, Some(StatusCode::OK), None),
        Ok(status) => (Outcome::Refused, Some(status), None),
        Err(error) if error.is_timeout() => (Outcome::TimedOut, None, Some(error)),
        Err(error) => (Outcome::Unreachable, None, Some(error)),
    };
    let failed = outcome != Outcome::Acknowledged;
    let last = !failed || batch.attempt >= settings.max_attempts;
    // Before the slot is given back and the retry queued: nobody must find nothing pending while
    // the result isn't in the ledger yet.
    meta.ledger().delivered(Delivery {
        seq: 0,
        at,
        delivery: batch.id,
        attempt: batch.attempt,
        app_id: app.id.clone(),
        url: batch.url.to_string(),
        items: batch.items.to_vec(),
        bytes: batch.body.len(),
        outcome,
        http_status: http_status.map(|status| status.as_u16()),
        error: error.map(|error| error.without_url().to_string()),
        duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        last,
    });
    if !last {
        let wait = back_off(&meta, &settings, batch.attempt);
        let due_at = meta.later(wait);
        let attempt = batch.attempt + 1;
        app.lane.retry(Batch { attempt, ..batch }, due_at);
    }
    drop(slot);
}

async fn post(
    meta: &Meta,
    batch: &Batch,
    settings: &WebhookSettings,
) -> Result<StatusCode, reqwest::Error> {
    let response = meta
        .client()
        .post(batch.url.clone())
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-hub-signature-256", &batch.signature)
        .timeout(Duration::from_millis(settings.timeout_ms))
        .body(batch.body.clone())
        .send()
        .await?;
    let status = response.status();
    // Read to the end, or the connection can't be used again.
    response.bytes().await?;
    Ok(status)
}

/// Doubles each time up to the limit, and varies by a quarter so that retries don't march in step.
fn back_off(meta: &Meta, settings: &WebhookSettings, attempt: u32) -> Duration {
    let factor = 1_u64
        .checked_shl(attempt.saturating_sub(1))
        .unwrap_or(u64::MAX);
    let wait = settings
        .retry_first_ms
        .saturating_mul(factor)
        .min(settings.retry_max_ms);
    let spread = wait / 4;
    let jitter = meta.rng().with(|rng| rng.random_range(0..=spread));
    Duration::from_millis(wait - spread / 2 + jitter)
}
