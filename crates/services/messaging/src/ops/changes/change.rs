//! One change of one conversation, under its lock.

use chrono::{DateTime, TimeDelta, Utc};
use db::{AsTx, TenantTx};
use errors::FieldViolation;
use ids::{ConversationId, LabelId, OrganizationId, TeamId, TenantScope, UserId};
use proto::messaging::v1::{ConversationStatus, Priority};
use sqlx::PgConnection;

use super::Input;
use crate::{
    domain::work as words,
    error::Error,
    events::worked::Traces,
    ops::sight::Sight,
    store::{
        agents, labels,
        work::{self, Work},
    },
};

/// Nobody plans farther ahead; what is snoozed for longer is a mistake of the date.
const LONGEST_SNOOZE: TimeDelta = TimeDelta::days(366);

/// What is to be done.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// Whoever is not named does not have it any more.
    Assign {
        assignee: Option<UserId>,
        team: Option<TeamId>,
    },
    Status {
        status: ConversationStatus,
        snoozed_until: Option<DateTime<Utc>>,
    },
    Priority(Priority),
    Labels {
        add: Vec<LabelId>,
        remove: Vec<LabelId>,
    },
}

/// Does it and adds its traces. A change that changes nothing leaves none. Nothing is written before everything was
/// checked, so a refusal leaves the transaction as it was.
pub(super) async fn apply(
    tx: &mut TenantTx,
    scope: &TenantScope,
    sight: &Sight,
    input: &Input,
    now: DateTime<Utc>,
    traces: &mut Traces,
) -> Result<(), Error> {
    let organization_id = scope.organization_id;
    let before = work::lock(tx.conn(), organization_id, input.conversation_id)
        .await?
        .ok_or(Error::NotFound("conversation"))?;
    // After the lock: it may have been given away a moment ago.
    sight
        .within(tx.conn(), organization_id, before.id, "conversation")
        .await?;
    if input.version != 0 && input.version != before.version.unsigned_abs() {
        return Err(Error::ConversationChanged);
    }
    let after = changed(tx.conn(), &before, &input.change, now).await?;
    save(tx.conn(), &before, after, scope, now, traces).await
}

/// Opens a resolved conversation again, because we write into it.
pub(crate) async fn reopen(
    tx: &mut impl AsTx,
    scope: &TenantScope,
    id: ConversationId,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let found = work::lock(tx.conn(), scope.organization_id, id).await?;
    let Some(before) = found.filter(Work::is_resolved) else {
        return Ok(());
    };
    let change = Change::Status {
        status: ConversationStatus::Open,
        snoozed_until: None,
    };
    let after = changed(tx.conn(), &before, &change, now).await?;
    let mut traces = Traces::default();
    save(tx.conn(), &before, after, scope, now, &mut traces).await?;
    super::leave(tx, traces, now).await
}

async fn save(
    conn: &mut PgConnection,
    before: &Work,
    mut after: Work,
    scope: &TenantScope,
    now: DateTime<Utc>,
    traces: &mut Traces,
) -> Result<(), Error> {
    if after == *before {
        return Ok(());
    }
    after.version += 1;
    work::save(conn, &[&after]).await?;
    if after.label_ids != before.label_ids {
        labels::put(conn, after.organization_id, after.id, &after.label_ids).await?;
    }
    traces.add(before, &after, &scope.actor.to_string(), now);
    Ok(())
}

async fn changed(
    conn: &mut PgConnection,
    before: &Work,
    change: &Change,
    now: DateTime<Utc>,
) -> Result<Work, Error> {
    let organization_id = before.organization_id;
    let mut after = before.clone();
    match change {
        Change::Assign { assignee, team } => {
            if let Some(user) = assignee.filter(|_| *assignee != before.assignee_id) {
                require_agents(conn, organization_id, &[user]).await?;
            }
            if let Some(team) = team.filter(|_| *team != before.team_id)
                && !agents::team_exists(conn, organization_id, team).await?
            {
                return Err(Error::TeamUnknown);
            }
            after.assignee_id = *assignee;
            after.team_id = *team;
        }
        Change::Status {
            status,
            snoozed_until,
        } => {
            after.snoozed_until = snooze(*status, *snoozed_until, now)?;
            let word = words::status_word(*status).ok_or_else(|| wrong("status", "is unknown"))?;
            word.clone_into(&mut after.status);
            if before.is_resolved() && !after.is_resolved() {
                drop_the_gone(conn, &mut after).await?;
            }
        }
        Change::Priority(priority) => {
            after.priority =
                words::priority_rank(*priority).ok_or_else(|| wrong("priority", "is unknown"))?;
        }
        Change::Labels { add, remove } => {
            let fresh: Vec<LabelId> = add
                .iter()
                .copied()
                .filter(|id| !before.label_ids.contains(id))
                .collect();
            if !labels::exist(conn, organization_id, &fresh).await? {
                return Err(Error::LabelUnknown);
            }
            after.label_ids.extend(fresh);
            after.label_ids.retain(|id| !remove.contains(id));
            after.label_ids.sort_unstable();
            after.label_ids.dedup();
        }
    }
    Ok(after)
}

/// Each must be an active member of the organization.
pub(crate) async fn require_agents(
    conn: &mut PgConnection,
    organization_id: OrganizationId,
    users: &[UserId],
) -> Result<(), Error> {
    let active = agents::active(conn, organization_id, users).await?;
    if users.iter().all(|user| active.contains(user)) {
        Ok(())
    } else {
        Err(Error::AssigneeUnknown)
    }
}

/// Resolved conversations keep who had them. Who has left meanwhile does not get one back with its reopening.
async fn drop_the_gone(conn: &mut PgConnection, of: &mut Work) -> Result<(), Error> {
    if let Some(user) = of.assignee_id
        && agents::active(conn, of.organization_id, &[user])
            .await?
            .is_empty()
    {
        of.assignee_id = None;
    }
    if let Some(team) = of.team_id
        && !agents::team_exists(conn, of.organization_id, team).await?
    {
        of.team_id = None;
    }
    Ok(())
}

fn snooze(
    status: ConversationStatus,
    until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, Error> {
    match (status, until) {
        (ConversationStatus::Snoozed, Some(at)) if at > now && at <= now + LONGEST_SNOOZE => {
            Ok(Some(at))
        }
        (ConversationStatus::Snoozed, _) => Err(wrong(
            "snoozedUntil",
            "is a time in the future, at most a year from now",
        )),
        (_, None) => Ok(None),
        (_, Some(_)) => Err(wrong("snoozedUntil", "is for snoozed conversations only")),
    }
}

fn wrong(field: &str, message: &str) -> Error {
    Error::Invalid(vec![FieldViolation::new(field, message)])
}
