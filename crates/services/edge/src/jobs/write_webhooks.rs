//! Grouped commits: requests that arrive while one transaction is being written share the next one.

use std::{sync::Arc, time::Duration};

use db::{Db, outbox};
use tokio::{
    sync::{Mutex, OwnedSemaphorePermit, mpsc, oneshot},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    metrics::Metrics,
    ops::{
        receive_webhook::{Stored, Waiting},
        store_webhooks::store_webhooks,
    },
    store::webhooks::Receipt,
};

/// Nothing more is added to a transaction of this size.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Stores what requests hand over. Clones share the queue.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    pub(crate) db: Db,
    pub(crate) queue: Arc<Mutex<mpsc::Receiver<Waiting>>>,
    pub(crate) under_way: TaskTracker,
    pub(crate) metrics: Metrics,
    pub(crate) batch_max: usize,
    /// Nobody waits longer.
    pub(crate) timeout: Duration,
}

/// What goes into one transaction.
#[derive(Debug, Default)]
struct Batch {
    receipts: Vec<Receipt>,
    events: Vec<outbox::Event>,
    answers: Vec<oneshot::Sender<Stored>>,
    rooms: Vec<OwnedSemaphorePermit>,
    bytes: usize,
}

impl Batch {
    fn add(&mut self, waiting: Waiting) {
        if waiting.answer.is_closed() {
            return;
        }
        self.bytes += waiting.event.payload.len();
        self.receipts.push(waiting.receipt);
        self.events.push(waiting.event);
        self.answers.push(waiting.answer);
        self.rooms.extend(waiting.room);
    }
}

impl Writer {
    /// Writes until the service stops and no request is under way any more. What comes after that is turned away.
    pub(crate) async fn run(self, stop: CancellationToken) {
        while let Some(batch) = self.next(&stop).await {
            self.write(batch).await;
        }
    }

    /// The next batch, as soon as there is a request for it. No lingering for company: under load the queue fills while
    /// a transaction is written.
    async fn next(&self, stop: &CancellationToken) -> Option<Batch> {
        let drained = async {
            stop.cancelled().await;
            self.under_way.close();
            self.under_way.wait().await;
        };
        let mut queue = self.queue.lock().await;
        let mut next = tokio::select! {
            biased;
            first = queue.recv() => first,
            () = drained => {
                // Whatever came in at the last moment is still written.
                queue.close();
                queue.recv().await
            }
        };
        next.as_ref()?;
        let mut batch = Batch::default();
        while let Some(waiting) = next {
            batch.add(waiting);
            let has_place = batch.answers.len() < self.batch_max && batch.bytes < BATCH_BYTES;
            next = if has_place {
                queue.try_recv().ok()
            } else {
                None
            };
        }
        Some(batch)
    }

    async fn write(&self, batch: Batch) {
        let Batch {
            receipts,
            events,
            answers,
            rooms,
            ..
        } = batch;
        if receipts.is_empty() {
            return;
        }
        let started = Instant::now();
        let storing = store_webhooks(&self.db, &receipts, events);
        let stored = tokio::time::timeout(self.timeout, storing).await;
        drop(rooms);
        self.metrics.batch(receipts.len(), started.elapsed());
        let new = match stored {
            Ok(Ok(new)) => new,
            Ok(Err(error)) => return not_stored(receipts.len(), &errors::chain(&error)),
            Err(_) => return not_stored(receipts.len(), "no answer from the database"),
        };
        for (receipt, answer) in receipts.iter().zip(answers) {
            let stored = if new.contains(&receipt.event_id) {
                Stored::New
            } else {
                Stored::Before
            };
            // An error: the sender has just gone, and will come again.
            let _gone = answer.send(stored);
        }
    }
}

/// Their answers are dropped, which tells the requests.
fn not_stored(count: usize, error: &str) {
    tracing::warn!(
        count,
        error,
        "webhooks could not be stored; their senders are told to come again"
    );
}

/// Cancels `written` when the service stops and none of `writing` runs any more.
pub(crate) async fn ended(
    writing: TaskTracker,
    stop: CancellationToken,
    written: CancellationToken,
) {
    stop.cancelled().await;
    writing.close();
    writing.wait().await;
    written.cancel();
}
