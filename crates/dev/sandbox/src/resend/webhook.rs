//! Webhooks on their way: one event to one endpoint at a time, signed as Svix signs, repeated as Svix repeats.

mod signature;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use http::{StatusCode, header};
use rand::Rng;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    Resend,
    fate::{EmailEvent, Planned},
    ledger::{Delivery, Mail},
    team::{Endpoint, Team},
};
use crate::callback::Outcome;
pub use signature::sign;
pub(super) use signature::{SigningKey, signatures};

/// An event to come, or a delivery waiting or under way. Counts until it is dropped.
#[derive(Debug)]
struct Pending(Arc<AtomicUsize>);

impl Pending {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(count))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// One delivery to one endpoint, the same byte for byte at each attempt.
struct Parcel {
    endpoint: Arc<Endpoint>,
    svix_id: String,
    event: EmailEvent,
    email_id: Arc<str>,
    body: Bytes,
}

impl Resend {
    /// Lets the planned events happen, each at its time.
    pub(super) fn tell(&self, team: &Arc<Team>, mail: &Mail, planned: Vec<Planned>) {
        for event in planned {
            let pending = Pending::new(&self.0.pending);
            let (resend, team, mail) = (self.clone(), Arc::clone(team), mail.clone());
            let due_at = clock::later(mail.accepted_at, event.after);
            let stop = self.epoch();
            self.0.tasks.spawn(async move {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => {}
                    () = resend.clock().sleep_until(due_at) => resend.emit(&team, &mail, &event, &stop),
                }
                drop(pending);
            });
        }
    }

    fn emit(&self, team: &Team, mail: &Mail, planned: &Planned, stop: &CancellationToken) {
        let now = self.clock().now();
        self.ledger().emitted(&mail.id, planned.event, now);
        let word = format!("email.{}", planned.event.as_str());
        let body = Bytes::from(body(&word, mail, planned, now).to_string());
        for endpoint in team
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.wants(&word))
        {
            let id: [u8; 20] = self.rng().with(Rng::random);
            let svix_id = format!("msg_{}", URL_SAFE_NO_PAD.encode(id));
            for _ in 0..planned.copies {
                let parcel = Parcel {
                    endpoint: Arc::clone(endpoint),
                    svix_id: svix_id.clone(),
                    event: planned.event,
                    email_id: Arc::clone(&mail.id),
                    body: body.clone(),
                };
                let pending = Pending::new(&self.0.pending);
                let (resend, stop) = (self.clone(), stop.clone());
                self.0.tasks.spawn(async move {
                    tokio::select! {
                        biased;
                        () = stop.cancelled() => {}
                        () = resend.deliver(&parcel) => {}
                    }
                    drop(pending);
                });
            }
        }
    }

    /// Delivers until it is acknowledged or there are no attempts left.
    async fn deliver(&self, parcel: &Parcel) {
        for attempt in 1_usize.. {
            let settings = self.settings().webhooks.clone();
            let at = self.clock().now();
            let result = self.post(parcel, at, settings.timeout_ms).await;
            let (outcome, http_status, error) = match result {
                Ok(status) if status.is_success() => (Outcome::Acknowledged, Some(status), None),
                Ok(status) => (Outcome::Refused, Some(status), None),
                Err(error) if error.is_timeout() => (Outcome::TimedOut, None, Some(error)),
                Err(error) => (Outcome::Unreachable, None, Some(error)),
            };
            let wait = settings.retry_ms.get(attempt - 1).copied();
            let wait = wait.filter(|_| outcome != Outcome::Acknowledged);
            self.ledger().delivered(Delivery {
                seq: 0,
                at,
                svix_id: parcel.svix_id.clone(),
                attempt,
                url: parcel.endpoint.url.to_string(),
                event: parcel.event,
                email_id: Arc::clone(&parcel.email_id),
                outcome,
                http_status: http_status.map(|status| status.as_u16()),
                error: error.map(|error| error.without_url().to_string()),
                last: wait.is_none(),
            });
            let Some(wait) = wait else { return };
            self.clock().sleep(Duration::from_millis(wait)).await;
        }
    }

    async fn post(
        &self,
        parcel: &Parcel,
        at: DateTime<Utc>,
        timeout_ms: u64,
    ) -> Result<StatusCode, reqwest::Error> {
        let (id, keys) = (&parcel.svix_id, &parcel.endpoint.keys);
        let response = self
            .0
            .client
            .post(parcel.endpoint.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header("svix-id", id)
            .header("svix-timestamp", at.timestamp())
            .header("svix-signature", signatures(keys, id, at, &parcel.body))
            .timeout(Duration::from_millis(timeout_ms))
            .body(parcel.body.clone())
            .send()
            .await?;
        let status = response.status();
        // Read to the end, or the connection can't be used again.
        response.bytes().await?;
        Ok(status)
    }
}

fn body(word: &str, mail: &Mail, planned: &Planned, now: DateTime<Utc>) -> Value {
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let mut data = json!({
        "email_id": mail.id,
        "created_at": time(mail.accepted_at),
        "from": mail.from,
        "to": planned.to,
        "subject": mail.subject,
    });
    if !mail.tags.is_empty() {
        data["tags"] = json!(mail.tags);
    }
    if let Some((key, value)) = &planned.extra {
        data[*key] = value.clone();
    }
    json!({"type": word, "created_at": time(now), "data": data})
}
