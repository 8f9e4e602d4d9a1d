//! OpenConversation: the conversation with a phone number, found or made.

use std::collections::BTreeSet;

use db::{
    Db, TenantTx,
    idempotency::{self, Outcome, RequestHash},
    outbox,
};
use ids::{ChannelId, ContactId, ConversationId, TenantScope};
use proto::messaging::{events::v1::ConversationOpened, v1::Conversation};

use crate::{
    error::Error,
    events::publish::{self, Occasion},
    grpc::convert,
    store::{
        channels, conversations,
        intake::contacts::{self, Identity},
    },
};

/// With whom, through which number.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) channel_id: ChannelId,
    /// `+` and digits, checked by the field rules.
    pub(crate) phone: String,
    pub(crate) contact_name: String,
    pub(crate) idempotency: Option<(String, RequestHash)>,
}

/// Opens it. Nothing is sent.
pub(crate) async fn open_conversation(
    db: &Db,
    scope: &TenantScope,
    input: Input,
) -> Result<Conversation, Error> {
    let organization_id = scope.organization_id;
    let mut tx = TenantTx::begin(db, scope).await?;
    let guard = match &input.idempotency {
        Some((key, hash)) => {
            match idempotency::begin(&mut tx, "OpenConversation", key, *hash).await? {
                // The conversation lives on: answer how it is now, not how it was.
                Outcome::Replay(answer) => {
                    let id = String::from_utf8(answer).unwrap_or_default();
                    let id = convert::id("conversationId", &id)?;
                    return read(&mut tx, db, scope, id).await;
                }
                Outcome::New(guard) => Some(guard),
            }
        }
        None => None,
    };
    channels::find(tx.conn(), organization_id, input.channel_id)
        .await?
        .ok_or(Error::NotFound("channel"))?;
    let contact_id = contact(&mut tx, db, scope, &input).await?;
    let now = db.clock().now();
    let fresh = ConversationId::generate_at(db.clock().unix_ms());
    let (id, created) = conversations::open(
        tx.conn(),
        organization_id,
        input.channel_id,
        contact_id,
        fresh,
        now,
    )
    .await?;
    if created {
        let opened = ConversationOpened {
            conversation_id: id.to_string(),
            channel_id: input.channel_id.to_string(),
            contact_id: contact_id.to_string(),
        };
        let actor = scope.actor.to_string();
        let occasion = Occasion {
            organization_id,
            now,
            actor: &actor,
        };
        outbox::push(&mut tx, &[publish::event(&opened, occasion)]).await?;
    }
    if let Some(guard) = guard {
        guard.store(&mut tx, id.to_string().as_bytes()).await?;
    }
    let conversation = read(&mut tx, db, scope, id).await?;
    tx.commit().await?;
    Ok(conversation)
}

async fn read(
    tx: &mut TenantTx,
    db: &Db,
    scope: &TenantScope,
    id: ConversationId,
) -> Result<Conversation, Error> {
    let found = conversations::find(tx.conn(), scope.organization_id, id)
        .await?
        .ok_or(Error::NotFound("conversation"))?;
    Ok(convert::conversation(found, db.clock().now()))
}

/// The contact of the number in any of its spellings; made where nobody has it.
async fn contact(
    tx: &mut TenantTx,
    db: &Db,
    scope: &TenantScope,
    input: &Input,
) -> Result<ContactId, Error> {
    let digits = input.phone.trim_start_matches('+').to_owned();
    let organization_id = scope.organization_id;
    let identity = |value: &str| Identity {
        organization_id,
        kind: "phone",
        value: value.to_owned(),
    };
    let mut spellings = BTreeSet::from([identity(&digits)]);
    spellings.extend(
        whatsapp::phone::match_candidates(&digits)
            .iter()
            .map(|other| identity(other)),
    );
    if let Some(least) = spellings.first() {
        let name = format!("{organization_id}:{}:{}", least.kind, least.value);
        contacts::lock(tx.conn(), &BTreeSet::from([name])).await?;
    }
    let known = contacts::find(tx.conn(), &spellings).await?;
    let exact = known.get(&identity(&digits));
    if let Some(contact) = exact.or_else(|| known.values().min()) {
        return Ok(*contact);
    }
    let clock = db.clock();
    let id = ContactId::generate_at(clock.unix_ms());
    let fresh = [(organization_id, id, input.contact_name.clone())];
    contacts::insert(tx.conn(), &fresh, clock.now()).await?;
    contacts::insert_identities(tx.conn(), &[(&identity(&digits), id)], clock.now()).await?;
    Ok(id)
}
