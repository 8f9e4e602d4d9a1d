//! Whom an access token names.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use ids::{Actor, ApiKeyId, OrganizationId, SessionId, TeamId, UserId};
use serde::{Deserialize, Serialize};

use crate::Role;

/// A caller that proved who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A person who logged in.
    User {
        /// The person.
        id: UserId,
        /// The login.
        session_id: SessionId,
        /// Where and as what.
        member: Membership,
        /// How and when the person proved who it is.
        proof: Proof,
    },
    /// A program of a tenant.
    ApiKey {
        /// The key it used.
        id: ApiKeyId,
        /// Where and as what.
        member: Membership,
    },
    /// One of our services or an operator's program. It belongs to no tenant and may act for any.
    Service {
        /// Its client name, `gateway`.
        name: String,
    },
}

/// The tenant a caller belongs to and what it may do there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The tenant.
    pub organization_id: OrganizationId,
    /// The role.
    pub role: Role,
    /// What narrows the role.
    pub scopes: Scopes,
    /// Which conversations and which details of contacts.
    pub view: View,
}

/// How a person proved who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// When it last did, to the second, UTC.
    pub at: DateTime<Utc>,
    /// With two factors, or by an identity provider that answers for them.
    pub strong: bool,
}

/// What a member sees of the tenant's conversations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct View {
    /// Which conversations.
    pub conversations: Conversations,
    /// Phone numbers and addresses of contacts are masked.
    pub hides_contact_details: bool,
    /// The member's teams. At most [`View::MAX_TEAMS`], or tokens would not fit a header.
    pub teams: Vec<TeamId>,
}

impl View {
    /// Teams one member may be in.
    pub const MAX_TEAMS: usize = 50;
}

/// Which conversations a member sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conversations {
    /// Those assigned to the member.
    Own,
    /// Those of its teams, too.
    Team,
    /// Every one.
    #[default]
    All,
}

impl Conversations {
    /// The name in tokens and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Team => "team",
            Self::All => "all",
        }
    }

    /// What a table calls this.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Own, Self::Team, Self::All]
            .into_iter()
            .find(|one| one.as_str() == text)
    }
}

/// Permissions that narrow a role; they never widen it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Scopes {
    /// All permissions of the role.
    #[default]
    All,
    /// These permissions of the role.
    Only(BTreeSet<String>),
}

impl Scopes {
    /// Whether the scopes leave this permission to the role.
    pub fn include(&self, permission: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(scopes) => scopes.contains(permission),
        }
    }
}

impl Principal {
    /// Where and as what; `None` for a service.
    pub const fn membership(&self) -> Option<&Membership> {
        match self {
            Self::User { member, .. } | Self::ApiKey { member, .. } => Some(member),
            Self::Service { .. } => None,
        }
    }

    /// `user`, `api_key` or `service`: how tokens and `GetCaller` spell it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::User { .. } => "user",
            Self::ApiKey { .. } => "api_key",
            Self::Service { .. } => "service",
        }
    }

    /// The id of the person or the key, or the name of the service.
    pub fn id(&self) -> String {
        match self {
            Self::User { id, .. } => id.to_string(),
            Self::ApiKey { id, .. } => id.to_string(),
            Self::Service { name } => name.clone(),
        }
    }

    /// As the author of a change.
    pub fn actor(&self) -> Actor {
        match self {
            Self::User { id, .. } => Actor::User(*id),
            Self::ApiKey { id, .. } => Actor::ApiKey(*id),
            Self::Service { name } => Actor::Service(name.clone()),
        }
    }
}
