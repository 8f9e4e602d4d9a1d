//! The role that somebody's groups give.

use auth::Revoked;
use ids::UserId;
use serde_json::json;

use super::{Arrival, Desk, Stop};
use crate::{
    domain::{
        assignment::Assignment,
        sso::{followed, mapped},
    },
    events,
    ops::{audit::Change, office},
    store::{revocations, roster},
};

impl Desk<'_> {
    /// The role of the person's groups, if they give one that the organization still has. `None` when the list is
    /// incomplete: the first mapping that fits may be one for a group that was left out.
    pub(super) async fn role_of(
        &mut self,
        arrival: &Arrival,
    ) -> Result<Option<Option<Assignment>>, Stop> {
        if arrival.groups_incomplete {
            return Ok(None);
        }
        let Some(role) = mapped(&self.connection.role_mappings, &arrival.groups) else {
            return Ok(Some(None));
        };
        let organization_id = self.connection.organization_id;
        let exists = office::of_assignment(&mut self.tx, organization_id, role).await?;
        Ok(Some(exists.map(|_| role)))
    }

    /// At each login, so that a move between groups counts.
    pub(super) async fn follow(
        &mut self,
        id: UserId,
        before: Option<Assignment>,
        now: Option<Assignment>,
    ) -> Result<(), Stop> {
        let organization_id = self.occasion.organization_id;
        let found = roster::find(&mut self.tx, organization_id, id).await?;
        let Some(mut entry) = found else {
            return Ok(());
        };
        let default = self.connection.default_role;
        let Some(role) = followed(entry.assignment, before, now, default) else {
            return Ok(());
        };
        let before = std::mem::replace(&mut entry.assignment, role);
        let (tx, at) = (&mut self.tx, self.occasion.at);
        roster::update(tx, organization_id, &entry).await?;
        revocations::record(tx, organization_id, &[Revoked::Member(id)], at).await?;
        events::member_changed(tx, &self.occasion, id, role.role(), entry.active).await?;
        let told = |role: Assignment| {
            let role_id = role.role_id().map(|id| id.to_string());
            Some(json!({ "role": role.role(), "role_id": role_id }))
        };
        let change = Change {
            before: told(before),
            after: told(role),
        };
        self.record("member.role_changed", id, change).await
    }
}
