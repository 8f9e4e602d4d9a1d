//! Uploads a file to WhatsApp for the messages of a number that wait for it. Before any attempt is written: an upload
//! can be repeated, a send can't.

mod transfer;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use db::{
    TenantTx,
    jobs::{self, Job, Leased},
    outbox,
};
use ids::{ChannelId, MediaId, TenantScope};
use proto::messaging::v1::Failure;
use serde::{Deserialize, Serialize};

use self::transfer::{Sent, Trouble, transfer};
use super::transfers;
use crate::{
    domain::{failure, status::Status},
    error::Error,
    events::publish,
    outbound::{Engine, end},
    store::{
        channels,
        media_uploads::{self, File, Upload},
        routes::Route,
    },
};

pub(crate) const KIND: &str = "messaging.upload_media";
/// Every five minutes at last, because a message waits: longer than any does.
const MAX_ATTEMPTS: u16 = 400;
const LONGEST: Duration = Duration::from_mins(5);
/// Meta: an uploaded file's id is good for 30 days.
const LIFETIME: TimeDelta = TimeDelta::days(30);
/// An id that ends so soon is not used any more: what is sent with it may wait in Meta's queues.
const MARGIN: TimeDelta = TimeDelta::days(2);

/// Ids that end before this are not used any more.
pub(crate) fn usable_until(now: DateTime<Utc>) -> DateTime<Utc> {
    now + MARGIN
}

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    channel_id: ChannelId,
    media_id: MediaId,
}

/// The job for a file that messages of a number wait for.
pub(crate) fn job(route: Route, media_id: MediaId, now: DateTime<Utc>) -> Job {
    let payload = serde_json::json!({ "channel_id": route.channel_id, "media_id": media_id });
    let key = format!("{} {media_id}", route.channel_id);
    let job = Job::new(KIND, Some(route.organization_id), payload, now).unique(key);
    Job {
        max_attempts: MAX_ATTEMPTS,
        ..job
    }
}

/// One attempt.
pub(crate) async fn upload(engine: Arc<Engine>, job: Leased) -> Result<(), Error> {
    let payload: Option<Payload> = serde_json::from_value(job.payload.clone()).ok();
    let (Some(payload), Some(organization_id)) = (payload, job.organization_id) else {
        let mut tx = db::SystemTx::begin(&engine.db, "a job without a file").await?;
        jobs::fail(&mut tx, &job, "the job names no file").await?;
        tx.commit().await?;
        return Ok(());
    };
    let uploading = Uploading {
        engine: &engine,
        scope: TenantScope::system(organization_id, "upload_media"),
        route: Route {
            organization_id,
            channel_id: payload.channel_id,
        },
        media_id: payload.media_id,
        job: &job,
    };
    Box::pin(uploading.run()).await
}

struct Uploading<'u> {
    engine: &'u Engine,
    scope: TenantScope,
    route: Route,
    media_id: MediaId,
    job: &'u Leased,
}

impl Uploading<'_> {
    async fn run(&self) -> Result<(), Error> {
        let until = usable_until(self.now());
        let mut tx = TenantTx::begin(&self.engine.db, &self.scope).await?;
        let waiting = media_uploads::list_waiting(tx.conn(), self.route, self.media_id).await?;
        let found = media_uploads::find_file(tx.conn(), self.route, self.media_id, until).await?;
        tx.commit().await?;
        let file = match found {
            // They were given up meanwhile, or somebody uploaded the same bytes.
            _ if waiting.is_empty() => return self.release(None).await,
            Some((_, Some(_))) => return self.release(None).await,
            Some((file, None)) => file,
            None => return self.give_up(&gone()).await,
        };
        match transfer(self, &file).await {
            Ok(sent) => self.release(Some((&file, &sent))).await,
            Err(Trouble::Never(failure)) => self.give_up(&failure).await,
            Err(Trouble::Blocked {
                version,
                hint,
                detail,
            }) => self.block(version, hint, &detail).await,
            Err(Trouble::Later { detail, at_least }) => {
                let mut tx = TenantTx::begin(&self.engine.db, &self.scope).await?;
                self.again(&mut tx, at_least, &detail).await?;
                tx.commit().await?;
                Ok(())
            }
            Err(Trouble::Ours(error)) => Err(error),
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.engine.clock().now()
    }

    /// The messages may go, with WhatsApp's id of the file.
    async fn release(&self, sent: Option<(&File, &Sent)>) -> Result<(), Error> {
        let now = self.now();
        let mut tx = TenantTx::begin(&self.engine.db, &self.scope).await?;
        if let Some((file, sent)) = sent {
            let upload = Upload {
                digest: sent.digest,
                mime_type: &file.mime_type,
                provider_id: &sent.provider_id,
                expires_at: now + LIFETIME,
            };
            media_uploads::upsert(tx.conn(), self.route, &upload, now).await?;
        }
        // Also those that began to wait while the file was on its way.
        let waiting = media_uploads::list_waiting(tx.conn(), self.route, self.media_id).await?;
        media_uploads::release(tx.conn(), self.route, &waiting, now).await?;
        jobs::finish(&mut tx, self.job).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The messages will not go.
    async fn give_up(&self, failure: &Failure) -> Result<(), Error> {
        let now = self.now();
        let mut tx = TenantTx::begin(&self.engine.db, &self.scope).await?;
        let waiting = media_uploads::list_waiting(tx.conn(), self.route, self.media_id).await?;
        let ended: Vec<_> = waiting
            .into_iter()
            .map(|id| (id, Status::Failed, Some(failure.clone())))
            .collect();
        if !ended.is_empty() {
            let events = end(&mut tx, self.route, &ended, now).await?;
            outbox::push(&mut tx, &events).await?;
        }
        jobs::finish(&mut tx, self.job).await?;
        tx.commit().await?;
        Ok(())
    }

    /// As when a message is refused for the same reason: nothing goes until the channel is connected again.
    async fn block(
        &self,
        version: DateTime<Utc>,
        hint: &'static str,
        detail: &str,
    ) -> Result<(), Error> {
        let now = self.now();
        let mut tx = TenantTx::begin(&self.engine.db, &self.scope).await?;
        let blocked = channels::block(tx.conn(), self.route, Some(version), hint, now).await?;
        if blocked {
            tracing::warn!(organization.id = %self.route.organization_id, channel.id = %self.route.channel_id, "channel blocked");
            let event = publish::channel_changed(self.route, "blocked", now, publish::LANE);
            outbox::push(&mut tx, &[event]).await?;
        }
        if !blocked && channels::is_renewed(tx.conn(), self.route, version).await? {
            // Whoever connected the channel again did not see this job wait.
            jobs::retry(&mut tx, self.job, Duration::ZERO, detail).await?;
        } else {
            self.again(&mut tx, Duration::from_mins(1), detail).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    async fn again(
        &self,
        tx: &mut TenantTx,
        at_least: Duration,
        detail: &str,
    ) -> Result<(), Error> {
        let pause = transfers::pause(self.job.attempt)
            .min(LONGEST)
            .max(at_least);
        let jitter = self.engine.jitter.up_to(pause / 4);
        // With its attempts used up the messages end when their time does.
        jobs::retry(tx, self.job, pause + jitter, detail).await?;
        Ok(())
    }
}

fn gone() -> Failure {
    failure::ours(
        "content",
        "The file of the message is not there any more. Upload it again.",
    )
}

#[cfg(test)]
mod tests;
