//! Tells WhatsApp whom an organization has blocked, and whom not any more.
//!
//! A job names a contact and a number, and tells what is so when it runs: whatever the order of jobs, the last one tells
//! the truth. WhatsApp lets a business block only who wrote to the number within 24 hours (Meta: block users); to others
//! nothing is sent by us either way, and when they write again WhatsApp is told.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use db::{
    DbError, SystemTx, TenantTx,
    jobs::{self, Job, Leased},
};
use ids::{ChannelId, ContactId, OrganizationId, TenantScope};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use whatsapp::{client::CallError, send::Recipient};

use super::every;
use crate::{
    domain::window,
    error::Error,
    events::intake::{people::Person, sort::Incoming},
    outbound::Engine,
    store::{
        channels::{self, Sender},
        contacts, conversations, intake,
    },
};

const KIND: &str = "messaging.tell_block";
const POLL: Duration = Duration::from_secs(5);
/// Longer than a call may take, so that nobody else begins it meanwhile.
const LEASE: Duration = Duration::from_mins(2);
/// The first pause after a failure without one of its own; it grows with each.
const PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_mins(30);

/// The job for a contact on a number.
pub(crate) fn job(
    of: OrganizationId,
    contact_id: ContactId,
    channel_id: ChannelId,
    now: DateTime<Utc>,
) -> Job {
    let payload = json!({ "contact_id": contact_id, "channel_id": channel_id });
    Job::new(KIND, Some(of), payload, now).unique(format!("{contact_id}:{channel_id}"))
}

/// Blocked contacts have written: now WhatsApp may be told of them.
pub(crate) async fn again(
    tx: &mut SystemTx,
    messages: &[Incoming],
    people: &[Person],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let pairs = messages
        .iter()
        .zip(people.iter().map(|person| person.contact_id));
    let all: BTreeSet<_> = pairs
        .clone()
        .map(|(message, id)| (message.route.organization_id, id))
        .collect();
    let blocked = intake::contacts::find_blocked(tx.conn(), &all).await?;
    let told: BTreeSet<_> = pairs
        .filter(|(_, id)| blocked.contains(id))
        .map(|(message, id)| (message.route.organization_id, id, message.route.channel_id))
        .collect();
    let jobs: Vec<Job> = told
        .into_iter()
        .map(|(of, contact_id, channel_id)| job(of, contact_id, channel_id, now))
        .collect();
    jobs::push(tx, &jobs).await?;
    Ok(())
}

/// Works through due jobs until `stop`.
pub(crate) async fn run(engine: Arc<Engine>, stop: CancellationToken) {
    every(POLL, stop, "tell-blocks", || pass(&engine)).await;
}

/// One job; true when there may be more to do.
pub(crate) async fn pass(engine: &Engine) -> Result<bool, Error> {
    let mut tx = SystemTx::begin(&engine.db, "blocked contacts to tell").await?;
    let leased = jobs::claim(&mut tx, KIND, 1, LEASE, &engine.replica).await?;
    tx.commit().await?;
    for job in &leased {
        tell(engine, job).await?;
    }
    Ok(!leased.is_empty())
}

/// What a job comes to.
enum Asked {
    /// There is nothing that WhatsApp could be told.
    Nobody,
    /// The channel must be connected again first.
    Later,
    Tell(Box<Call>),
}

/// A call to be made.
struct Call {
    scope: TenantScope,
    contact_id: ContactId,
    channel_id: ChannelId,
    sender: Sender,
    user: Recipient,
    blocked: bool,
}

