//! Finds or makes the contact of each message.

mod link;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use db::outbox::Event;
use ids::{ContactId, OrganizationId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::sort::Sender;
use crate::store::{
    intake::contacts::{self, Identity, Known},
    merges,
};

/// A contact to create, with the name WhatsApp told.
type Fresh = (OrganizationId, ContactId, String);

/// Somebody who is told of in a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Met<'a> {
    pub(crate) of: OrganizationId,
    pub(crate) sender: &'a Sender,
}

/// Who somebody is.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) contact_id: ContactId,
    /// What the person is written to at. A number where one is shown: WhatsApp does not take everything for a user id.
    pub(crate) address: Option<Identity>,
}

/// Who the people of a batch are.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// Each, by position.
    pub(crate) people: Vec<Person>,
    /// What became of contacts that turned out to be one person.
    pub(crate) events: Vec<Event>,
}

/// Finds the contact of each. People nobody knows are created, once, even when two batches meet them at the same moment;
/// contacts that WhatsApp shows to be one person become one. Nobody merges any of them until the transaction ends.
///
/// A transaction does this once, for everybody it meets: contacts are locked in the order of their ids.
pub(crate) async fn resolve(
    conn: &mut PgConnection,
    met: &[Met<'_>],
    now: DateTime<Utc>,
) -> sqlx::Result<Resolved> {
    let wanted: Vec<Vec<Identity>> = met.iter().map(search_keys).collect();
    let mut asked: BTreeSet<Identity> = wanted.iter().flatten().cloned().collect();
    asked.extend(met.iter().flat_map(told));
    let mut known = contacts::find(conn, &asked).await?;

    let strangers: BTreeSet<Identity> = wanted
        .iter()
        .filter(|keys| !keys.iter().any(|key| known.contains_key(key)))
        .flatten()
        .cloned()
        .collect();
    if !strangers.is_empty() {
        contacts::lock(conn, &strangers).await?;
        // Whoever held one of them may have created the person meanwhile.
        known.extend(contacts::find(conn, &strangers).await?);
    }
    sqlx::query("savepoint people").execute(&mut *conn).await?;
    let mut pairs = link::pairs(met, &known);
    while !hold(conn, &known, !pairs.is_empty()).await? {
        // Somebody merged one of them meanwhile: its identities lead to a contact whose turn to be locked may be over.
        // Everything is let go and taken again, in its order.
        sqlx::query("rollback to savepoint people")
            .execute(&mut *conn)
            .await?;
        known = contacts::find(conn, &asked).await?;
        pairs = link::pairs(met, &known);
    }
    let events = link::link(conn, pairs, now).await?;
    if !events.is_empty() {
        known = contacts::find(conn, &asked).await?;
    }
    let (resolved, fresh) = assign(met, &wanted, &known, now);
    if !fresh.is_empty() {
        contacts::insert(conn, &fresh, now).await?;
    }
    attach(conn, met, &resolved, &known, now).await?;
    name(conn, met, &resolved, &known, &fresh, now).await?;
    let people = met
        .iter()
        .zip(resolved)
        .map(|(met, contact_id)| Person {
            contact_id,
            address: address(met, contact_id, &known),
        })
        .collect();
    Ok(Resolved { people, events })
}

/// Everybody whom the batch knows, in one statement and one order: locks taken in two steps could wait for each other.
/// Those who are to be merged are locked alone. False when one of them is part of another contact by now.
async fn hold(
    conn: &mut PgConnection,
    known: &HashMap<Identity, Known>,
    alone: bool,
) -> sqlx::Result<bool> {
    let present: BTreeSet<(OrganizationId, ContactId)> = known
        .iter()
        .map(|(identity, known)| (identity.organization_id, known.contact_id))
        .collect();
    if present.is_empty() {
        return Ok(true);
    }
    if !alone {
        return Ok(contacts::hold(conn, &present).await?.is_empty());
    }
    let (organizations, ids): (Vec<Uuid>, Vec<Uuid>) = present
        .iter()
        .map(|(of, id)| (of.as_uuid(), id.as_uuid()))
        .unzip();
    let whole = merges::lock(conn, &organizations, &ids).await?;
    Ok(whole.len() == present.len())
}

/// What the person showed in this, unless it is known for somebody else.
fn address(
    met: &Met<'_>,
    contact_id: ContactId,
    known: &HashMap<Identity, Known>,
) -> Option<Identity> {
    let own = |identity: &Identity| {
        known
            .get(identity)
            .is_none_or(|known| known.contact_id == contact_id)
    };
    ["phone", "user_id"]
        .into_iter()
        .find_map(|kind| told(met).find(|identity| identity.kind == kind && own(identity)))
}

fn identities<'a>(
    met: &'a Met<'_>,
    told: &'a [(&'static str, String)],
) -> impl Iterator<Item = Identity> + 'a {
    told.iter().map(|(kind, value)| Identity {
        organization_id: met.of,
        kind,
        value: value.clone(),
    })
}

/// What the person is known by from now on.
fn told<'a>(met: &'a Met<'_>) -> impl Iterator<Item = Identity> + 'a {
    identities(met, &met.sender.identities)
}

/// Everything the person may be known by, best first: what WhatsApp says, former identities, then
/// other spellings of the phone number.
fn search_keys(message: &Met<'_>) -> Vec<Identity> {
    let mut keys: Vec<Identity> = told(message)
        .chain(identities(message, &message.sender.former))
        // A username can change hands: it names a person but does not prove one.
        .filter(|identity| identity.kind != "username")
        .collect();
    let spellings: Vec<Identity> = keys.iter().flat_map(Identity::other_spellings).collect();
    keys.extend(spellings);
    keys
}

