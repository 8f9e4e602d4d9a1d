//! CreateNote: what the team says among itself.

use db::{
    Db, TenantTx,
    idempotency::{self, Outcome, RequestHash},
    outbox,
};
use ids::{ConversationId, MessageId, TenantScope, UserId};
use proto::messaging::{
    events::v1::NoteCreated,
    v1::{Message, MessageContent, Note, message_content::Kind},
};

use crate::{
    error::Error,
    ops::{changes, lists, sight::Sight, view},
    store::{
        entries::{self, Direction, Entry},
        participants, reads, work,
    },
};

/// What is written where, and for whom.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) conversation_id: ConversationId,
    pub(crate) body: String,
    pub(crate) mentioned: Vec<UserId>,
    pub(crate) idempotency: Option<(String, RequestHash)>,
}

/// Writes the note into the conversation's stream. Whoever is mentioned follows the conversation, and so can see it.
pub(crate) async fn create_note(
    db: &Db,
    scope: &TenantScope,
    sight: &Sight,
    mut input: Input,
) -> Result<Message, Error> {
    input.mentioned.sort_unstable();
    input.mentioned.dedup();
    let (now, organization_id) = (db.clock().now(), scope.organization_id);
    let mut tx = TenantTx::begin(db, scope).await?;
    let guard = match &input.idempotency {
        Some((key, hash)) => match idempotency::begin(&mut tx, "CreateNote", key, *hash).await? {
            Outcome::Replay(answer) => {
                let id = String::from_utf8(answer).unwrap_or_default();
                let id = view::id("messageId", &id)?;
                return lists::read_message(&mut tx, scope, sight, id).await;
            }
            Outcome::New(guard) => Some(guard),
        },
        None => None,
    };
    let about = work::lock(tx.conn(), organization_id, input.conversation_id)
        .await?
        .ok_or(Error::NotFound("conversation"))?;
    sight
        .within(tx.conn(), organization_id, about.id, "conversation")
        .await?;
    changes::require_agents(tx.conn(), organization_id, &input.mentioned).await?;
    let note = Note {
        body: input.body,
        mentioned_user_ids: input.mentioned.iter().map(UserId::to_string).collect(),
    };
    let id = MessageId::stamped(now);
    write(&mut tx, scope, &about, id, &note, now).await?;
    if !input.mentioned.is_empty() {
        let users = &input.mentioned;
        reads::mention(tx.conn(), organization_id, about.id, id, users).await?;
        participants::add(tx.conn(), organization_id, about.id, users, now).await?;
    }
    if let Some(guard) = guard {
        guard.store(&mut tx, id.to_string().as_bytes()).await?;
    }
    let message = lists::read_message(&mut tx, scope, sight, id).await?;
    tx.commit().await?;
    Ok(message)
}

async fn write(
    tx: &mut TenantTx,
    scope: &TenantScope,
    about: &work::Work,
    id: MessageId,
    note: &Note,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), Error> {
    let content = MessageContent {
        kind: Some(Kind::Note(note.clone())),
    };
    let author = scope.actor.to_string();
    let entry = Entry {
        organization_id: scope.organization_id,
        id,
        conversation_id: about.id,
        channel_id: about.channel_id,
        contact_id: about.contact_id,
        direction: Direction::Note,
        content: serde_json::to_value(content).map_err(|source| Error::Inconsistent {
            table: "messages",
            column: "content",
            source,
        })?,
        author: author.clone(),
    };
    entries::insert(tx.conn(), &[entry], now).await?;
    let created = NoteCreated {
        message_id: id.to_string(),
        conversation_id: about.id.to_string(),
        author: author.clone(),
        note: Some(note.clone()),
    };
    let event = bus::event(&created, Some(scope.organization_id), Some(author), now);
    outbox::push(tx, &[event]).await?;
    Ok(())
}
