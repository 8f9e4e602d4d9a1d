//! A role as somebody wants it.

use auth::{Conversations, Policy, Role};
use chrono::{DateTime, Utc};
use ids::RoleId;
use serde_json::{Value, json};

use crate::{Error, PeopleError, ops::office::Office, store::roles::CustomRole};

#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) name: String,
    pub(crate) permissions: Vec<String>,
    pub(crate) conversations: Conversations,
    pub(crate) hides_contact_details: bool,
}

impl Draft {
    /// The role, if its permissions are some of an admin's and some of the caller's.
    pub(super) fn check(
        mut self,
        policy: &Policy,
        office: &Office<'_>,
        id: RoleId,
        created_at: DateTime<Utc>,
    ) -> Result<CustomRole, Error> {
        let unknown: Vec<usize> = (0..)
            .zip(&self.permissions)
            .filter(|(_, permission)| !policy.role_has(Role::Custom, permission))
            .map(|(position, _)| position)
            .collect();
        if !unknown.is_empty() {
            return Err(PeopleError::Permissions(unknown).into());
        }
        self.permissions.sort_unstable();
        self.permissions.dedup();
        let role = CustomRole {
            id,
            name: self.name,
            permissions: self.permissions,
            conversations: self.conversations,
            hides_contact_details: self.hides_contact_details,
            created_at,
        };
        office.refuse_more_power(&role.membership(office.organization_id()))?;
        Ok(role)
    }
}

/// As the audit log tells it.
pub(super) fn told(role: &CustomRole) -> Value {
    json!({
        "name": role.name,
        "permissions": role.permissions,
        "conversations": role.conversations,
        "hides_contact_details": role.hides_contact_details,
    })
}
