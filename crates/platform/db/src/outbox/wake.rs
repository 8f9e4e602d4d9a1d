//! Waiting for events without asking all the time, and without a wake-up that can be lost.
//!
//! A writer sends a NOTIFY only while the relay sleeps. They agree by one advisory lock: each writer takes it shared,
//! until its commit, and a relay that goes to sleep holds it alone.
//!
//! * The relay has the lock: a writer can't take it, and sends a NOTIFY.
//! * The relay can't get the lock: a writer that saw it awake has not committed yet, so the relay stays awake.
//! * The relay has just got the lock: such a writer may have committed since the relay last looked, so the relay looks
//!   once more before it sleeps.
//!
//! A reader of the feed listens to both: to the writers, whose NOTIFY reaches it at their commit while the relay sleeps,
//! and to the relay, which tells what it finds while it is awake and writers are silent. It polls only while there is no
//! relay at work: none is elected, or the broker is away.
//!
//! Whatever happens to notifications, a waiter returns after 200 ms.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};

use crate::{Db, DbError, advisory, deadline::within};

/// A waiter looks again after this time at the latest.
const POLL: Duration = Duration::from_millis(200);
/// While a writer is about to commit; doubled up to `POLL` while looking again finds nothing.
const SOON: Duration = Duration::from_millis(2);
/// Between attempts to reach a server that is gone.
const RECONNECT: Duration = Duration::from_millis(500);

/// Waits for new rows in the outbox. It holds one connection of its own, which it makes again when it is lost.
#[derive(Debug)]
pub struct Wake {
    db: Db,
    role: Role,
    listener: Option<PgListener>,
    /// This connection holds the lock of a sleeping relay.
    asleep: bool,
    awake: Awake,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Relay,
    Feed,
}

impl Wake {
    /// For the relay: woken by writers. There should be one waiter per schema; see [`crate::leader`].
    pub fn relay(db: &Db) -> Self {
        Self::new(db, Role::Relay)
    }

    /// For readers of the feed, as many as there are: woken by writers and by the relay.
    pub fn feed(db: &Db) -> Self {
        Self::new(db, Role::Feed)
    }

    fn new(db: &Db, role: Role) -> Self {
        Self {
            db: db.clone(),
            role,
            listener: None,
            asleep: false,
            awake: Awake::default(),
        }
    }

    /// Tells that there was something to do since the last [`wait`](Self::wait): writers are about, and what they commit
    /// next is looked for soon.
    pub const fn found_rows(&mut self) {
        self.awake.found_rows();
    }

    /// Call it when there was nothing to do, and look again when it returns: soon after an event was committed, and
    /// after 200 ms in any case. It does not fail: without a connection it only polls.
    pub async fn wait(&mut self) {
        if let Err(error) = self.listen().await {
            tracing::debug!(error = %errors::chain(&error), "no wake-ups from the database, polling");
            self.forget();
            tokio::time::sleep(RECONNECT).await;
        }
    }

    async fn listen(&mut self) -> Result<(), DbError> {
        if self.listener.is_none() {
            let listener = within(self.db.deadline(), connect(&self.db, self.role)).await?;
            self.listener = Some(listener);
        }
        if self.role == Role::Relay && !self.asleep {
            return self.fall_asleep().await;
        }
        let Some(listener) = &mut self.listener else {
            return Ok(());
        };
        match tokio::time::timeout(POLL, listener.try_recv()).await {
            // Not woken; the lock stays, so writers go on to send.
            Err(_) => Ok(()),
            Ok(Ok(Some(_))) => {
                while listener.next_buffered().is_some() {}
                self.wake_up().await
            }
            // The connection was lost, and its lock with it. Look again: not everything was heard.
            Ok(Ok(None)) => {
                self.forget();
                Ok(())
            }
            Ok(Err(error)) => Err(error.into()),
        }
    }

    async fn fall_asleep(&mut self) -> Result<(), DbError> {
        let key = self.db.sql().outbox.channels.asleep;
        let Some(listener) = &mut self.listener else {
            return Ok(());
        };
        self.asleep = within(self.db.deadline(), advisory::try_lock(listener, key)).await?;
        if self.asleep {
            self.awake = Awake::default();
        } else {
            tokio::time::sleep(self.awake.pause()).await;
        }
        Ok(())
    }

    async fn wake_up(&mut self) -> Result<(), DbError> {
        let Some(listener) = self.listener.as_mut().filter(|_| self.asleep) else {
            return Ok(());
        };
        // Forgotten first, and all of the session's locks freed: if this future is dropped half-way, the lock may be
        // taken twice, which only costs notifications. The reverse would cost wake-ups.
        self.asleep = false;
        let unlock = sqlx::query("select pg_advisory_unlock_all()").execute(listener);
        within(self.db.deadline(), unlock).await?;
        Ok(())
    }

    /// Closing the connection frees the lock.
    fn forget(&mut self) {
        self.listener = None;
        self.asleep = false;
    }
}

async fn connect(db: &Db, role: Role) -> Result<PgListener, sqlx::Error> {
    let channels = &db.sql().outbox.channels;
    let heard = match role {
        Role::Relay => vec![channels.relay.as_str()],
        Role::Feed => vec![channels.relay.as_str(), channels.feed.as_str()],
    };
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(db.deadline())
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_lazy_with(db.dedicated("wake"));
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.ignore_pool_close_event(true);
    // It would connect again inside the wait for a notification, whose end would cut that short and leave us believing
    // in a lock that went with the old connection.
    listener.eager_reconnect(false);
    listener.listen_all(heard).await?;
    Ok(listener)
}

/// The pauses of a relay that writers keep awake. Under steady load it never gets the lock, so it is rows, not the lock,
/// that make the pauses short again.
#[derive(Debug)]
struct Awake {
    next: Duration,
}

impl Default for Awake {
    fn default() -> Self {
        Self { next: SOON }
    }
}

impl Awake {
    const fn found_rows(&mut self) {
        self.next = SOON;
    }

    fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(POLL);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_that_writers_keep_awake_pauses_shortly_as_long_as_it_finds_rows() {
        let mut awake = Awake::default();
        for _ in 0..100 {
            awake.found_rows();
            assert_eq!(awake.pause(), SOON);
        }
        let mut last = SOON;
        for _ in 0..10 {
            let pause = awake.pause();
            assert!(pause >= last && pause <= POLL, "{pause:?}");
            last = pause;
        }
        assert_eq!(last, POLL);
        awake.found_rows();
        assert_eq!(awake.pause(), SOON);
    }
}
