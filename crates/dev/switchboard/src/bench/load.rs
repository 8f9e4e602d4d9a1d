//! The load generator: a thread of its own, and connections that send numbered requests.

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

use super::{
    figures::{Latencies, float},
    wire::Connection,
};

/// Its thread is found by this name when processor time is accounted for.
pub(super) const THREAD: &str = "bench-load";
/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The generator's thread. What it does is not done by the services' threads, so their queues do
/// not delay the load, and its processor time can be told from theirs.
pub(super) struct Generator(Option<Runtime>);

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator").finish_non_exhaustive()
    }
}

impl Generator {
    pub(super) fn start() -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name(THREAD)
            .enable_all()
            .build()
            .context("start the load generator")?;
        Ok(Self(Some(runtime)))
    }

    /// Does something on the generator's thread.
    pub(super) async fn run<F>(&self, work: F) -> Result<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let runtime = self.0.as_ref().context("the load generator runs")?;
        runtime.spawn(work).await.context("the load generator died")
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        // Dropping it would wait, which is not allowed inside another runtime.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Writes the request of a number.
pub(super) type Write = Arc<dyn Fn(u64, &mut Vec<u8>) + Send + Sync>;

/// What to send.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) address: SocketAddr,
    pub(super) connections: usize,
    /// Requests a second, each at its own time whatever happens to the others (an open loop). `None`:
    /// each connection sends the next request when it has its answer.
    pub(super) rate: Option<u32>,
    /// Requests, at most.
    pub(super) count: u64,
    /// Nothing is sent after this time.
    pub(super) lasts: Duration,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Outcome {
    /// When request 0 was due.
    pub(super) started: Instant,
    pub(super) took: Duration,
    /// Answered with 200.
    pub(super) done: u64,
    pub(super) failed: u64,
    pub(super) failure: Option<String>,
    /// From the time a request was due, not from when it could be sent: a stalled service delays
    /// everything that was due meanwhile, and all of that counts.
    pub(super) latencies: Latencies,
}

#[derive(Default)]
struct Tally {
    done: u64,
    failed: u64,
    failure: Option<String>,
    latencies: Latencies,
}

struct Run {
    plan: Plan,
    write: Write,
    started: Instant,
    next: AtomicU64,
}

/// Carries out the plan.
///
/// # Errors
/// When a connection can't be opened. Requests that fail later are counted.
pub(super) async fn send(plan: Plan, write: Write) -> Result<Outcome> {
    let mut connections = Vec::with_capacity(plan.connections);
    for _ in 0..plan.connections {
        let opened = timeout(PATIENCE, Connection::open(plan.address)).await;
        connections.push(
            opened
                .context("no connection in time")?
                .context("connect")?,
        );
    }
    let run = Arc::new(Run {
        plan,
        write,
        started: Instant::now(),
        next: AtomicU64::new(0),
    });
    let mut workers = JoinSet::new();
    for connection in connections {
        workers.spawn(Arc::clone(&run).work(connection));
    }
    let mut all = Tally::default();
    while let Some(tally) = workers.join_next().await {
        let tally = tally.context("a connection's task died")?;
        all.done += tally.done;
        all.failed += tally.failed;
        all.failure = all.failure.or(tally.failure);
        all.latencies.append(tally.latencies);
    }
    Ok(Outcome {
        started: run.started,
        took: run.started.elapsed(),
        done: all.done,
        failed: all.failed,
        failure: all.failure,
        latencies: all.latencies,
    })
}

impl Run {
    async fn work(self: Arc<Self>, mut connection: Connection) -> Tally {
        let mut tally = Tally::default();
        let mut request = Vec::with_capacity(4_096);
        while let Some((number, due)) = self.next() {
            if let Some(due) = due {
                sleep_until(due).await;
            }
            let due = due.unwrap_or_else(Instant::now);
            request.clear();
            (self.write)(number, &mut request);
            let result = match timeout(PATIENCE, connection.call(&request)).await {
                Ok(Ok(answer)) if answer.status == 200 => Ok(()),
                Ok(Ok(answer)) => {
                    let body = String::from_utf8_lossy(connection.body(&answer));
                    let body: String = body.chars().take(200).collect();
                    Err((format!("{}: {body}", answer.status), false))
                }
                Ok(Err(error)) => Err((error.to_string(), true)),
                Err(_) => Err(("no answer in 10 s".to_owned(), true)),
            };
            match result {
                Ok(()) => {
                    tally.latencies.push(due.elapsed());
                    tally.done += 1;
                }
                Err((failure, lost)) => {
                    tally.failed += 1;
                    tally.failure.get_or_insert(failure);
                    if lost {
                        match Connection::open(self.plan.address).await {
                            Ok(fresh) => connection = fresh,
                            Err(_) => break,
                        }
                    }
                }
            }
        }
        tally
    }

    /// The next request and when it is due, unless the plan has ended.
    fn next(&self) -> Option<(u64, Option<Instant>)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let due = self.plan.rate.map(|rate| self.due(number, rate));
        let at = due.unwrap_or_else(Instant::now);
        let over = number >= self.plan.count || at >= self.started + self.plan.lasts;
        (!over).then_some((number, due))
    }

    fn due(&self, number: u64, rate: u32) -> Instant {
        self.started + after(number, rate)
    }
}

/// When a request of an open loop is due, counted from the loop's beginning.
pub(super) fn after(number: u64, rate: u32) -> Duration {
    Duration::from_secs_f64(float(number) / f64::from(rate.max(1)))
}
