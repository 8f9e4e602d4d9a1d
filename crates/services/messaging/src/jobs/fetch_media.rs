//! Fetches the file of a customer's message from WhatsApp. The message itself never waits for it, and however often
//! this is cut off or refused, it begins again with a new address until WhatsApp's id ends.

mod transfer;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use db::{
    TenantTx,
    jobs::{self, Job, Leased, Retried},
    outbox,
};
use ids::{MediaId, TenantScope};
use proto::messaging::events::v1::{MediaFailed, MediaReady};
use secrecy::SecretString;
use serde_json::json;

use self::transfer::{Trouble, transfer};
use super::transfers;
use crate::{
    domain::media::{self, Problem},
    error::Error,
    events::publish,
    outbound::Engine,
    store::{
        channels::{self, Sender},
        media::{self as store, Found, Wanted},
        routes::Route,
    },
};

pub(crate) const KIND: &str = "messaging.fetch_media";
/// Hourly for seven days, the quick ones before, and as many as processes may die over one.
const MAX_ATTEMPTS: u16 = 400;

/// The job for a file.
pub(crate) fn job(route: Route, id: MediaId, now: DateTime<Utc>) -> Job {
    let payload = json!({ "channel_id": route.channel_id, "media_id": id });
    let job = Job::new(KIND, Some(route.organization_id), payload, now).unique(id.to_string());
    Job {
        max_attempts: MAX_ATTEMPTS,
        ..job
    }
}

/// One attempt.
pub(crate) async fn fetch(engine: Arc<Engine>, job: Leased) -> Result<(), Error> {
    let id: Option<MediaId> = job
        .payload
        .get("media_id")
        .and_then(|id| serde_json::from_value(id.clone()).ok());
    let (Some(id), Some(organization_id)) = (id, job.organization_id) else {
        let mut tx = db::SystemTx::begin(&engine.db, "a job without a file").await?;
        jobs::fail(&mut tx, &job, "the job names no file").await?;
        tx.commit().await?;
        return Ok(());
    };
    let fetching = Fetching {
        engine: &engine,
        scope: TenantScope::system(organization_id, "fetch_media"),
        id,
        job: &job,
    };
    Box::pin(fetching.run()).await
}

struct Fetching<'f> {
    engine: &'f Engine,
    scope: TenantScope,
    id: MediaId,
    job: &'f Leased,
}

impl Fetching<'_> {
    async fn run(&self) -> Result<(), Error> {
        let mut tx = TenantTx::begin(&self.engine.db, &self.scope).await?;
        let wanted = store::find_wanted(tx.conn(), self.scope.organization_id, self.id).await?;
        let Some(wanted) = wanted else {
            jobs::finish(&mut tx, self.job).await?;
            tx.commit().await?;
            return Ok(());
        };
        tx.commit().await?;
        if self.now() >= wanted.provider_id_expires_at {
            return self.fail(&wanted, Problem::Gone).await;
        }
        let (sender, token) = self.sender(&wanted).await?;
        match transfer(self, &wanted, &sender, &token).await {
            Ok(found) => self.succeed(&wanted, &found).await,
            Err(Trouble::Never(problem)) => self.fail(&wanted, problem).await,
            Err(Trouble::Later { detail, at_least }) => {
                let pause = transfers::pause(self.job.attempt).max(at_least);
                self.again(&wanted, sender.updated_at, pause, &detail).await
            }
            Err(Trouble::Ours(error)) => Err(error),
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.engine.clock().now()
    }

    /// The number that the file came through, and its token.
    async fn sender(&self, wanted: &Wanted) -> Result<(Sender, SecretString), Error> {
        let organization_id = self.scope.organization_id;
        let mut tx = TenantTx::begin(&self.engine.db, &self.scope).await?;
        let found = channels::find_sender(tx.conn(), organization_id, wanted.channel_id).await?;
        tx.commit().await?;
        let sender = found.ok_or(Error::NotFound("channel"))?;
        let sealed = &sender.access_token;
        let opening = self
            .engine
            .open_token(&self.scope, wanted.channel_id, sealed);
        let token = opening.await?;
        Ok((sender, token))
    }

    async fn succeed(&self, wanted: &Wanted, found: &Found) -> Result<(), Error> {
        let organization_id = self.scope.organization_id;
        let now = self.now();
        let mut tx = TenantTx::begin(&self.engine.db, &self.scope).await?;
        if store::set_ready(tx.conn(), organization_id, self.id, found.digest, now).await? {
            let ready = MediaReady {
                media_id: self.id.to_string(),
                message_id: wanted.message_id.to_string(),
                conversation_id: wanted.conversation_id.to_string(),
                kind: media::kind(&wanted.kind).into(),
                mime_type: found.mime_type.to_owned(),
                size_bytes: u32::try_from(found.size_bytes).unwrap_or(u32::MAX),
            };
            let actor = Some(publish::WHATSAPP.to_owned());
            let event = bus::event(&ready, Some(organization_id), actor, now);
            outbox::push(&mut tx, &[event]).await?;
        }
        jobs::finish(&mut tx, self.job).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn fail(&self, wanted: &Wanted, problem: Problem) -> Result<(), Error> {
        let mut tx = TenantTx::begin(&self.engine.db, &self.scope).await?;
        self.give_up(&mut tx, wanted, problem).await?;
        jobs::finish(&mut tx, self.job).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Tried again, but not after WhatsApp's id has ended: the last look then says so. And at once when the channel was
    /// connected again since `version`: whoever did that did not see this job wait.
    async fn again(
        &self,
        wanted: &Wanted,
        version: DateTime<Utc>,
        pause: Duration,
        detail: &str,
    ) -> Result<(), Error> {
        let left = (wanted.provider_id_expires_at - self.now())
            .to_std()
            .unwrap_or_default();
        let jitter = self.engine.jitter.up_to(pause / 4);
        let route = Route {
            organization_id: self.scope.organization_id,
            channel_id: wanted.channel_id,
        };
        let mut tx = TenantTx::begin(&self.engine.db, &self.scope).await?;
        let pause = if channels::is_renewed(tx.conn(), route, version).await? {
            Duration::ZERO
        } else {
            (pause + jitter).min(left)
        };
        let retried = jobs::retry(&mut tx, self.job, pause, detail).await?;
        if retried == Retried::Failed {
            self.give_up(&mut tx, wanted, Problem::Unreachable).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    async fn give_up(
        &self,
        tx: &mut TenantTx,
        wanted: &Wanted,
        problem: Problem,
    ) -> Result<(), Error> {
        let organization_id = self.scope.organization_id;
        if !store::set_failed(tx.conn(), organization_id, self.id, problem).await? {
            return Ok(());
        }
        let failed = MediaFailed {
            media_id: self.id.to_string(),
            message_id: wanted.message_id.to_string(),
            conversation_id: wanted.conversation_id.to_string(),
            kind: media::kind(&wanted.kind).into(),
            problem: problem.as_str().to_owned(),
        };
        let actor = Some(publish::WHATSAPP.to_owned());
        let event = bus::event(&failed, Some(organization_id), actor, self.now());
        outbox::push(tx, &[event]).await?;
        tracing::info!(media.id = %self.id, problem = problem.as_str(), "a customer's file will not come");
        Ok(())
    }
}

#[cfg(test)]
mod tests;
