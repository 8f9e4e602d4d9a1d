//! What changes of an organization and its people have in common.

use auth::{Conversations, Membership, Origin, Policy, RequestContext, Revoked};
use db::{AsTx, TenantTx};
use ids::{Actor, OrganizationId, TeamId, TenantScope, UserId};
use serde_json::Value;

use super::{
    Tools,
    audit::{self, Change},
};
use crate::{
    Error, PeopleError,
    domain::{assignment::Assignment, power},
    events::Occasion,
    store::{
        members::{self, Member},
        revocations, roles, roster,
        roster::Entry,
        settings::{self, Settings},
    },
};

/// One change by one caller: a transaction that holds the organization, so that what is counted in it (owners, seats,
/// teams) stays so until the commit.
pub(crate) struct Office<'a, T = TenantTx> {
    pub(crate) tx: T,
    pub(crate) organization: Settings,
    pub(crate) occasion: Occasion,
    caller: &'a RequestContext,
    policy: &'a Policy,
}

impl<'a> Office<'a> {
    pub(crate) async fn open(tools: &'a Tools, caller: &'a RequestContext) -> Result<Self, Error> {
        let scope: TenantScope = caller.require_scope()?;
        let tx = TenantTx::begin(&tools.db, &scope).await?;
        Self::hold(tx, tools, caller, scope).await
    }

    pub(crate) async fn commit(self) -> Result<(), Error> {
        Ok(self.tx.commit().await?)
    }
}

impl<'a, T: AsTx> Office<'a, T> {
    /// Holds the scope's organization in a transaction that was begun. The caller may be a service that acts for
    /// somebody else, whom the scope names.
    pub(crate) async fn hold(
        mut tx: T,
        tools: &'a Tools,
        caller: &'a RequestContext,
        scope: TenantScope,
    ) -> Result<Self, Error> {
        let organization_id = scope.organization_id;
        let organization = settings::lock(&mut tx, organization_id)
            .await?
            .ok_or(PeopleError::Unknown("organization"))?;
        Ok(Self {
            tx,
            organization,
            occasion: Occasion {
                organization_id,
                actor: scope.actor,
                at: tools.db.clock().now(),
            },
            caller,
            policy: &tools.policy,
        })
    }

    pub(crate) fn organization_id(&self) -> OrganizationId {
        self.occasion.organization_id
    }

    /// Where the call comes from.
    pub(crate) const fn origin(&self) -> &'a Origin {
        &self.caller.origin
    }

    /// The person who calls.
    pub(crate) fn person(&self) -> Result<UserId, Error> {
        match self.occasion.actor {
            Actor::User(id) => Ok(id),
            _ => Err(PeopleError::NotAPerson.into()),
        }
    }

    /// Whoever changes a right must have it. Our services have every one.
    pub(crate) fn refuse_more_power(&self, granted: &Membership) -> Result<(), Error> {
        match self.caller.principal()?.membership() {
            Some(holder) if !power::covers(self.policy, holder, granted) => {
                Err(PeopleError::TooMuch.into())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whoever does not see everything decides about its own teams only: in a team one sees what its members do.
    pub(crate) fn refuse_other_teams(&self, team: TeamId) -> Result<(), Error> {
        match self.caller.principal()?.membership() {
            Some(Membership { view, .. })
                if view.conversations != Conversations::All && !view.teams.contains(&team) =>
            {
                Err(PeopleError::TooMuch.into())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// What a member with this role could do; [`Error::Field`] when the organization has no such role.
    pub(crate) async fn power_of(&mut self, assignment: Assignment) -> Result<Membership, Error> {
        let organization_id = self.organization_id();
        of_assignment(&mut self.tx, organization_id, assignment)
            .await?
            .ok_or(Error::Field {
                field: "roleId",
                problem: "is not a role of the organization",
            })
    }

    /// A member that the caller may change: it can do no more than the caller.
    pub(crate) async fn member(&mut self, id: UserId) -> Result<(Entry, Member), Error> {
        let organization_id = self.organization_id();
        let unknown = PeopleError::Unknown("member");
        let member = members::find(&mut self.tx, organization_id, id).await?;
        let entry = roster::find(&mut self.tx, organization_id, id).await?;
        let (Some(member), Some(entry)) = (member, entry) else {
            return Err(unknown.into());
        };
        self.refuse_more_power(&member.membership)?;
        Ok((entry, member))
    }

    /// Refuses to take the last active owner away.
    pub(crate) async fn keep_an_owner(&mut self, leaving: UserId) -> Result<(), Error> {
        let organization_id = self.organization_id();
        let owners = roster::list_active_owners(&mut self.tx, organization_id).await?;
        if owners == [leaving] {
            return Err(PeopleError::LastOwner.into());
        }
        Ok(())
    }

    /// Tokens that say what these people were are not good any more.
    pub(crate) async fn void(&mut self, members: &[UserId]) -> Result<(), Error> {
        let revoked: Vec<Revoked> = members.iter().map(|&id| Revoked::Member(id)).collect();
        let (id, now) = (self.organization_id(), self.occasion.at);
        revocations::record(&mut self.tx, id, &revoked, now).await?;
        Ok(())
    }

    pub(crate) async fn record(
        &mut self,
        action: &str,
        target: impl ToString,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Result<(), Error> {
        let (origin, change) = (&self.caller.origin, Change { before, after });
        audit::record(&mut self.tx, &self.occasion, origin, action, target, change).await?;
        Ok(())
    }
}

/// What a member with this role may do and see; `None` when the organization has no such role.
pub(crate) async fn of_assignment(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    assignment: Assignment,
) -> Result<Option<Membership>, Error> {
    Ok(match assignment {
        Assignment::BuiltIn(role) => Some(Membership {
            organization_id,
            role,
            scopes: auth::Scopes::All,
            view: auth::View::default(),
        }),
        Assignment::Custom(id) => roles::find(tx, organization_id, id)
            .await?
            .map(|role| role.membership(organization_id)),
    })
}
