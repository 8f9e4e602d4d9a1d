//! Finds or makes the contact of each message.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use ids::ContactId;
use sqlx::PgConnection;

use super::sort::Incoming;
use crate::store::intake::contacts::{self, Identity};

/// The contact of each message, by position. People nobody knows are created, once, even when two
/// batches meet them at the same moment.
pub(crate) async fn resolve(
    conn: &mut PgConnection,
    messages: &[Incoming],
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<ContactId>> {
    let wanted: Vec<Vec<Identity>> = messages.iter().map(search_keys).collect();
    let all: BTreeSet<Identity> = wanted.iter().flatten().cloned().collect();
    let mut known = contacts::find(conn, &all).await?;

    let strangers: BTreeSet<String> = messages
        .iter()
        .zip(&wanted)
        .filter(|(_, keys)| best(keys, &known).is_none())
        .filter_map(|(message, keys)| lock_name(message, keys))
        .collect();
    if !strangers.is_empty() {
        contacts::lock(conn, &strangers).await?;
        // Whoever held a name may have created the person meanwhile.
        known = contacts::find(conn, &all).await?;
    }
    let (resolved, fresh) = assign(messages, &wanted, &mut known, now);
    if !fresh.is_empty() {
        contacts::insert(conn, &fresh, now).await?;
    }
    attach(conn, messages, &resolved, &fresh, now).await?;
    Ok(resolved)
}

/// Everything the person may be known by, best first: what WhatsApp says, former identities, then
/// other spellings of the phone number.
fn search_keys(message: &Incoming) -> Vec<Identity> {
    let organization_id = message.route.organization_id;
    let identity = |kind: &'static str, value: &str| Identity {
        organization_id,
        kind,
        value: value.to_owned(),
    };
    let sender = &message.sender;
    let mut keys: Vec<Identity> = sender
        .identities
        .iter()
        .chain(&sender.former)
        // A username can change hands: it names a person but does not prove one.
        .filter(|(kind, _)| *kind != "username")
        .map(|(kind, value)| identity(kind, value))
        .collect();
    for (kind, value) in sender.identities.iter().chain(&sender.former) {
        if *kind == "phone" {
            keys.extend(
                whatsapp::phone::match_candidates(value)
                    .iter()
                    .map(|other| identity("phone", other)),
            );
        }
    }
    keys
}

fn best(keys: &[Identity], known: &HashMap<Identity, ContactId>) -> Option<ContactId> {
    keys.iter().find_map(|key| known.get(key).copied())
}

/// One name for all spellings of a person, so that whoever would create them meets at one lock.
fn lock_name(message: &Incoming, keys: &[Identity]) -> Option<String> {
    let least = keys
        .iter()
        .filter(|key| key.kind == "phone")
        .min()
        .or_else(|| keys.iter().min())?;
    Some(format!(
        "{}:{}:{}",
        message.route.organization_id, least.kind, least.value
    ))
}

type Fresh = (ids::OrganizationId, ContactId, String);

fn assign(
    messages: &[Incoming],
    wanted: &[Vec<Identity>],
    known: &mut HashMap<Identity, ContactId>,
    now: DateTime<Utc>,
) -> (Vec<ContactId>, Vec<Fresh>) {
    let unix_ms = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    let mut fresh = Vec::new();
    let resolved = messages
        .iter()
        .zip(wanted)
        .map(|(message, keys)| {
            best(keys, known).unwrap_or_else(|| {
                let id = ContactId::generate_at(unix_ms);
                fresh.push((
                    message.route.organization_id,
                    id,
                    message.sender.name.clone(),
                ));
                for key in keys {
                    known.insert(key.clone(), id);
                }
                id
            })
        })
        .collect();
    (resolved, fresh)
}

/// Records what WhatsApp said a person is known by, and a name for those who have none.
async fn attach(
    conn: &mut PgConnection,
    messages: &[Incoming],
    resolved: &[ContactId],
    fresh: &[Fresh],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let told: BTreeSet<(Identity, ContactId)> = messages
        .iter()
        .zip(resolved)
        .flat_map(|(message, contact)| {
            message.sender.identities.iter().map(|(kind, value)| {
                let identity = Identity {
                    organization_id: message.route.organization_id,
                    kind,
                    value: value.clone(),
                };
                (identity, *contact)
            })
        })
        .collect();
    let told: Vec<(&Identity, ContactId)> = told
        .iter()
        .map(|(identity, contact)| (identity, *contact))
        .collect();
    contacts::insert_identities(conn, &told, now).await?;

    // A number that was given up will be somebody else's: it must not lead to this person any more.
    let former: BTreeSet<(Identity, ContactId)> = messages
        .iter()
        .zip(resolved)
        .flat_map(|(message, contact)| {
            message.sender.former.iter().map(|(kind, value)| {
                let identity = Identity {
                    organization_id: message.route.organization_id,
                    kind,
                    value: value.clone(),
                };
                (identity, *contact)
            })
        })
        .collect();
    if !former.is_empty() {
        let former: Vec<(&Identity, ContactId)> = former
            .iter()
            .map(|(identity, contact)| (identity, *contact))
            .collect();
        contacts::delete_identities(conn, &former).await?;
    }

    let names: HashMap<ContactId, Fresh> = messages
        .iter()
        .zip(resolved)
        .filter(|(message, contact)| {
            !message.sender.name.is_empty() && !fresh.iter().any(|(_, id, _)| id == *contact)
        })
        .map(|(message, contact)| {
            (
                *contact,
                (
                    message.route.organization_id,
                    *contact,
                    message.sender.name.clone(),
                ),
            )
        })
        .collect();
    if !names.is_empty() {
        let names: Vec<Fresh> = names.into_values().collect();
        contacts::name_unnamed(conn, &names, now).await?;
    }
    Ok(())
}
