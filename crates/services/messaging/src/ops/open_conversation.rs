//! OpenConversation: the conversation with a phone number, found or made.

use std::collections::{BTreeMap, BTreeSet};

use db::{
    Db, TenantTx,
    idempotency::{self, Outcome, RequestHash},
    outbox,
};
use ids::{ChannelId, ContactId, ConversationId, TenantScope};
use proto::messaging::v1::Conversation;

use crate::{
    error::Error,
    events::publish,
    ops::{changes, contacts::held, lists, sight::Sight, view},
    store::{
        channels, conversations,
        intake::contacts::{self, Identity},
        participants,
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

/// Opens it. Nothing is sent. Who may not see every conversation follows the one it begins, and does not get into one
/// that others have.
pub(crate) async fn open_conversation(
    db: &Db,
    scope: &TenantScope,
    sight: &Sight,
    input: Input,
) -> Result<Conversation, Error> {
    let organization_id = scope.organization_id;
    let caller = view::person(scope);
    if sight.reach().is_some() && caller.is_none() {
        // A program follows nothing: it would not see what it began.
        return Err(Error::NotFound("channel"));
    }
    let mut tx = TenantTx::begin(db, scope).await?;
    let guard = match &input.idempotency {
        Some((key, hash)) => {
            match idempotency::begin(&mut tx, "OpenConversation", key, *hash).await? {
                // The conversation lives on: answer how it is now, not how it was.
                Outcome::Replay(answer) => {
                    let id = String::from_utf8(answer).unwrap_or_default();
                    let id = view::id("conversationId", &id)?;
                    sight
                        .within(tx.conn(), organization_id, id, "conversation")
                        .await?;
                    return lists::read_conversation(&mut tx, db, scope, id).await;
                }
                Outcome::New(guard) => Some(guard),
            }
        }
        None => None,
    };
    channels::find(tx.conn(), organization_id, input.channel_id)
        .await?
        .ok_or(Error::NotFound("channel"))?;
    let (contact_id, number) = contact(&mut tx, db, scope, &input).await?;
    let now = db.clock().now();
    let fresh = ConversationId::stamped(now);
    let (id, created) = conversations::open(
        tx.conn(),
        organization_id,
        input.channel_id,
        contact_id,
        Some((number.kind, &number.value)),
        fresh,
        now,
    )
    .await?;
    if created {
        if sight.reach().is_some() {
            let users = caller.as_slice();
            participants::add(tx.conn(), organization_id, id, users, now).await?;
        }
        let event = publish::conversation_opened(scope, id, input.channel_id, contact_id, now);
        outbox::push(&mut tx, &[event]).await?;
    } else {
        sight
            .within(tx.conn(), organization_id, id, "conversation")
            .await?;
        changes::reopen(&mut tx, scope, id, now).await?;
    }
    if let Some(guard) = guard {
        guard.store(&mut tx, id.to_string().as_bytes()).await?;
    }
    let conversation = lists::read_conversation(&mut tx, db, scope, id).await?;
    tx.commit().await?;
    Ok(conversation)
}

/// The contact of the number in any of its spellings, with the one that it has; made where nobody has it, and named where
/// it has no name. It is not merged before the transaction ends.
async fn contact(
    tx: &mut TenantTx,
    db: &Db,
    scope: &TenantScope,
    input: &Input,
) -> Result<(ContactId, Identity), Error> {
    let organization_id = scope.organization_id;
    let number = Identity {
        organization_id,
        kind: "phone",
        value: input.phone.trim_start_matches('+').to_owned(),
    };
    let mut spellings = BTreeSet::from([number.clone()]);
    spellings.extend(number.other_spellings());
    contacts::lock(tx.conn(), &spellings).await?;
    let known = contacts::find(tx.conn(), &spellings).await?;
    let now = db.clock().now();
    let found = known
        .get_key_value(&number)
        .or_else(|| known.iter().min_by_key(|(_, known)| known.contact_id));
    if let Some((identity, found)) = found {
        let contact_id = held(tx, organization_id, found.contact_id).await?;
        if !found.named && !input.contact_name.is_empty() {
            let key = (organization_id, contact_id);
            let names = BTreeMap::from([(key, input.contact_name.as_str())]);
            contacts::name_unnamed(tx.conn(), &names, now).await?;
        }
        return Ok((contact_id, identity.clone()));
    }
    let id = ContactId::stamped(now);
    let fresh = [(organization_id, id, input.contact_name.clone())];
    contacts::insert(tx.conn(), &fresh, now).await?;
    let identities = BTreeSet::from([(number.clone(), id)]);
    contacts::insert_identities(tx.conn(), &identities, now).await?;
    Ok((id, number))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ids::MergeId;
    use testkit::eventually;

    use super::*;
    use crate::{
        fixture::Fixture,
        store::merges::{self, Order},
    };

    fn with(fixture: &Fixture, phone: &str) -> Input {
        Input {
            channel_id: fixture.route.channel_id,
            phone: phone.to_owned(),
            contact_name: String::new(),
            idempotency: None,
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_contact_that_is_merged_meanwhile_is_met_as_what_it_became() {
        let fixture = Fixture::new().await;
        let (kept, other) = (
            fixture.contact("491701").await,
            fixture.contact("491702").await,
        );
        let of = fixture.route.organization_id;
        let mut merging = fixture.tenant().await;
        let both = [kept.as_uuid(), other.as_uuid()];
        merges::lock(merging.conn(), &[of.as_uuid(); 2], &both)
            .await
            .expect("locked");
        let order = Order {
            organization_id: of,
            id: MergeId::stamped(fixture.now()),
            kept,
            other,
            reason: "manual",
            actor: "system:test",
            now: fixture.now(),
        };
        merges::merge(merging.conn(), &order).await.expect("merged");
        let scope = fixture.scope();
        let opening = open_conversation(
            &fixture.db,
            &scope,
            &Sight::EVERYTHING,
            with(&fixture, "+491702"),
        );
        let committing = async {
            eventually(Duration::from_secs(20), async || {
                fixture.lock_waits().await > 0
            })
            .await;
            merging.commit().await.expect("commit");
        };
        let (opened, ()) = tokio::join!(opening, committing);
        assert_eq!(opened.expect("a conversation").contact_id, kept.to_string());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_known_contact_gets_a_name_once() {
        let fixture = Fixture::new().await;
        let thread = fixture.conversation("491701").await;
        for name in ["", "Ada", "Grace"] {
            let input = Input {
                contact_name: name.to_owned(),
                ..with(&fixture, "+491701")
            };
            let opened =
                open_conversation(&fixture.db, &fixture.scope(), &Sight::EVERYTHING, input).await;
            let opened = opened.expect("a conversation");
            assert_eq!(opened.id, thread.id.to_string());
            let expected = if name.is_empty() { "" } else { "Ada" };
            assert_eq!(opened.contact_name, expected);
        }
    }
}