async fn tell(engine: &Engine, job: &Leased) -> Result<(), Error> {
    let call = match read(engine, job).await? {
        Asked::Tell(call) => call,
        asked => {
            let mut tx = SystemTx::begin(&engine.db, "a block that is not told now").await?;
            if matches!(asked, Asked::Later) {
                jobs::retry(&mut tx, job, LONGEST_PAUSE, "the channel is blocked").await?;
            } else {
                jobs::finish(&mut tx, job).await?;
            }
            tx.commit().await?;
            return Ok(());
        }
    };
    let token = engine
        .open_token(&call.scope, call.channel_id, &call.sender.access_token)
        .await?;
    let number = &call.sender.phone_number_id;
    let answered = if call.blocked {
        engine.whatsapp.block_user(number, &token, &call.user).await
    } else {
        engine
            .whatsapp
            .unblock_user(number, &token, &call.user)
            .await
    };
    let mut tx = SystemTx::begin(&engine.db, "a told block").await?;
    match answered {
        Ok(()) => {
            jobs::finish(&mut tx, job).await?;
            // Changed while WhatsApp was told: it must hear that too, after this.
            let of = call.scope.organization_id;
            let now = engine.clock().now();
            let contact = contacts::find(tx.conn(), of, call.contact_id).await?;
            if contact.is_some_and(|contact| contact.blocked_at.is_some() != call.blocked) {
                let again = self::job(of, call.contact_id, call.channel_id, now);
                jobs::push(&mut tx, &[again]).await?;
            }
        }
        Err(error) => fail(&mut tx, job, &call, &error).await?,
    }
    tx.commit().await?;
    Ok(())
}

/// Tried again, if that may help.
async fn fail(
    tx: &mut SystemTx,
    job: &Leased,
    call: &Call,
    error: &CallError,
) -> Result<(), Error> {
    let reason = errors::chain(error);
    if let Some(pause) = pause(error, job.attempt) {
        jobs::retry(tx, job, pause, &reason).await?;
    } else {
        tracing::warn!(
            channel.id = %call.channel_id,
            contact.id = %call.contact_id,
            error = reason,
            "WhatsApp does not take a block"
        );
        jobs::fail(tx, job, &reason).await?;
    }
    Ok(())
}

/// What is so now.
async fn read(engine: &Engine, job: &Leased) -> Result<Asked, Error> {
    let id = |key: &str| job.payload.get(key).cloned().unwrap_or_default();
    let (Some(of), Ok(contact_id), Ok(channel_id)) = (
        job.organization_id,
        serde_json::from_value::<ContactId>(id("contact_id")),
        serde_json::from_value::<ChannelId>(id("channel_id")),
    ) else {
        return Ok(Asked::Nobody);
    };
    let scope = TenantScope::system(of, "tell_blocks");
    let mut tx = TenantTx::begin(&engine.db, &scope).await?;
    let (Some(contact), Some(sender)) = (
        contacts::find(tx.conn(), of, contact_id).await?,
        channels::find_sender(tx.conn(), of, channel_id).await?,
    ) else {
        return Ok(Asked::Nobody);
    };
    let blocked = contact.blocked_at.is_some();
    let wrote = conversations::find_last_inbound(tx.conn(), of, channel_id, contact.id).await?;
    let open = window::closes_at(wrote, engine.clock().now()).is_some();
    let mut known = contacts::list_identities(tx.conn(), of, &[contact.id]).await?;
    let known = known.remove(&contact.id).unwrap_or_default();
    let newest = |wanted: &str| {
        let mut values = known.iter().rev().filter(|(kind, _)| kind == wanted);
        values.next().map(|(_, value)| value.clone())
    };
    let user = newest("phone")
        .map(Recipient::Phone)
        .or_else(|| newest("user_id").map(Recipient::BusinessScoped));
    // WhatsApp takes a block within the window only, and its end at any time.
    let allowed = open || !blocked;
    let Some(user) = user.filter(|_| allowed) else {
        return Ok(Asked::Nobody);
    };
    if !sender.active {
        return Ok(Asked::Later);
    }
    Ok(Asked::Tell(Box::new(Call {
        scope,
        contact_id: contact.id,
        channel_id,
        sender,
        user,
        blocked,
    })))
}

/// When to try again; `None` where that would not help.
fn pause(error: &CallError, attempt: i32) -> Option<Duration> {
    let attempt = u32::try_from(attempt).unwrap_or(1);
    let own = match error {
        CallError::Rejected(rejection) if rejection.class == whatsapp::codes::Class::Unknown => {
            None
        }
        CallError::Rejected(rejection) => Some(rejection.class.delay(attempt)?),
        CallError::Unreachable(_) | CallError::Unreadable => None,
    };
    let grown = PAUSE.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
    let asked = errors::Classify::retry_after(error).unwrap_or_default();
    Some(own.unwrap_or(grown).max(asked).min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests;
