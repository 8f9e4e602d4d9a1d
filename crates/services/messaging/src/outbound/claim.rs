//! Claiming: what is due becomes attempts, in one transaction that also renews the lease.

mod files;

use chrono::{DateTime, TimeDelta, Utc};
use db::{TenantTx, outbox};
use ids::{AttemptId, MediaId, MessageId};
use proto::messaging::v1::{Failure, MessageContent, message_content::Kind};
use whatsapp::{
    CallbackMark,
    send::{Draft, Outgoing, Recipient},
};

use self::files::{File, Uploads};
use super::{engine::Engine, pace::Pace};
use crate::{
    domain::{content::outbound, failure, status::Status, window},
    error::Error,
    events::publish,
    store::{
        channels::{self, Sender},
        lanes::{self, Lease},
        queue::{self, Claimed},
        results,
        routes::Route,
    },
};

/// How long a lease lasts without being renewed: so long a number rests after its owner crashed.
pub(crate) const LEASE: TimeDelta = TimeDelta::seconds(15);

/// One call to be made.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) message_id: MessageId,
    pub(crate) attempt_id: AttemptId,
    pub(crate) attempt: u32,
    pub(crate) outgoing: Outgoing,
    /// WhatsApp's id of the file it is sent with, if that was given out before the message was written: it may be known
    /// no more.
    pub(crate) old_upload: Option<String>,
}

/// What a claim found.
#[derive(Debug)]
pub(crate) enum Claim {
    /// Another replica owns the lane.
    Lost,
    /// The channel is blocked: nothing is sent until it is connected again.
    Blocked,
    /// The calls to make, with the channel they go through. Fewer than asked for: nothing else is due.
    Calls {
        calls: Vec<Ready>,
        sender: Sender,
        claimed: usize,
    },
}

/// Claims up to `limit` messages.
pub(crate) async fn claim(
    engine: &Engine,
    lease: &Lease,
    pace: &mut Pace,
    limit: u32,
) -> Result<Claim, Error> {
    let now = engine.clock().now();
    let route = lease.route;
    let mut tx = TenantTx::begin(&engine.db, &Engine::scope(route)).await?;
    if !lanes::renew(tx.conn(), lease, now + LEASE).await? {
        return Ok(Claim::Lost);
    }
    let sender = channels::find_sender(tx.conn(), route.organization_id, route.channel_id)
        .await?
        .ok_or(Error::NotFound("channel"))?;
    if !sender.active {
        tx.commit().await?;
        return Ok(Claim::Blocked);
    }
    pace.set_throughput(sender.throughput_per_second);
    let claimed = queue::claim(tx.conn(), lease, now, i64::from(limit)).await?;
    let count = claimed.len();
    let mut sorted = Sorted {
        files: files::find(&mut tx, route, &claimed, now).await?,
        ..Sorted::default()
    };
    for message in claimed {
        sorted.sort(engine, pace, &message, now);
    }
    let calls = sorted.write(&mut tx, lease, now).await?;
    tx.commit().await?;
    Ok(Claim::Calls {
        calls,
        sender,
        claimed: count,
    })
}

#[derive(Default)]
struct Sorted {
    files: Uploads,
    calls: Vec<Ready>,
    /// They wait for a file to be uploaded.
    awaiting: Vec<(MessageId, MediaId, DateTime<Utc>)>,
    postponed: Vec<(MessageId, DateTime<Utc>)>,
    ended: Vec<(MessageId, Status, Option<Failure>)>,
}

