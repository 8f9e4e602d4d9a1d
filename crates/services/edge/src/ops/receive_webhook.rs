//! A delivery that arrived: verified, handed to a writer, and answered when it is durable.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use clock::Clock;
use db::outbox;
use resend::webhook::SigningSecrets;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};
use whatsapp::signature::SignatureError;

use crate::{
    domain::{apps::App, webhook::Webhook},
    events::publish,
    store::webhooks::Receipt,
};

/// Hashing more than this takes milliseconds, during which other requests would wait for the thread.
pub(crate) const LARGE_BODY: usize = 256 * 1024;

/// Where requests meet the writers. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Intake {
    clock: Clock,
    queue: mpsc::Sender<Waiting>,
    under_way: TaskTracker,
    answer_timeout: Duration,
}

/// A webhook whose sender waits for the answer. When the sender goes away, or waits no longer, it is not stored.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) receipt: Receipt,
    pub(crate) event: outbox::Event,
    /// Given up without a word when it could not be stored.
    pub(crate) answer: oneshot::Sender<Stored>,
    /// Its share of the memory for bodies.
    pub(crate) room: Option<OwnedSemaphorePermit>,
}

/// How a webhook came to be durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    /// Now.
    New,
    /// By an earlier delivery of the same.
    Before,
}

/// Why a webhook does not count as stored, although it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotStored {
    #[error("too many requests wait to be stored")]
    QueueFull,
    #[error("the transaction failed")]
    Failed,
    /// It came after the last request that a stopping service waited for.
    #[error("the service stops")]
    Stopping,
    #[error("storing took too long")]
    TooSlow,
}

impl Intake {
    /// Also gives the end from which writers take.
    pub(crate) fn new(
        clock: Clock,
        capacity: usize,
        answer_timeout: Duration,
    ) -> (Self, mpsc::Receiver<Waiting>) {
        let (queue, writers) = mpsc::channel(capacity);
        let intake = Self {
            clock,
            queue,
            under_way: TaskTracker::new(),
            answer_timeout,
        };
        (intake, writers)
    }

    /// Held as long as a request is under way: writers do not end before.
    pub(crate) fn begin(&self) -> TaskTrackerToken {
        self.under_way.token()
    }

    /// The requests under way.
    pub(crate) fn under_way(&self) -> &TaskTracker {
        &self.under_way
    }

    /// Takes a body as a webhook of `app` if Meta signed it.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub(crate) async fn verify(
        &self,
        app: &Arc<App>,
        signature: &[u8],
        body: Bytes,
    ) -> Result<Webhook, SignatureError> {
        let now = self.clock.now();
        let verify = move |app: &App, signature: &[u8], body: Bytes| {
            app.verify(signature, &body, now)?;
            Ok(Webhook::whatsapp(app.name(), body, now))
        };
        if body.len() < LARGE_BODY {
            return verify(app, signature, body);
        }
        let (app, signature) = (Arc::clone(app), signature.to_vec());
        tokio::task::spawn_blocking(move || verify(&app, &signature, body))
            .await
            // It panicked or the process ends: nothing was proved.
            .unwrap_or(Err(SignatureError::Mismatch))
    }

    /// Takes a body as a webhook of Resend's if Resend signed it a moment ago. Its bodies are small: see
    /// [`LARGE_BODY`].
    ///
    /// # Errors
    /// [`resend::webhook::SignatureError`].
    pub(crate) fn verify_resend(
        &self,
        secrets: &SigningSecrets,
        headers: resend::webhook::Headers<'_>,
        body: Bytes,
    ) -> Result<Webhook, resend::webhook::SignatureError> {
        let now = self.clock.now();
        let delivery_id = secrets.verify(headers, &body, now)?;
        Ok(Webhook::resend(delivery_id, body, now))
    }

    /// Waits until a webhook is durable.
    ///
    /// # Errors
    /// [`NotStored`]; the sender must repeat it.
    pub(crate) async fn store(
        &self,
        webhook: Webhook,
        room: Option<OwnedSemaphorePermit>,
    ) -> Result<Stored, NotStored> {
        let (origin, received_at) = (webhook.origin.clone(), webhook.received_at);
        let size_bytes = i32::try_from(webhook.body.len()).unwrap_or(i32::MAX);
        let event = publish::received(webhook);
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting {
            receipt: Receipt {
                origin,
                size_bytes,
                event_id: event.event_id,
                received_at,
            },
            event,
            answer,
            room,
        };
        self.queue.try_send(waiting).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotStored::QueueFull,
            mpsc::error::TrySendError::Closed(_) => NotStored::Stopping,
        })?;
        match tokio::time::timeout(self.answer_timeout, answered).await {
            Ok(Ok(stored)) => Ok(stored),
            Ok(Err(_)) => Err(NotStored::Failed),
            Err(_) => Err(NotStored::TooSlow),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_webhook_that_comes_after_the_last_writer_is_told_that_the_service_stops() {
        let clock = Clock::system();
        let (intake, mut queue) = Intake::new(clock.clone(), 4, Duration::from_secs(4));
        queue.close();
        let webhook = Webhook::whatsapp(&"default".into(), Bytes::from_static(b"{}"), clock.now());
        let stored = intake.store(webhook, None).await;
        assert_eq!(stored, Err(NotStored::Stopping));
    }
}