fn assign(
    messages: &[Met<'_>],
    wanted: &[Vec<Identity>],
    known: &HashMap<Identity, Known>,
    now: DateTime<Utc>,
) -> (Vec<ContactId>, Vec<Fresh>) {
    let mut made: HashMap<&Identity, ContactId> = HashMap::new();
    let mut fresh = Vec::new();
    let mut resolved = Vec::with_capacity(messages.len());
    for (message, keys) in messages.iter().zip(wanted) {
        let found = keys.iter().find_map(|key| {
            let known = known.get(key).map(|known| known.contact_id);
            known.or_else(|| made.get(key).copied())
        });
        resolved.push(found.unwrap_or_else(|| {
            let id = ContactId::stamped(now);
            let name = message.sender.name.clone();
            fresh.push((message.of, id, name));
            made.extend(keys.iter().map(|key| (key, id)));
            id
        }));
    }
    (resolved, fresh)
}

/// Records what WhatsApp said a person is known by, and forgets what it said they are not any more.
async fn attach(
    conn: &mut PgConnection,
    messages: &[Met<'_>],
    resolved: &[ContactId],
    known: &HashMap<Identity, Known>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let (mut unheard, mut former) = (BTreeSet::new(), BTreeSet::new());
    for (message, contact) in messages.iter().zip(resolved) {
        // One that is known stays with whom it is known for.
        let fresh = told(message).filter(|identity| !known.contains_key(identity));
        unheard.extend(fresh.map(|identity| (identity, *contact)));
        let past = identities(message, &message.sender.former);
        former.extend(past.map(|identity| (identity, *contact)));
    }
    if !unheard.is_empty() {
        contacts::insert_identities(conn, &unheard, now).await?;
    }
    // A number that was given up will be somebody else's: it must not lead to this person any more.
    if !former.is_empty() {
        contacts::delete_identities(conn, &former).await?;
    }
    Ok(())
}

/// Names people who have no name yet.
async fn name(
    conn: &mut PgConnection,
    messages: &[Met<'_>],
    resolved: &[ContactId],
    known: &HashMap<Identity, Known>,
    fresh: &[Fresh],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let named: HashSet<ContactId> = known
        .values()
        .filter(|known| known.named)
        .map(|known| known.contact_id)
        .chain(
            fresh
                .iter()
                .filter(|(.., name)| !name.is_empty())
                .map(|(_, id, _)| *id),
        )
        .collect();
    let told: BTreeMap<(OrganizationId, ContactId), &str> = messages
        .iter()
        .zip(resolved)
        .filter(|(message, contact)| !message.sender.name.is_empty() && !named.contains(contact))
        .map(|(message, contact)| {
            let key = (message.of, *contact);
            (key, message.sender.name.as_str())
        })
        .collect();
    if !told.is_empty() {
        contacts::name_unnamed(conn, &told, now).await?;
    }
    Ok(())
}

#[cfg(test)]
mod order;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use testkit::eventually;

    use super::*;
    use crate::fixture::Fixture;

    fn sender(identities: &[(&'static str, &str)], name: &str) -> Sender {
        Sender {
            identities: identities
                .iter()
                .map(|(kind, value)| (*kind, (*value).to_owned()))
                .collect(),
            former: Vec::new(),
            name: name.to_owned(),
        }
    }

    async fn meet(
        fixture: &Fixture,
        conn: &mut PgConnection,
        senders: &[Sender],
    ) -> Vec<ContactId> {
        let of = fixture.route.organization_id;
        let met: Vec<Met<'_>> = senders.iter().map(|sender| Met { of, sender }).collect();
        let resolved = resolve(conn, &met, fixture.now()).await.expect("resolve");
        resolved
            .people
            .into_iter()
            .map(|one| one.contact_id)
            .collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn two_batches_that_know_a_stranger_differently_create_one_person() {
        let fixture = Fixture::new().await;
        let both = sender(&[("user_id", "DE.1"), ("phone", "491701")], "Ada");
        let one = sender(&[("user_id", "DE.1")], "");
        let mut first = fixture.system().await;
        let created = meet(&fixture, first.conn(), &[both]).await;
        let mut second = fixture.system().await;
        let meeting = async {
            let found = meet(&fixture, second.conn(), &[one]).await;
            second.commit().await.expect("commit");
            found
        };
        let committing = async {
            eventually(Duration::from_secs(20), async || {
                fixture.lock_waits().await > 0
            })
            .await;
            first.commit().await.expect("commit");
        };
        let (met, ()) = tokio::join!(meeting, committing);
        assert_eq!(met, created);
        assert_eq!(fixture.count("contacts").await, 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_batch_may_know_people_strangers_and_strangers_twice() {
        let fixture = Fixture::new().await;
        let known = fixture.conversation("491701").await.contact_id;
        let batch = [
            sender(&[("phone", "491701")], "Ada"),
            sender(&[("user_id", "DE.2"), ("phone", "491702")], ""),
            sender(&[("phone", "491702"), ("username", "bob")], "Bob"),
        ];
        let mut tx = fixture.system().await;
        let people = meet(&fixture, tx.conn(), &batch).await;
        let again = meet(&fixture, tx.conn(), &batch).await;
        tx.commit().await.expect("commit");
        assert_eq!(people, again);
        assert_eq!(people.first(), Some(&known));
        assert_eq!(people.get(1), people.get(2));
        for name in ["Ada", "Bob"] {
            let named = format!("contacts where name = '{name}'");
            assert_eq!(fixture.count(&named).await, 1, "{name}");
        }
        assert_eq!(fixture.count("contacts").await, 2);
        assert_eq!(fixture.count("contact_identities").await, 4);
    }
}
