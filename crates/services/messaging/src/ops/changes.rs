//! What a team does with its conversations: one at a time, or many at once.

mod change;

use std::collections::BTreeSet;

use db::{
    Db, TenantTx,
    idempotency::{self, Outcome, RequestHash},
};
use errors::Classify;
use ids::{ConversationId, TenantScope};
use prost::Message as _;
use proto::messaging::v1::{ChangeConversationsResponse, Conversation, RefusedChange};

pub(crate) use self::change::{Change, reopen, require_agents};
use crate::{
    error::Error,
    events::worked::Traces,
    ops::{lists, sight::Sight},
    store::{entries, work},
};

/// What to do with which conversation.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) conversation_id: ConversationId,
    /// Of the conversation as the caller read it; 0 for whatever it is.
    pub(crate) version: u64,
    pub(crate) change: Change,
}

/// Changes one conversation and answers how it is now.
pub(crate) async fn change_conversation(
    db: &Db,
    scope: &TenantScope,
    sight: &Sight,
    input: Input,
) -> Result<Conversation, Error> {
    let now = db.clock().now();
    let mut tx = TenantTx::begin(db, scope).await?;
    let mut traces = Traces::default();
    change::apply(&mut tx, scope, sight, &input, now, &mut traces).await?;
    leave(&mut tx, traces, now).await?;
    // Whoever gives a conversation away sees it once more.
    let conversation = lists::read_conversation(&mut tx, db, scope, input.conversation_id).await?;
    tx.commit().await?;
    Ok(conversation)
}

/// The same change for many.
#[derive(Debug)]
pub(crate) struct Many {
    pub(crate) conversation_ids: BTreeSet<ConversationId>,
    pub(crate) change: Change,
    pub(crate) idempotency: Option<(String, RequestHash)>,
}

/// Changes each that can be changed, and tells which could not and why.
pub(crate) async fn change_conversations(
    db: &Db,
    scope: &TenantScope,
    sight: &Sight,
    input: Many,
) -> Result<ChangeConversationsResponse, Error> {
    let now = db.clock().now();
    let mut tx = TenantTx::begin(db, scope).await?;
    let guard = match &input.idempotency {
        Some((key, hash)) => {
            match idempotency::begin(&mut tx, "ChangeConversations", key, *hash).await? {
                Outcome::Replay(answer) => return replayed(&answer),
                Outcome::New(guard) => Some(guard),
            }
        }
        None => None,
    };
    let mut answer = ChangeConversationsResponse::default();
    let mut traces = Traces::default();
    // In the order of their ids: two calls about the same conversations wait for each other instead of locking up.
    for conversation_id in input.conversation_ids {
        let one = Input {
            conversation_id,
            version: 0,
            change: input.change.clone(),
        };
        match change::apply(&mut tx, scope, sight, &one, now, &mut traces).await {
            Ok(()) => answer.changed += 1,
            Err(error) if error.is_refusal() => answer.refused.push(RefusedChange {
                conversation_id: conversation_id.to_string(),
                code: error.code().id.to_owned(),
                detail: error.detail().into_owned(),
            }),
            Err(error) => return Err(error),
        }
    }
    leave(&mut tx, traces, now).await?;
    if let Some(guard) = guard {
        guard.store(&mut tx, &answer.encode_to_vec()).await?;
    }
    tx.commit().await?;
    Ok(answer)
}

fn replayed(answer: &[u8]) -> Result<ChangeConversationsResponse, Error> {
    ChangeConversationsResponse::decode(answer).map_err(|error| Error::Inconsistent {
        table: "idempotency_keys",
        column: "response",
        source: serde::de::Error::custom(error),
    })
}

/// Writes what changes left behind.
pub(crate) async fn leave(
    tx: &mut impl db::AsTx,
    traces: Traces,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), Error> {
    if traces.entries.is_empty() {
        return Ok(());
    }
    entries::insert(tx.conn(), &traces.entries, now).await?;
    db::outbox::push(tx, &traces.events).await?;
    Ok(())
}

/// Saves conversations that the platform itself changed, and leaves the traces of that.
pub(crate) async fn save_all(
    tx: &mut impl db::AsTx,
    changed: &[(work::Work, work::Work)],
    actor: &str,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), Error> {
    if changed.is_empty() {
        return Ok(());
    }
    let after: Vec<&work::Work> = changed.iter().map(|(_, after)| after).collect();
    work::save(tx.conn(), &after).await?;
    let mut traces = Traces::default();
    for (before, after) in changed {
        traces.add(before, after, actor, now);
    }
    leave(tx, traces, now).await
}
