//! What a PATCH or PUT changed, as the service has to act on it.

use std::collections::HashSet;

use crate::{Group, Member, User};

kept_private!(GroupChange, |change| format_args!(
    "{} members added, {} removed",
    change.added.len(),
    change.removed.len()
));

/// What happened to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserChange {
    /// False if the user is as before: nothing to store, the version stays.
    pub changed: bool,
    /// The new state if the user was activated or deactivated. With `Some(false)` sessions and
    /// tokens must go at once.
    pub active: Option<bool>,
}

/// What happened to a group.
#[derive(Clone, PartialEq, Eq)]
pub struct GroupChange {
    /// False if the group is as before: nothing to store, the version stays.
    pub changed: bool,
    /// The new name if it has one.
    pub renamed: Option<String>,
    /// Ids of users that are members now and were not, in the order of the request.
    pub added: Vec<String>,
    /// Ids of users that were members and are no longer.
    pub removed: Vec<String>,
    /// Whether the request gave the whole list: members that joined meanwhile must go too.
    pub replaced: bool,
}

impl UserChange {
    pub(crate) fn between(before: &User, after: &User) -> Self {
        let active = after.is_active();
        Self {
            changed: before != after,
            active: (before.is_active() != active).then_some(active),
        }
    }
}

impl GroupChange {
    pub(crate) fn between(before: &Group, after: &Group, replaced: bool) -> Self {
        let added = ids_missing_in(before.members(), after.members());
        let removed = ids_missing_in(after.members(), before.members());
        let renamed = before.display_name != after.display_name;
        Self {
            changed: renamed
                || !added.is_empty()
                || !removed.is_empty()
                || before.external_id != after.external_id,
            renamed: renamed.then(|| after.display_name.clone()),
            added,
            removed,
            replaced,
        }
    }
}

fn ids_missing_in(known: &[Member], members: &[Member]) -> Vec<String> {
    let known: HashSet<&str> = known.iter().map(|member| member.value.as_str()).collect();
    members
        .iter()
        .filter(|member| !known.contains(member.value.as_str()))
        .map(|member| member.value.clone())
        .collect()
}
