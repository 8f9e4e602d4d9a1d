//! SendMessage: the one way a message to a customer begins, whoever asks for it.

use chrono::{DateTime, TimeDelta, Utc};
use db::{
    Db, TenantTx,
    idempotency::{self, Outcome, RequestHash},
    outbox,
};
use ids::{ConversationId, MessageId, TenantScope};
use prost::Message as _;
use proto::messaging::{
    events::v1::MessageQueued,
    v1::{Message, MessageContent, message_content::Kind},
};

use crate::{
    domain::{
        content::{outbound, preview},
        window,
    },
    error::Error,
    ops::view,
    store::{
        conversations::{self, Target},
        messages::{self, Outbound},
        queue::{self, Waiting},
        routes::Route,
    },
};

/// A message that could not be sent is given up after this time, unless the caller says otherwise.
const LIFETIME: TimeDelta = TimeDelta::hours(24);

/// What to send where.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) conversation_id: ConversationId,
    pub(crate) content: MessageContent,
    pub(crate) reply_to: Option<MessageId>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) idempotency: Option<(String, RequestHash)>,
}

/// Stores the message and puts it into the number's lane; the answer means that it will be sent.
pub(crate) async fn send_message(
    db: &Db,
    scope: &TenantScope,
    input: Input,
) -> Result<Message, Error> {
    outbound::check(&input.content).map_err(Error::Content)?;
    let mut tx = TenantTx::begin(db, scope).await?;
    let guard = match &input.idempotency {
        Some((key, hash)) => match idempotency::begin(&mut tx, "SendMessage", key, *hash).await? {
            Outcome::Replay(answer) => return replayed(&answer),
            Outcome::New(guard) => Some(guard),
        },
        None => None,
    };
    let now = db.clock().now();
    let target =
        conversations::lock_target(tx.conn(), scope.organization_id, input.conversation_id)
            .await?
            .ok_or(Error::NotFound("conversation"))?;
    check(&target, &input.content, now)?;
    let input = resolve_targets(&mut tx, scope, input).await?;
    let message = store(&mut tx, scope, &target, &input, now).await?;
    if let Some(guard) = guard {
        guard.store(&mut tx, &message.encode_to_vec()).await?;
    }
    tx.commit().await?;
    kill::point!("messaging.message-queued");
    Ok(message)
}

fn replayed(answer: &[u8]) -> Result<Message, Error> {
    Message::decode(answer).map_err(|error| Error::Inconsistent {
        table: "idempotency_keys",
        column: "response",
        source: serde::de::Error::custom(error),
    })
}

fn check(target: &Target, content: &MessageContent, now: DateTime<Utc>) -> Result<(), Error> {
    if !target.channel_active {
        return Err(Error::ChannelUnavailable);
    }
    if !target.reachable {
        return Err(Error::RecipientUnknown);
    }
    if !window::allows(content, target.last_inbound_at, now) {
        return Err(Error::WindowClosed);
    }
    Ok(())
}

/// The messages that are answered or reacted to must be known to WhatsApp.
async fn resolve_targets(
    tx: &mut TenantTx,
    scope: &TenantScope,
    mut input: Input,
) -> Result<Input, Error> {
    let mut wamid_of = async |id: MessageId| -> Result<String, Error> {
        messages::find_wamid(tx.conn(), scope.organization_id, input.conversation_id, id)
            .await?
            .ok_or(Error::ReplyTargetUnknown)
    };
    if let Some(reply_to) = input.reply_to {
        wamid_of(reply_to).await?;
    }
    if let Some(Kind::Reaction(reaction)) = &mut input.content.kind {
        let id = view::id("content.reaction.messageId", &reaction.message_id)?;
        reaction.wamid = wamid_of(id).await?;
    }
    Ok(input)
}

async fn store(
    tx: &mut TenantTx,
    scope: &TenantScope,
    target: &Target,
    input: &Input,
    now: DateTime<Utc>,
) -> Result<Message, Error> {
    let organization_id = scope.organization_id;
    let id = MessageId::stamped(now);
    let author = scope.actor.to_string();
    let content = serde_json::to_value(&input.content).map_err(|source| Error::Inconsistent {
        table: "messages",
        column: "content",
        source,
    })?;
    let expires_at = input.expires_at.unwrap_or(now + LIFETIME);
    let row = Outbound {
        id,
        conversation_id: input.conversation_id,
        channel_id: target.channel_id,
        contact_id: target.contact_id,
        content: &content,
        reply_to_message_id: input.reply_to,
        author: &author,
        expires_at,
    };
    messages::insert_outbound(tx.conn(), organization_id, &row, now).await?;
    let waiting = Waiting {
        route: Route {
            organization_id,
            channel_id: target.channel_id,
        },
        message_id: id,
        conversation_id: input.conversation_id,
        priority: 0,
        due_at: now,
        expires_at,
    };
    queue::insert(tx.conn(), waiting).await?;
    let line = preview::line(&input.content);
    conversations::touch_outbound(
        tx.conn(),
        organization_id,
        input.conversation_id,
        &line,
        now,
    )
    .await?;
    let queued = MessageQueued {
        message_id: id.to_string(),
        conversation_id: input.conversation_id.to_string(),
        channel_id: target.channel_id.to_string(),
        contact_id: target.contact_id.to_string(),
        content: Some(input.content.clone()),
        author: author.clone(),
    };
    let event = bus::event(&queued, Some(organization_id), Some(author), now);
    outbox::push(tx, &[event]).await?;
    let stored = messages::find(tx.conn(), organization_id, id)
        .await?
        .ok_or(Error::NotFound("message"))?;
    view::message(stored)
}
