//! Which role has which permission: a casbin policy, asked once at start for every pair.
//!
//! casbin interprets its rules, 1 µs to 100 µs a question. There are few roles and permissions, so the answers are kept
//! as a set; nothing is cached beyond it, so a policy can't be half old.

use std::collections::{BTreeMap, BTreeSet};

use casbin::{CoreApi, DefaultModel, Enforcer, StringAdapter};
use proto::access::{self, Rule};

use crate::{Membership, Principal, Role};

const MODEL: &str = include_str!("policy/model.conf");
const POLICY: &str = include_str!("policy/policy.csv");

/// The subject of the policy that stands for our own services.
const SERVICE: &str = "service";

/// The policy can't be read, so nobody may do anything.
#[derive(Debug, thiserror::Error)]
#[error("load the access policy")]
pub struct PolicyError(#[source] casbin::Error);

/// What each role may do.
#[derive(Debug, Clone)]
pub struct Policy {
    grants: BTreeMap<&'static str, BTreeSet<&'static str>>,
}

impl Policy {
    /// The built-in policy.
    ///
    /// # Errors
    /// When it can't be read; a service must not start then.
    pub async fn load() -> Result<Self, PolicyError> {
        Self::parse(MODEL, POLICY).await
    }

    async fn parse(model: &str, policy: &str) -> Result<Self, PolicyError> {
        let model = DefaultModel::from_str(model).await.map_err(PolicyError)?;
        let enforcer = Enforcer::new(model, StringAdapter::new(policy))
            .await
            .map_err(PolicyError)?;
        let mut grants = BTreeMap::new();
        for subject in Role::ALL.map(Role::as_str).into_iter().chain([SERVICE]) {
            let mut granted = BTreeSet::new();
            for permission in permissions() {
                if enforcer
                    .enforce((subject, permission))
                    .map_err(PolicyError)?
                {
                    granted.insert(permission);
                }
            }
            grants.insert(subject, granted);
        }
        Ok(Self { grants })
    }

    /// Whether the caller has the permission: by its role, narrowed by its scopes.
    pub fn allows(&self, principal: &Principal, permission: &str) -> bool {
        match principal.membership() {
            Some(member) => self.member_has(member, permission),
            None => self.has(SERVICE, permission),
        }
    }

    /// Whether a role has the permission.
    pub fn role_has(&self, role: Role, permission: &str) -> bool {
        self.has(role.as_str(), permission)
    }

    /// Everything a role may do, sorted.
    pub fn of_role(&self, role: Role) -> impl Iterator<Item = &'static str> {
        self.of(role.as_str())
    }

    /// Everything the caller may do, sorted.
    pub fn of_principal(&self, principal: &Principal) -> impl Iterator<Item = &'static str> {
        let subject = principal
            .membership()
            .map_or(SERVICE, |member| member.role.as_str());
        self.of(subject)
            .filter(move |permission| self.allows(principal, permission))
    }

    fn member_has(&self, member: &Membership, permission: &str) -> bool {
        self.role_has(member.role, permission) && member.scopes.include(permission)
    }

    fn has(&self, subject: &str, permission: &str) -> bool {
        self.grants
            .get(subject)
            .is_some_and(|granted| granted.contains(permission))
    }

    fn of(&self, subject: &str) -> impl Iterator<Item = &'static str> {
        self.grants.get(subject).into_iter().flatten().copied()
    }
}

/// Every permission that some method asks for, sorted.
fn permissions() -> BTreeSet<&'static str> {
    access::all()
        .iter()
        .filter_map(|access| match access.rule {
            Rule::Permission(permission) => Some(permission),
            Rule::Missing | Rule::Public | Rule::Service | Rule::Authenticated => None,
        })
        .collect()
}

#[cfg(test)]
mod tests;
