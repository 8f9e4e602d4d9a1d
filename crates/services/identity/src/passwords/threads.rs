//! Threads that hash and give way: while anything else of this machine wants a core, they get a smaller share of it.

use argon2::password_hash;
use rayon::{ThreadPool, ThreadPoolBuilder};
use rustix::process::setpriority_process;
use tokio::sync::oneshot;

use crate::Error;

/// Nice 4: under half of the share of a thread that answers requests, all of a core that nobody else wants. Much less, and
/// nobody could log in while the machine is busy.
const NICE: i32 = 4;

pub(super) struct Threads(ThreadPool);

impl Threads {
    pub(super) fn start(count: usize) -> Result<Self, Error> {
        ThreadPoolBuilder::new()
            .num_threads(count)
            .thread_name(|number| format!("hash-{number}"))
            .start_handler(|_| give_way())
            // The caller learns it by getting no answer; without this rayon would end the process.
            .panic_handler(|_| tracing::error!("a password hash panicked"))
            .build()
            .map(Self)
            .map_err(Error::HashThreads)
    }

    /// Does the work and hands its result back, if anybody still waits for it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (done, answer) = oneshot::channel();
        self.0.spawn(move || drop(done.send(work())));
        answer
            .await
            .unwrap_or(Err(Error::Hash(password_hash::Error::Internal)))
    }
}

fn give_way() {
    // Linux: no process id means this thread alone (setpriority(2), "C library/kernel differences").
    if let Err(error) = setpriority_process(None, NICE) {
        tracing::warn!(%error, "password hashes can't be made to give way to other work");
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::getpriority_process;

    use super::*;

    #[tokio::test]
    async fn hashing_gives_way_and_nothing_else_does() {
        let threads = Threads::start(2).unwrap();
        let before = getpriority_process(None).unwrap();
        let nice = threads.run(|| Ok(getpriority_process(None).unwrap())).await;
        assert_eq!(nice.unwrap(), NICE.max(before));
        assert_eq!(getpriority_process(None).unwrap(), before);
    }

    #[tokio::test]
    async fn a_panic_is_an_error_of_one_caller() {
        let threads = Threads::start(1).unwrap();
        let failed = threads
            .run(|| -> Result<(), Error> { panic!("a bug") })
            .await;
        assert!(failed.is_err());
        assert!(threads.run(|| Ok(())).await.is_ok());
    }
}