impl Sorted {
    /// What held when the message was queued is checked again right before it is sent: after an
    /// outage the window may have closed, and a code may have expired.
    fn sort(&mut self, engine: &Engine, pace: &mut Pace, message: &Claimed, now: DateTime<Utc>) {
        let id = message.message_id;
        if message.expires_at <= now {
            self.ended.push((id, Status::Expired, None));
            return;
        }
        if message.blocked {
            self.fail(
                id,
                "recipient",
                "The contact was blocked before this was sent.",
            );
            return;
        }
        if let Some(purpose) = &message.unwanted {
            let hint = format!("The customer took {purpose} consent back before this was sent.");
            self.fail(id, "recipient", &hint);
            return;
        }
        let mut content: MessageContent = match serde_json::from_value(message.content.clone()) {
            Ok(content) => content,
            Err(error) => {
                tracing::error!(message.id = %id, error = %error, "stored content can't be read");
                self.fail(
                    id,
                    "content",
                    "The stored message can't be read. Write it again.",
                );
                return;
            }
        };
        if !window::allows(&content, message.last_inbound_at, now) {
            let failure = failure::window_closed();
            self.ended.push((id, Status::Failed, Some(failure)));
            return;
        }
        let Some((kind, address)) = &message.address else {
            self.fail(
                id,
                "recipient",
                "The contact has no WhatsApp address any more.",
            );
            return;
        };
        let old_upload = match self.files.attach(&mut content, id) {
            File::None => None,
            File::Uploaded { old } => old,
            File::Awaited(media_id) => {
                self.awaiting.push((id, media_id, message.expires_at));
                return;
            }
            File::Gone => {
                self.fail(
                    id,
                    "content",
                    "The file of the message is not there any more. Upload it again.",
                );
                return;
            }
        };
        if let Err(due_at) = pace.take_turn(address, now) {
            self.postponed.push((id, due_at));
            return;
        }
        match outgoing(engine, message, &content, kind, address) {
            Some(outgoing) => self.calls.push(Ready {
                message_id: id,
                attempt_id: AttemptId::generate_at(engine.clock().unix_ms()),
                attempt: attempt_number(message),
                outgoing,
                old_upload,
            }),
            None => self.fail(id, "content", "WhatsApp would not accept this message."),
        }
    }

    fn fail(&mut self, id: MessageId, class: &str, hint: &str) {
        self.ended
            .push((id, Status::Failed, Some(failure::ours(class, hint))));
    }

    async fn write(
        self,
        tx: &mut TenantTx,
        lease: &Lease,
        now: DateTime<Utc>,
    ) -> Result<Vec<Ready>, Error> {
        let route = lease.route;
        if !self.postponed.is_empty() {
            queue::postpone(tx.conn(), route, &self.postponed).await?;
        }
        if !self.awaiting.is_empty() {
            files::wait(tx, route, &self.awaiting, now).await?;
        }
        if !self.ended.is_empty() {
            let events = end(tx, route, &self.ended, now).await?;
            outbox::push(tx, &events).await?;
        }
        if !self.calls.is_empty() {
            let attempts: Vec<(AttemptId, MessageId, i32)> = self
                .calls
                .iter()
                .map(|call| {
                    (
                        call.attempt_id,
                        call.message_id,
                        i32::try_from(call.attempt).unwrap_or(i32::MAX),
                    )
                })
                .collect();
            queue::begin_attempts(tx.conn(), lease, &attempts, now).await?;
        }
        Ok(self.calls)
    }
}

/// Ends messages without an accepted attempt and returns the events of those that moved.
pub(crate) async fn end(
    tx: &mut TenantTx,
    route: Route,
    ended: &[(MessageId, Status, Option<Failure>)],
    now: DateTime<Utc>,
) -> Result<Vec<outbox::Event>, Error> {
    let rows: Vec<_> = ended
        .iter()
        .map(|(id, status, failure)| {
            let failure = failure
                .as_ref()
                .and_then(|failure| serde_json::to_value(failure).ok());
            (*id, *status, failure)
        })
        .collect();
    let moved = results::finish(tx.conn(), route, &rows, now).await?;
    Ok(moved
        .iter()
        .map(|moved| publish::moved(moved, now, publish::LANE))
        .collect())
}

fn attempt_number(message: &Claimed) -> u32 {
    u32::try_from(message.attempt).unwrap_or(1)
}

fn outgoing(
    engine: &Engine,
    message: &Claimed,
    content: &MessageContent,
    kind: &str,
    address: &str,
) -> Option<Outgoing> {
    let recipient = match kind {
        // Meta: without the `+` the business's own country code may be prepended.
        "phone" => Recipient::Phone(format!("+{address}")),
        _ => Recipient::BusinessScoped(address.to_owned()),
    };
    let mark = engine.callback.seal(CallbackMark {
        message_id: message.message_id,
        attempt: attempt_number(message),
    });
    let mut draft = Draft::new(recipient, outbound::convert(content).ok()?).callback_data(mark);
    let reaction = matches!(content.kind, Some(Kind::Reaction(_)));
    if let Some(wamid) = message.reply_to_wamid.as_ref().filter(|_| !reaction) {
        draft = draft.reply_to(wamid);
    }
    draft.build().ok()
}
