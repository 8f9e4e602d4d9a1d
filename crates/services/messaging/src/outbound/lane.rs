//! One lane: the loop of the replica that owns a number's sending.

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use db::TenantTx;
use secrecy::SecretString;
use tokio::{
    sync::Notify,
    task::{JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;

use super::{
    call::{self, Outcome},
    claim::{self, Claim, LEASE},
    engine::Engine,
    pace::Pace,
    settle::{self, Done},
};
use crate::{
    domain::failure::TOO_FAST,
    error::Error,
    events::publish,
    store::{channels, channels::Sender, lanes, lanes::Lease, results, statuses},
    within::within,
};

/// A lane with nothing to do is given back after this time, so that numbers spread over replicas.
const IDLE: TimeDelta = TimeDelta::seconds(10);
/// The loop turns at least this often; what is due is told by the scheduler.
const TICK: Duration = Duration::from_secs(1);
/// After a failure of the database.
const PAUSE: Duration = Duration::from_millis(500);
/// While the last calls end.
const RENEW: Duration = Duration::from_secs(5);
/// Rows of one claim and results of one transaction.
const BATCH: u32 = 200;
/// How far back a late status is looked for.
const LATE: TimeDelta = TimeDelta::minutes(15);

/// What a lane carries through its life.
#[derive(Debug)]
pub(crate) struct Lane {
    engine: Arc<Engine>,
    lease: Lease,
    wake: Arc<Notify>,
    pace: Pace,
    token: Option<(DateTime<Utc>, SecretString)>,
    calls: JoinSet<Done>,
    finished: Vec<Done>,
    /// Something may be due.
    look: bool,
    active_at: DateTime<Utc>,
    tidied_at: DateTime<Utc>,
    /// A call was lost: the lane begins again.
    broken: bool,
}

/// Why a lane's loop ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The lease is ours to give back.
    Release,
    /// It is somebody else's by now.
    Lost,
}

impl Lane {
    pub(crate) fn new(engine: Arc<Engine>, lease: Lease, wake: Arc<Notify>) -> Self {
        let now = engine.clock().now();
        Self {
            pace: Pace::new(80, now),
            token: None,
            calls: JoinSet::new(),
            finished: Vec::new(),
            look: true,
            active_at: now,
            tidied_at: now,
            broken: false,
            engine,
            lease,
            wake,
        }
    }

    /// Sends until the lane is idle, lost, or the service stops.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let end = self.work(&stop).await;
        // Calls under way have results, and results must be written, whoever owns the lane now.
        while !self.calls.is_empty() {
            tokio::select! {
                Some(done) = self.calls.join_next() => {
                    self.collect(done);
                    self.collect_ended();
                    // At once: this process may be killed before the slowest call has ended.
                    if let Err(error) = self.write_results().await {
                        self.log(&error, "results can't be written while calls end");
                    }
                }
                // Nobody may take the lane and call these attempts unknown while they are under way.
                () = tokio::time::sleep(RENEW) => {
                    if let Err(error) = within(self.renew()).await {
                        self.log(&error, "the lease can't be renewed while calls end");
                    }
                }
            }
        }
        self.settle_until_written().await;
        if end == End::Release
            && let Err(error) = within(self.release()).await
        {
            tracing::debug!(channel.id = %self.lease.route.channel_id, error = errors::chain(&error), "the lease will run out by itself");
        }
    }

    async fn work(&mut self, stop: &CancellationToken) -> End {
        if let Err(error) = within(self.adopt()).await {
            self.log(&error, "can't look after a former owner's attempts");
            tokio::time::sleep(PAUSE).await;
            return End::Release;
        }
        while !stop.is_cancelled() {
            match self.turn().await {
                Ok(None) => {}
                Ok(Some(end)) => return end,
                Err(error) => {
                    // Whether the claim was committed may be unknown. The next owner, most likely we
                    // ourselves under a new epoch, looks after what stands under this one.
                    self.log(&error, "the lane can't go on and begins again");
                    tokio::time::sleep(PAUSE).await;
                    return End::Release;
                }
            }
            self.wait(stop).await;
        }
        End::Release
    }

    /// A former owner may have died between writing an attempt and learning its result.
    async fn adopt(&mut self) -> Result<(), Error> {
        let route = self.lease.route;
        let mut tx = TenantTx::begin(&self.engine.db, &Engine::scope(route)).await?;
        let abandoned = results::abandon(tx.conn(), route, self.lease.epoch).await?;
        if !abandoned.is_empty() {
            let count = abandoned.len();
            tracing::warn!(channel.id = %route.channel_id, count, "attempts of a former owner have no result");
        }
        settle::hold(&mut tx, route, &abandoned, self.engine.clock().now()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Results first, so that a conversation's next message can go; then new calls. Each step has a
    /// deadline of its own: one around all of them could end the turn between a claim and its calls.
    async fn turn(&mut self) -> Result<Option<End>, Error> {
        self.collect_ended();
        if self.broken {
            return Ok(Some(End::Release));
        }
        self.write_results().await?;
        let now = self.engine.clock().now();
        if now - self.tidied_at > LEASE / 3 {
            self.tidied_at = now;
            self.pace.forget_idle(now);
            if let Some(end) = within(self.renew()).await? {
                return Ok(Some(end));
            }
        }
        let room = self.room(now);
        if self.look && room > 0 {
            return self.claim(room).await;
        }
        if !self.look && self.calls.is_empty() && now - self.active_at > IDLE {
            return Ok(Some(End::Release));
        }
        Ok(None)
    }

    fn collect_ended(&mut self) {
        while let Some(done) = self.calls.try_join_next() {
            self.collect(done);
        }
    }

    /// A call that panicked has no result: under a new epoch it counts as unknown.
    fn collect(&mut self, done: Result<Done, JoinError>) {
        match done {
            Ok(done) => self.finished.push(done),
            Err(error) => {
                tracing::error!(channel.id = %self.lease.route.channel_id, error = %error, "a call ended without a result");
                self.broken = true;
            }
        }
    }

    /// How many calls may be started now.
    fn room(&mut self, now: DateTime<Utc>) -> u32 {
        let under_way = u32::try_from(self.calls.len()).unwrap_or(u32::MAX);
        let most = self.pace.most_in_flight();
        self.pace
            .available(now)
            .min(most.saturating_sub(under_way))
            .min(BATCH)
    }

    async fn claim(&mut self, room: u32) -> Result<Option<End>, Error> {
        if self.token.is_none() {
            // Before anything is claimed: without the token nothing can be sent.
            self.open_token().await?;
        }
        let claiming = claim::claim(&self.engine, &self.lease, &mut self.pace, room);
        let claimed = within(claiming).await?;
        let now = self.engine.clock().now();
        match claimed {
            Claim::Lost => Ok(Some(End::Lost)),
            Claim::Blocked => Ok(Some(End::Release)),
            Claim::Calls {
                calls,
                sender,
                claimed,
            } => {
                // A claim that is not full found everything that was due.
                self.look = u32::try_from(claimed).unwrap_or(u32::MAX) >= room;
                if !calls.is_empty() {
                    self.active_at = now;
                    self.start(calls, &sender).await?;
                }
                Ok(None)
            }
        }
    }

    async fn start(&mut self, calls: Vec<claim::Ready>, sender: &Sender) -> Result<(), Error> {
        kill::point!("messaging.attempts-written");
        self.pace.take(calls.len());
        let token = match self.token(sender).await {
            Ok(token) => token,
            Err(error) => {
                // The attempts are written and nothing was sent: they go back.
                self.finished
                    .extend(calls.into_iter().map(|ready| not_sent(&ready, &error)));
                return Err(error);
            }
        };
        for ready in calls {
            let (client, number) = (self.engine.whatsapp.clone(), sender.phone_number_id.clone());
            self.calls
                .spawn(call::call(client, number, token.clone(), ready));
        }
        Ok(())
    }

    /// Opened once and again when the channel was changed.
    async fn token(&mut self, sender: &Sender) -> Result<SecretString, Error> {
        if let Some((version, token)) = &self.token
            && *version == sender.updated_at
        {
            return Ok(token.clone());
        }
        let route = self.lease.route;
        let scope = Engine::scope(route);
        let opening = self
            .engine
            .open_token(&scope, route.channel_id, &sender.access_token);
        let token = within(opening).await?;
        self.token = Some((sender.updated_at, token.clone()));
        Ok(token)
    }

    async fn write_results(&mut self) -> Result<(), Error> {
        if self.finished.is_empty() {
            return Ok(());
        }
        kill::point!("messaging.answers-read");
        let version = self.token.as_ref().map(|(version, _)| *version);
        let settling = settle::settle(&self.engine, self.lease.route, version, &self.finished);
        within(settling).await?;
        kill::point!("messaging.results-written");
        if self
            .finished
            .iter()
            .any(|done| matches!(done.outcome, Outcome::Again { code: TOO_FAST, .. }))
        {
            self.pace.slow_down();
        }
        self.finished.clear();
        // A conversation's next message may be due now.
        self.look = true;
        Ok(())
    }

    async fn settle_until_written(&mut self) {
        while let Err(error) = self.write_results().await {
            self.log(&error, "results can't be written yet");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Keeps the lease, and applies statuses that came before their message was known.
    async fn renew(&mut self) -> Result<Option<End>, Error> {
        let (route, now) = (self.lease.route, self.engine.clock().now());
        let mut tx = TenantTx::begin(&self.engine.db, &Engine::scope(route)).await?;
        if !lanes::renew(tx.conn(), &self.lease, now + LEASE).await? {
            return Ok(Some(End::Lost));
        }
        let late = statuses::apply_late(tx.conn(), route, now - LATE).await?;
        let events: Vec<_> = late
            .iter()
            .map(|moved| publish::moved(moved, now, publish::LANE))
            .collect();
        db::outbox::push(&mut tx, &events).await?;
        tx.commit().await?;
        Ok(None)
    }

    async fn open_token(&mut self) -> Result<(), Error> {
        let (route, db) = (self.lease.route, self.engine.db.clone());
        let looking = async move {
            let mut tx = TenantTx::begin(&db, &Engine::scope(route)).await?;
            let sender =
                channels::find_sender(tx.conn(), route.organization_id, route.channel_id).await?;
            sender.ok_or(Error::NotFound("channel"))
        };
        let sender = within(looking).await?;
        self.token(&sender).await?;
        Ok(())
    }

    async fn release(&self) -> Result<(), Error> {
        let mut tx = TenantTx::begin(&self.engine.db, &Engine::scope(self.lease.route)).await?;
        lanes::release(tx.conn(), &self.lease).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn wait(&mut self, stop: &CancellationToken) {
        let now = self.engine.clock().now();
        if self.look && self.room(now) > 0 {
            // A full claim may have made no calls, or fewer: there is more, and room for it.
            return;
        }
        let blocked_by_pace = self.look && self.pace.available(now) == 0;
        let next_at = self.pace.next_at(now);
        let clock = self.engine.clock().clone();
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.wake.notified() => self.look = true,
            Some(done) = self.calls.join_next() => self.collect(done),
            () = clock.sleep_until(next_at), if blocked_by_pace => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }

    fn log(&self, error: &Error, message: &str) {
        let (organization, channel) = (
            self.lease.route.organization_id,
            self.lease.route.channel_id,
        );
        tracing::warn!(organization.id = %organization, channel.id = %channel, error = errors::chain(error), "{message}");
    }
}

fn not_sent(ready: &claim::Ready, error: &Error) -> Done {
    Done {
        message_id: ready.message_id,
        attempt_id: ready.attempt_id,
        outcome: Outcome::NotSent {
            pause: Duration::from_secs(5),
            detail: errors::chain(error),
        },
    }
}
