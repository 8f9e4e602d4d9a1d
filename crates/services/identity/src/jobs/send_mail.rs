//! Sends the letters that operations have queued.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use db::{
    SystemTx,
    jobs::{self, Leased, Retried},
};
use resend::{Email, IdempotencyKey, Tag};
use tokio_util::sync::CancellationToken;

use crate::{
    Error,
    domain::suppression::Reason,
    mail::{self, KIND, Letter, Sender},
    ops::Tools,
};

/// As many as are surely sent within one lease.
const BATCH: u32 = 5;
const LEASE: Duration = Duration::from_mins(3);
const POLL: Duration = Duration::from_secs(1);
/// The longest wait between two attempts, whatever Resend says less.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// Our settings are wrong: people need a while.
const AFTER_WRONG_SETTINGS: Duration = Duration::from_mins(1);

/// What came of a letter.
enum Outcome {
    Sent,
    /// Nobody waits for it any more.
    Needless,
    Later(Duration, String),
    /// The address gets no mail.
    Stopped(Reason),
    Never(String),
}

/// Works through due letters until `stop`.
pub(crate) async fn run(tools: Tools, sender: Sender, replica: String, stop: CancellationToken) {
    while !stop.is_cancelled() {
        // One that hangs must not be the last; by then its lease is over.
        match tokio::time::timeout(LEASE, pass(&tools, &sender, &replica)).await {
            Ok(Ok(true)) => continue,
            Ok(Ok(false)) => {}
            Ok(Err(error)) => {
                tracing::warn!(error = errors::chain(&error), "can't send mail now");
            }
            Err(_) => tracing::warn!("sending mail took too long"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

/// One batch; true when there may be more.
async fn pass(tools: &Tools, sender: &Sender, replica: &str) -> Result<bool, Error> {
    let mut tx = SystemTx::begin(&tools.db, "mail to send").await?;
    let leased = jobs::claim(&mut tx, KIND, BATCH, LEASE, replica).await?;
    tx.commit().await?;
    for job in &leased {
        // One that fails must not use up the attempts of the others.
        if let Err(error) = one(tools, sender, job).await {
            tracing::warn!(job.id = %job.id, error = errors::chain(&error), "can't send a mail");
        }
    }
    Ok(leased.len() == BATCH as usize)
}

async fn one(tools: &Tools, sender: &Sender, job: &Leased) -> Result<(), Error> {
    let outcome = send(tools, sender, job).await?;
    let mut tx = SystemTx::begin(&tools.db, "a mail was sent").await?;
    match outcome {
        Outcome::Sent | Outcome::Needless => jobs::finish(&mut tx, job).await?,
        Outcome::Later(after, why) => {
            let retried = jobs::retry(&mut tx, job, after, &why).await?;
            if retried == Retried::Waiting {
                tracing::info!(job.id = %job.id, why, "a mail is sent later");
            }
        }
        Outcome::Stopped(reason) => {
            let why = reason.as_str();
            tracing::info!(job.id = %job.id, why, "a mail is not sent");
            jobs::fail(&mut tx, job, why).await?;
        }
        Outcome::Never(why) => {
            tracing::error!(job.id = %job.id, why, "a mail can't be sent");
            jobs::fail(&mut tx, job, &why).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Writes and sends, outside of any transaction.
async fn send(tools: &Tools, sender: &Sender, job: &Leased) -> Result<Outcome, Error> {
    let Ok(letter) = serde_json::from_value::<Letter>(job.payload.clone()) else {
        return Ok(Outcome::Never("the job names no letter".to_owned()));
    };
    let now = tools.db.clock().now();
    if job.attempt > 1 && now - queued_at(job) >= IdempotencyKey::LIFETIME {
        // Resend may have taken it, and would take it again.
        return Ok(Outcome::Never("it could not be sent for a day".to_owned()));
    }
    let Some(mail) = sender.write(tools, &letter, queued_at(job)).await? else {
        return Ok(Outcome::Needless);
    };
    if let Some(reason) = mail::stopped(tools, &mail.to, now).await? {
        return Ok(Outcome::Stopped(reason));
    }
    let (key, tag) = match (
        IdempotencyKey::new(job.id.to_string()),
        Tag::new("letter", letter.name()),
    ) {
        (Ok(key), Ok(tag)) => (key, tag),
        (Err(invalid), _) | (_, Err(invalid)) => {
            return Ok(Outcome::Never(errors::chain(&invalid)));
        }
    };
    let email = Email {
        to: vec![mail.to],
        subject: mail.subject,
        html: Some(mail.html),
        text: Some(mail.text),
        reply_to: None,
        tags: vec![tag],
    };
    Ok(match sender.client.send(&email, &key).await {
        Ok(sent) => {
            tracing::info!(job.id = %job.id, mail.id = %sent.id, "mail sent: {}", letter.name());
            Outcome::Sent
        }
        Err(error) => after(&error, job.attempt),
    })
}

/// When the letter was queued: job ids begin with their time.
fn queued_at(job: &Leased) -> DateTime<Utc> {
    let stamp = job.id.as_uuid().get_timestamp();
    let at = stamp.and_then(|stamp| {
        let (seconds, nanos) = stamp.to_unix();
        DateTime::from_timestamp(seconds.try_into().ok()?, nanos)
    });
    at.unwrap_or(job.due_at - TimeDelta::hours(1))
}

fn after(error: &resend::client::Error, attempt: i32) -> Outcome {
    use resend::client::Error as Failed;
    let why = errors::chain(error);
    match error {
        Failed::Retry { after, .. } => Outcome::Later(doubled(*after, attempt), why),
        Failed::Quota { after, .. } => {
            tracing::error!(why, "no mail is sent until the quota allows it");
            Outcome::Later(*after, why)
        }
        Failed::Configuration(_) => {
            tracing::error!(why, "no mail is sent until its settings are corrected");
            Outcome::Later(doubled(AFTER_WRONG_SETTINGS, attempt), why)
        }
        Failed::Refused(_) => Outcome::Never(why),
    }
}

/// Twice as long with each attempt.
fn doubled(first: Duration, attempt: i32) -> Duration {
    let exponent = u32::try_from(attempt - 1).unwrap_or(0).min(16);
    first
        .saturating_mul(1 << exponent)
        .min(LONGEST_WAIT.max(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_become_rarer_and_never_sooner_than_resend_wants() {
        let seconds = |first, attempt| doubled(Duration::from_secs(first), attempt).as_secs();
        assert_eq!(
            [1, 2, 3, 4].map(|attempt| seconds(5, attempt)),
            [5, 10, 20, 40]
        );
        assert_eq!(seconds(5, 20), 3_600);
        assert_eq!(seconds(7_200, 1), 7_200);
        assert_eq!(seconds(7_200, i32::MAX), 7_200);
    }
}
