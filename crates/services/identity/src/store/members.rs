//! What a person is in an organization.

use auth::{Conversations, Membership, Role, Scopes, View};
use chrono::{DateTime, Utc};
use db::{AsTx, DbError, TenantTx};
use ids::{OrganizationId, SessionId, TeamId, UserId};

/// The permission to delete an organization, and to take that back.
const DELETE: &str = "organization.delete";

/// A member with everything its tokens say.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) membership: Membership,
    pub(crate) active: bool,
    /// Whether the organization lets the member in: it is active, or being deleted and the member owns it. Such an owner
    /// may do nothing but take the deletion back.
    pub(crate) organization_active: bool,
    /// From when the organization wants a second factor of everybody.
    pub(crate) mfa_required_from: Option<DateTime<Utc>>,
    /// Until then this member may do without.
    pub(crate) mfa_grace_until: Option<DateTime<Utc>>,
}

impl Member {
    /// Whether the organization lets the member in with two factors only.
    pub(crate) fn wants_second_factor(&self, now: DateTime<Utc>) -> bool {
        self.mfa_required_from.is_some_and(|from| from <= now)
            && self.mfa_grace_until.is_none_or(|until| until <= now)
    }
}

/// Keeps a member and its organization as they are until the end of the transaction: a login that finds it active
/// begins before it is deactivated or not at all. The organization is locked first, as by whoever changes its members.
#[tracing::instrument(name = "db.members.hold", skip_all)]
pub(crate) async fn hold(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    user_id: UserId,
) -> Result<(), DbError> {
    sqlx::query!(
        "select from identity.memberships m
         join identity.organizations o on o.organization_id = m.organization_id
         where m.organization_id = $1 and m.user_id = $2
         for share of o for share of m",
        organization_id.as_uuid(),
        user_id.as_uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// [`hold`], for whoever a session belongs to.
#[tracing::instrument(name = "db.members.hold", skip_all)]
pub(crate) async fn hold_by_session(
    tx: &mut TenantTx,
    session_id: SessionId,
) -> Result<(), DbError> {
    sqlx::query!(
        "select from identity.sessions s
         join identity.memberships m on m.organization_id = s.organization_id and m.user_id = s.user_id
         join identity.organizations o on o.organization_id = m.organization_id
         where s.organization_id = $1 and s.id = $2
         for share of o for share of m",
        tx.organization_id().as_uuid(),
        session_id.as_uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

#[tracing::instrument(name = "db.members.find", skip_all)]
pub(crate) async fn find(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    user_id: UserId,
) -> Result<Option<Member>, DbError> {
    let row = sqlx::query!(
        r#"select m.role, m.state, m.mfa_grace_until, o.state as organization_state, o.mfa_required_from,
                  r.permissions as "permissions?", r.conversations as "conversations?",
                  r.hides_contact_details as "hides_contact_details?",
                  array(select t.team_id from identity.team_members t
                        where t.organization_id = m.organization_id and t.user_id = m.user_id
                        order by t.team_id) as "teams!: Vec<TeamId>"
           from identity.memberships m
           join identity.organizations o on o.organization_id = m.organization_id
           left join identity.roles r on r.organization_id = m.organization_id and r.id = m.role_id
           where m.organization_id = $1 and m.user_id = $2"#,
        organization_id.as_uuid(),
        user_id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(|row| {
        let conversations = match row.conversations.as_deref() {
            None => Conversations::default(),
            Some(stored) => Conversations::parse(stored)
                .ok_or_else(|| DbError::inconsistent("roles", "conversations", user_id))?,
        };
        let role = super::organizations::role(&row.role, user_id)?;
        // Somebody must be able to take a deletion back, and nothing else goes on meanwhile.
        let only_to_cancel = row.organization_state == "deleting" && role == Role::Owner;
        let permissions = match row.permissions {
            _ if only_to_cancel => Some(vec![DELETE.to_owned()]),
            permissions => permissions,
        };
        Ok(Member {
            membership: Membership {
                organization_id,
                role,
                scopes: permissions
                    .map_or(Scopes::All, |all| Scopes::Only(all.into_iter().collect())),
                view: View {
                    conversations,
                    hides_contact_details: row.hides_contact_details.unwrap_or(false),
                    teams: row.teams,
                },
            },
            active: row.state == "active",
            organization_active: row.organization_state == "active" || only_to_cancel,
            mfa_required_from: row.mfa_required_from,
            mfa_grace_until: row.mfa_grace_until,
        })
    })
    .transpose()
}
