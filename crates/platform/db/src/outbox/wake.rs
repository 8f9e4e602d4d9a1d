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
//! Whatever happens to notifications, a waiter returns after 200 ms.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};

use crate::{Db, DbError, deadline::within};

/// A waiter looks again after this time at the latest.
const POLL: Duration = Duration::from_millis(200);
/// While a writer is about to commit; doubled up to `POLL` if it takes its time.
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
    /// The next pause while writers keep the relay awake.
    soon: Duration,
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

    /// For readers of the feed, as many as there are: woken by the relay when it has seen new rows.
    pub fn feed(db: &Db) -> Self {
        Self::new(db, Role::Feed)
    }

    fn new(db: &Db, role: Role) -> Self {
        Self {
            db: db.clone(),
            role,
            listener: None,
            asleep: false,
            soon: SOON,
        }
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
            // The connection was lost, and its lock with it. It has been made again, but not everything was heard.
            Ok(Ok(None)) => {
                self.asleep = false;
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
        let lock = sqlx::query_scalar("select pg_try_advisory_lock($1)")
            .bind(key)
            .fetch_one(listener);
        self.asleep = within(self.db.deadline(), lock).await?;
        if self.asleep {
            self.soon = SOON;
        } else {
            tokio::time::sleep(self.soon).await;
            self.soon = (self.soon * 2).min(POLL);
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
    let channel = match role {
        Role::Relay => &channels.relay,
        Role::Feed => &channels.feed,
    };
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(db.deadline())
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_lazy_with(db.dedicated("wake"));
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.ignore_pool_close_event(true);
    listener.listen(channel).await?;
    Ok(listener)
}
