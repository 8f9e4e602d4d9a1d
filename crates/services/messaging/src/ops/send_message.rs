//! SendMessage: the one way a message to a customer begins, whoever asks for it.

use chrono::{DateTime, TimeDelta, Utc};
use db::{
    AsTx, Db, TenantTx,
    idempotency::{self, Outcome, RequestHash},
    outbox::{self, Event},
};
use errors::FieldViolation;
use ids::{ConversationId, MessageId, TenantScope};
use prost::Message as _;
use proto::messaging::{
    events::v1::MessageQueued,
    v1::{MediaKind, Message, MessageContent, message_content::Kind},
};

use crate::{
    domain::{
        self,
        content::{outbound, preview},
        window,
    },
    error::Error,
    ops::{changes, show_media, sight::Sight, templates, view},
    store::{
        conversations::{self, Target},
        media,
        messages::{self, Outbound},
        queue::{self as send_queue, Waiting},
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
    sight: &Sight,
    input: Input,
) -> Result<Message, Error> {
    outbound::check(&input.content).map_err(Error::Content)?;
    let mut tx = TenantTx::begin(db, scope).await?;
    let organization_id = scope.organization_id;
    sight
        .within(
            tx.conn(),
            organization_id,
            input.conversation_id,
            "conversation",
        )
        .await?;
    let guard = match &input.idempotency {
        Some((key, hash)) => match idempotency::begin(&mut tx, "SendMessage", key, *hash).await? {
            Outcome::Replay(answer) => return replayed(&answer),
            Outcome::New(guard) => Some(guard),
        },
        None => None,
    };
    let now = db.clock().now();
    let (id, event) = queue(&mut tx, scope, input, now).await?;
    outbox::push(&mut tx, &[event]).await?;
    let stored = messages::find(tx.conn(), organization_id, id)
        .await?
        .ok_or(Error::NotFound("message"))?;
    let message = view::message(stored)?;
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

/// Puts a message into its lane in the caller's transaction, where everything that begins a message ends up. The event
/// is for the caller to push, behind those of what came before.
pub(crate) async fn queue(
    tx: &mut impl AsTx,
    scope: &TenantScope,
    input: Input,
    now: DateTime<Utc>,
) -> Result<(MessageId, Event), Error> {
    let organization_id = scope.organization_id;
    let target = conversations::lock_target(tx.conn(), organization_id, input.conversation_id)
        .await?
        .ok_or(Error::NotFound("conversation"))?;
    let input = Input {
        // The one that was asked for may be part of another by now.
        conversation_id: target.id,
        ..input
    };
    check(&target, &input.content, now)?;
    if target.resolved {
        changes::reopen(tx, scope, target.id, now).await?;
    }
    let mut input = resolve_targets(tx, scope, input).await?;
    templates::sending::prepare(tx, scope, &target, &mut input.content).await?;
    resolve_file(tx, scope, &mut input.content).await?;
    store(tx, scope, &target, &input, now).await
}

fn check(target: &Target, content: &MessageContent, now: DateTime<Utc>) -> Result<(), Error> {
    if !target.channel_active {
        return Err(Error::ChannelUnavailable);
    }
    if target.blocked {
        return Err(Error::ContactBlocked);
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
    tx: &mut impl AsTx,
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

/// A file of ours must be there, and be of the kind it is sent as. Its recipient sees its name.
async fn resolve_file(
    tx: &mut impl AsTx,
    scope: &TenantScope,
    content: &mut MessageContent,
) -> Result<(), Error> {
    let (Some(id), Some(Kind::Media(sent))) = (show_media::uploaded(content), &mut content.kind)
    else {
        return Ok(());
    };
    let wrong = |message: &str| {
        let violation = FieldViolation::new("content.media.mediaId", message);
        Error::Content(vec![violation])
    };
    let found = media::find(tx.conn(), scope.organization_id, id).await?;
    let file = found.filter(|file| file.direction == "outbound");
    let file = file.ok_or_else(|| wrong("there is no such uploaded file"))?;
    if !file.is_ready() {
        return Err(wrong("the file is not uploaded yet"));
    }
    if domain::media::kind(&file.kind) != sent.kind() {
        return Err(wrong("the file was uploaded as another kind"));
    }
    if sent.kind() == MediaKind::Document && sent.filename.is_empty() {
        sent.filename = file.filename;
    }
    sent.mime_type = file.mime_type;
    Ok(())
}

async fn store(
    tx: &mut impl AsTx,
    scope: &TenantScope,
    target: &Target,
    input: &Input,
    now: DateTime<Utc>,
) -> Result<(MessageId, Event), Error> {
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
    send_queue::insert(tx.conn(), waiting).await?;
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
    Ok((id, event))
}
