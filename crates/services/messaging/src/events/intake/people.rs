//! Finds or makes the contact of each message.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use ids::{ContactId, OrganizationId};
use sqlx::PgConnection;

use super::sort::Incoming;
use crate::store::intake::contacts::{self, Identity, Known};

/// A contact to create, with the name WhatsApp told.
type Fresh = (OrganizationId, ContactId, String);

/// The contact of each message, by position. People nobody knows are created, once, even when two
/// batches meet them at the same moment.
pub(crate) async fn resolve(
    conn: &mut PgConnection,
    messages: &[Incoming],
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<ContactId>> {
    let wanted: Vec<Vec<Identity>> = messages.iter().map(search_keys).collect();
    let mut asked: BTreeSet<Identity> = wanted.iter().flatten().cloned().collect();
    asked.extend(messages.iter().flat_map(told));
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
    let (resolved, fresh) = assign(messages, &wanted, &known, now);
    if !fresh.is_empty() {
        contacts::insert(conn, &fresh, now).await?;
    }
    attach(conn, messages, &resolved, &known, now).await?;
    name(conn, messages, &resolved, &known, &fresh, now).await?;
    Ok(resolved)
}

fn identities<'a>(
    message: &'a Incoming,
    told: &'a [(&'static str, String)],
) -> impl Iterator<Item = Identity> + 'a {
    told.iter().map(|(kind, value)| Identity {
        organization_id: message.route.organization_id,
        kind,
        value: value.clone(),
    })
}

/// What the person is known by from now on.
fn told(message: &Incoming) -> impl Iterator<Item = Identity> {
    identities(message, &message.sender.identities)
}

/// Everything the person may be known by, best first: what WhatsApp says, former identities, then
/// other spellings of the phone number.
fn search_keys(message: &Incoming) -> Vec<Identity> {
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
    messages: &[Incoming],
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
            fresh.push((message.route.organization_id, id, name));
            made.extend(keys.iter().map(|key| (key, id)));
            id
        }));
    }
    (resolved, fresh)
}

/// Records what WhatsApp said a person is known by, and forgets what it said they are not any more.
async fn attach(
    conn: &mut PgConnection,
    messages: &[Incoming],
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
    messages: &[Incoming],
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
            let key = (message.route.organization_id, *contact);
            (key, message.sender.name.as_str())
        })
        .collect();
    if !told.is_empty() {
        contacts::name_unnamed(conn, &told, now).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ids::MessageId;
    use proto::messaging::v1::MessageContent;
    use testkit::eventually;

    use super::*;
    use crate::{events::intake::sort::Sender, fixture::Fixture};

    fn from(fixture: &Fixture, identities: &[(&'static str, &str)], name: &str) -> Incoming {
        Incoming {
            route: fixture.route,
            id: MessageId::generate(),
            wamid: String::new(),
            sender: Sender {
                identities: identities
                    .iter()
                    .map(|(kind, value)| (*kind, (*value).to_owned()))
                    .collect(),
                former: Vec::new(),
                name: name.to_owned(),
            },
            content: MessageContent::default(),
            reply_to_wamid: None,
            sent_at: fixture.now(),
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn two_batches_that_know_a_stranger_differently_create_one_person() {
        let fixture = Fixture::new().await;
        let now = fixture.now();
        let both = from(&fixture, &[("user_id", "DE.1"), ("phone", "491701")], "Ada");
        let one = from(&fixture, &[("user_id", "DE.1")], "");
        let mut first = fixture.system().await;
        let created = resolve(first.conn(), &[both], now).await.expect("resolve");
        let mut second = fixture.system().await;
        let meeting = async {
            let found = resolve(second.conn(), &[one], now).await.expect("resolve");
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
            from(&fixture, &[("phone", "491701")], "Ada"),
            from(&fixture, &[("user_id", "DE.2"), ("phone", "491702")], ""),
            from(&fixture, &[("phone", "491702"), ("username", "bob")], "Bob"),
        ];
        let mut tx = fixture.system().await;
        let now = fixture.now();
        let people = resolve(tx.conn(), &batch, now).await.expect("resolve");
        let again = resolve(tx.conn(), &batch, now).await.expect("resolve");
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
