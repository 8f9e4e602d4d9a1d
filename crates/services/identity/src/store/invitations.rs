//! Who is asked to join.

use chrono::{DateTime, Utc};
use db::{AsTx, DbError, SystemTx, TenantTx};
use ids::{InvitationId, OrganizationId, RoleId, UserId};

use super::organizations::role;
use crate::{
    Error, PeopleError,
    domain::{
        assignment::Assignment,
        email::EmailKey,
        invitation::{Invitation, State, Stored},
    },
};

struct Row {
    id: InvitationId,
    email: String,
    role: String,
    role_id: Option<RoleId>,
    state: String,
    invited_by: UserId,
    created_at: DateTime<Utc>,
    sent_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    accepted_by: Option<UserId>,
}

impl TryFrom<Row> for Invitation {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        let wrong = |column| DbError::inconsistent("invitations", column, row.id);
        Ok(Self {
            assignment: Assignment::new(role(&row.role, row.id)?, row.role_id)
                .ok_or_else(|| wrong("role_id"))?,
            stored: Stored::parse(&row.state).ok_or_else(|| wrong("state"))?,
            id: row.id,
            email: row.email,
            invited_by: row.invited_by,
            created_at: row.created_at,
            sent_at: row.sent_at,
            expires_at: row.expires_at,
            accepted_by: row.accepted_by,
        })
    }
}

/// Another pending one for the address is refused.
#[tracing::instrument(name = "db.invitations.insert", skip_all)]
pub(crate) async fn insert(tx: &mut TenantTx, invitation: &Invitation) -> Result<(), Error> {
    let key = EmailKey::new(&invitation.email);
    let inserted = sqlx::query!(
        "insert into identity.invitations
             (organization_id, id, email, email_key, role, role_id, invited_by, created_at, sent_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        tx.organization_id().as_uuid(),
        invitation.id.as_uuid(),
        invitation.email,
        key.as_str(),
        invitation.assignment.role().as_str(),
        invitation.assignment.role_id().map(RoleId::as_uuid),
        invitation.invited_by.as_uuid(),
        invitation.created_at,
        invitation.sent_at,
        invitation.expires_at,
    )
    .execute(tx.conn())
    .await
    .map_err(DbError::from);
    match inserted {
        Ok(_) => Ok(()),
        Err(error) if error.constraint() == Some("invitations_pending_key") => {
            Err(PeopleError::AlreadyInvited.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Locked.
#[tracing::instrument(name = "db.invitations.lock", skip_all)]
pub(crate) async fn lock(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    id: InvitationId,
) -> Result<Option<Invitation>, DbError> {
    let row = sqlx::query_as!(
        Row,
        r#"select id as "id: InvitationId", email, role, role_id as "role_id: RoleId", state,
                  invited_by as "invited_by: UserId", created_at, sent_at, expires_at,
                  accepted_by as "accepted_by: UserId"
           from identity.invitations where organization_id = $1 and id = $2
           for update"#,
        organization_id.as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(Invitation::try_from).transpose()
}

/// Newest first; those in one state if it is given.
#[tracing::instrument(name = "db.invitations.list", skip_all)]
pub(crate) async fn list(
    tx: &mut TenantTx,
    state: Option<State>,
    now: DateTime<Utc>,
    after: Option<InvitationId>,
    limit: i64,
) -> Result<Vec<Invitation>, DbError> {
    let stored = state.map(|state| match state {
        State::Pending | State::Expired => Stored::Pending,
        State::Accepted => Stored::Accepted,
        State::Revoked => Stored::Revoked,
    });
    let expired = match state {
        Some(State::Pending) => Some(false),
        Some(State::Expired) => Some(true),
        Some(State::Accepted | State::Revoked) | None => None,
    };
    let rows = sqlx::query_as!(
        Row,
        r#"select id as "id: InvitationId", email, role, role_id as "role_id: RoleId", state,
                  invited_by as "invited_by: UserId", created_at, sent_at, expires_at,
                  accepted_by as "accepted_by: UserId"
           from identity.invitations
           where organization_id = $1
             and ($2::text is null or state = $2)
             and ($3::boolean is null or (expires_at <= $4) = $3)
             and ($5::uuid is null or id < $5)
           order by id desc limit $6"#,
        tx.organization_id().as_uuid(),
        stored.map(Stored::as_str),
        expired,
        now,
        after.map(InvitationId::as_uuid),
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Invitation::try_from).collect()
}

/// Who sent it last, when, and how long it is good.
#[tracing::instrument(name = "db.invitations.update", skip_all)]
pub(crate) async fn update(tx: &mut TenantTx, invitation: &Invitation) -> Result<(), DbError> {
    sqlx::query!(
        "update identity.invitations set sent_at = $3, expires_at = $4, invited_by = $5
         where organization_id = $1 and id = $2",
        tx.organization_id().as_uuid(),
        invitation.id.as_uuid(),
        invitation.sent_at,
        invitation.expires_at,
        invitation.invited_by.as_uuid(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The end of a pending one.
#[tracing::instrument(name = "db.invitations.update", skip_all)]
pub(crate) async fn close(
    tx: &mut impl AsTx,
    organization_id: OrganizationId,
    id: InvitationId,
    accepted_by: Option<UserId>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let state = match accepted_by {
        Some(_) => Stored::Accepted,
        None => Stored::Revoked,
    };
    sqlx::query!(
        "update identity.invitations set state = $3, accepted_by = $4, closed_at = $5
         where organization_id = $1 and id = $2 and state = 'pending'",
        organization_id.as_uuid(),
        id.as_uuid(),
        state.as_str(),
        accepted_by.map(UserId::as_uuid),
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Makes room for a new invitation of the address where an old one has expired.
#[tracing::instrument(name = "db.invitations.update", skip_all)]
pub(crate) async fn close_expired(
    tx: &mut TenantTx,
    email: &EmailKey,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "update identity.invitations set state = 'revoked', closed_at = $3
         where organization_id = $1 and email_key = $2 and state = 'pending' and expires_at <= $3",
        tx.organization_id().as_uuid(),
        email.as_str(),
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Deletes up to `batch` invitations that were closed, or could last be accepted, before `before`; how many.
#[tracing::instrument(name = "db.invitations.sweep", skip_all)]
pub(crate) async fn sweep(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    batch: i64,
) -> Result<u64, DbError> {
    let swept = sqlx::query!(
        "delete from identity.invitations where ctid = any(array(
             select ctid from identity.invitations where coalesce(closed_at, expires_at) < $1
             order by coalesce(closed_at, expires_at) limit $2))",
        before,
        batch,
    )
    .execute(tx.conn())
    .await?;
    Ok(swept.rows_affected())
}
