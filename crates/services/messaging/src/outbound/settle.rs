//! Writing what came of the calls, a batch at a time.

use std::time::Duration;

use chrono::{DateTime, Utc};
use clock::Jitter;
use db::{
    TenantTx,
    jobs::{self, Job},
    outbox,
};
use ids::{AttemptId, MessageId};
use proto::messaging::v1::Failure;

use super::{call::Outcome, claim, engine::Engine};
use crate::{
    domain::status::Status,
    error::Error,
    events::publish,
    jobs::reconcile_attempt,
    store::{
        channels, media_uploads,
        results::{self, Closed},
        routes::Route,
    },
};

/// A call that has ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) message_id: MessageId,
    pub(crate) attempt_id: AttemptId,
    pub(crate) outcome: Outcome,
}

/// Everything one transaction writes.
#[derive(Default)]
struct Results {
    accepted: Vec<(MessageId, AttemptId, String)>,
    closed: Vec<Closed>,
    again: Vec<(MessageId, AttemptId, DateTime<Utc>)>,
    ended: Vec<(MessageId, Status, Option<Failure>)>,
    held: Vec<(MessageId, AttemptId)>,
    blocked: Option<String>,
    /// Ids of files that WhatsApp does not know any more.
    forgotten: Vec<String>,
    /// Of the channel the calls went through.
    version: Option<DateTime<Utc>>,
}

/// Writes the results. When it fails nothing is written, and the caller tries again: the calls were
/// made, so the results must not be lost.
pub(crate) async fn settle(
    engine: &Engine,
    route: Route,
    version: Option<DateTime<Utc>>,
    done: &[Done],
) -> Result<(), Error> {
    let now = engine.clock().now();
    let mut results = Results {
        version,
        ..Results::default()
    };
    for done in done {
        results.sort(done, now, &engine.jitter);
    }
    let mut tx = TenantTx::begin(&engine.db, &Engine::scope(route)).await?;
    let mut events = results.write_accepted(&mut tx, route, now).await?;
    events.extend(results.write_others(&mut tx, route, now).await?);
    outbox::push(&mut tx, &events).await?;
    tx.commit().await?;
    Ok(())
}

impl Results {
    fn sort(&mut self, done: &Done, now: DateTime<Utc>, jitter: &Jitter) {
        // Spread, so that what failed together does not come back together.
        let after = |pause: Duration| clock::later(now, pause + jitter.up_to(pause / 4));
        let (message, attempt) = (done.message_id, done.attempt_id);
        let mut close = |state, provider_code, detail: &str| {
            self.closed.push(Closed {
                attempt_id: attempt,
                state,
                provider_code,
                detail: detail.to_owned(),
            });
        };
        match &done.outcome {
            Outcome::Accepted { wamid } => self.accepted.push((message, attempt, wamid.clone())),
            Outcome::NotSent { pause, detail } => {
                close("not_sent", None, detail);
                self.again.push((message, attempt, after(*pause)));
            }
            Outcome::Again {
                code,
                pause,
                detail,
            } => {
                close("rejected", Some(*code), detail);
                self.again.push((message, attempt, after(*pause)));
            }
            Outcome::FileUnknown {
                code,
                provider_id,
                detail,
            } => {
                close("rejected", Some(*code), detail);
                self.again.push((message, attempt, now));
                self.forgotten.push(provider_id.clone());
            }
            Outcome::ChannelBlocked { code, hint, detail } => {
                close("rejected", Some(*code), detail);
                // It waits at the head of its conversation until the channel is connected again.
                self.again.push((message, attempt, now));
                self.blocked = Some((*hint).to_owned());
            }
            Outcome::Failed { failure, detail } => {
                close("rejected", Some(failure.provider_code), detail);
                self.ended
                    .push((message, Status::Failed, Some(failure.clone())));
            }
            Outcome::Unknown { detail } => {
                close("unknown", None, detail);
                self.held.push((message, attempt));
            }
        }
    }

    async fn write_accepted(
        &self,
        tx: &mut TenantTx,
        route: Route,
        now: DateTime<Utc>,
    ) -> Result<Vec<outbox::Event>, Error> {
        if self.accepted.is_empty() {
            return Ok(Vec::new());
        }
        let moved = results::accept(tx.conn(), route, &self.accepted, now).await?;
        Ok(moved
            .iter()
            .map(|moved| publish::moved(moved, now, publish::LANE))
            .collect())
    }

    async fn write_others(
        self,
        tx: &mut TenantTx,
        route: Route,
        now: DateTime<Utc>,
    ) -> Result<Vec<outbox::Event>, Error> {
        let mut events = Vec::new();
        let open = results::close(tx.conn(), route, &self.closed, now).await?;
        let again: Vec<(MessageId, DateTime<Utc>)> = self
            .again
            .iter()
            .filter(|(_, attempt, _)| open.contains(attempt))
            .map(|(message, _, at)| (*message, *at))
            .collect();
        if !again.is_empty() {
            results::requeue(tx.conn(), route, &again, now).await?;
        }
        if !self.ended.is_empty() {
            events.extend(claim::end(tx, route, &self.ended, now).await?);
        }
        hold(tx, route, &self.held, now).await?;
        if !self.forgotten.is_empty() {
            media_uploads::forget(tx.conn(), route, &self.forgotten).await?;
        }
        if let Some(reason) = self.blocked {
            let organization_id = route.organization_id;
            let version = self.version;
            if channels::block(tx.conn(), route, version, &reason, now).await? {
                tracing::warn!(organization.id = %organization_id, channel.id = %route.channel_id, "channel blocked");
                events.push(publish::channel_changed(
                    route,
                    "blocked",
                    now,
                    publish::LANE,
                ));
            }
        }
        Ok(events)
    }
}

/// Keeps messages of unknown outcome in their places and looks again later (reliability 2.6).
pub(crate) async fn hold(
    tx: &mut TenantTx,
    route: Route,
    held: &[(MessageId, AttemptId)],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if held.is_empty() {
        return Ok(());
    }
    let messages: Vec<MessageId> = held.iter().map(|(message, _)| *message).collect();
    results::hold(tx.conn(), route, &messages).await?;
    let later: Vec<Job> = held
        .iter()
        .map(|(_, attempt)| {
            reconcile_attempt::job(route, *attempt, now + reconcile_attempt::FIRST_LOOK)
        })
        .collect();
    jobs::push(tx, &later).await?;
    Ok(())
}
