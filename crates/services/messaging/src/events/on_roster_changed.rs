//! Consumes what identity tells of people and teams, so that messaging knows at any moment who may be given a
//! conversation.

use bus::{BatchHandler, Delivery, HandlerError, ItemOutcome, Subscription};
use chrono::{DateTime, Utc};
use clock::Clock;
use db::{SystemTx, jobs};
use ids::{OrganizationId, UserId};
use proto::{
    events::DomainEvent,
    identity::events::v1::{
        MemberChanged, MemberJoined, MemberRemoved, OrganizationCreated, TeamChanged, TeamDeleted,
    },
};

use crate::{
    jobs::release_work::{self, Gone},
    store::agents::{self, Agent, Team},
};

const QUEUE: &str = "messaging.on-roster-changed";

const fn to(routing_key: &'static str) -> Subscription {
    Subscription {
        queue: QUEUE,
        exchange: "identity.events",
        routing_key,
    }
}

/// What it listens to, in one queue.
pub(crate) const SUBSCRIPTIONS: [Subscription; 3] = [
    to("identity.member.*.v1"),
    to("identity.organization.created.v1"),
    to("identity.team.*.v1"),
];

/// The handler.
#[derive(Debug)]
pub(crate) struct OnRosterChanged {
    pub(crate) clock: Clock,
}

/// What one event says.
enum Said {
    Person(Agent),
    /// No member any more: in no team either.
    Left(Agent),
    Team(Team),
    /// Of a kind that is newer than this program.
    Nothing,
}

impl BatchHandler for OnRosterChanged {
    async fn handle(
        &self,
        tx: &mut SystemTx,
        batch: &[Delivery],
    ) -> Result<Vec<ItemOutcome>, HandlerError> {
        let now = self.clock.now();
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut due = Vec::new();
        for delivery in batch {
            outcomes.push(match read(delivery) {
                Ok(said) => {
                    due.extend(record(tx, said, now).await?);
                    ItemOutcome::Done
                }
                Err(outcome) => outcome,
            });
        }
        jobs::push(tx, &due).await?;
        Ok(outcomes)
    }
}

/// Takes it in; the job that it makes due.
async fn record(
    tx: &mut SystemTx,
    said: Said,
    now: DateTime<Utc>,
) -> Result<Option<jobs::Job>, HandlerError> {
    match said {
        Said::Left(agent) => {
            agents::leave_teams(tx.conn(), agent.organization_id, agent.user_id)
                .await
                .map_err(db::DbError::from)?;
            record_person(tx, agent, now).await
        }
        Said::Person(agent) => record_person(tx, agent, now).await,
        Said::Team(team) => {
            agents::record_team(tx.conn(), &team)
                .await
                .map_err(db::DbError::from)?;
            let gone = Gone::Team(team.id);
            let deleted = team.members.is_none();
            Ok(deleted.then(|| release_work::job(team.organization_id, gone, now)))
        }
        Said::Nothing => Ok(None),
    }
}

async fn record_person(
    tx: &mut SystemTx,
    agent: Agent,
    now: DateTime<Utc>,
) -> Result<Option<jobs::Job>, HandlerError> {
    agents::record_agent(tx.conn(), agent)
        .await
        .map_err(db::DbError::from)?;
    let gone = Gone::Person(agent.user_id);
    Ok((!agent.active).then(|| release_work::job(agent.organization_id, gone, now)))
}

fn read(delivery: &Delivery) -> Result<Said, ItemOutcome> {
    let kind = delivery.envelope.event_type.as_str();
    if kind == OrganizationCreated::SPEC.event_type {
        let created: OrganizationCreated = decode(delivery)?;
        return person(delivery, &created.owner_user_id, true).map(Said::Person);
    }
    if kind == MemberJoined::SPEC.event_type {
        let joined: MemberJoined = decode(delivery)?;
        return person(delivery, &joined.user_id, true).map(Said::Person);
    }
    if kind == MemberChanged::SPEC.event_type {
        let changed: MemberChanged = decode(delivery)?;
        return person(delivery, &changed.user_id, changed.active).map(Said::Person);
    }
    if kind == MemberRemoved::SPEC.event_type {
        let removed: MemberRemoved = decode(delivery)?;
        return person(delivery, &removed.user_id, false).map(Said::Left);
    }
    if kind == TeamChanged::SPEC.event_type {
        let changed: TeamChanged = decode(delivery)?;
        let members = changed.member_user_ids.iter().map(|id| parse(id));
        let members = members.collect::<Result<Vec<UserId>, _>>()?;
        return team(delivery, &changed.team_id, Some(members));
    }
    if kind == TeamDeleted::SPEC.event_type {
        let deleted: TeamDeleted = decode(delivery)?;
        return team(delivery, &deleted.team_id, None);
    }
    Ok(Said::Nothing)
}

fn decode<E: DomainEvent + Default>(delivery: &Delivery) -> Result<E, ItemOutcome> {
    delivery
        .decode::<E>()
        .map_err(|error| ItemOutcome::dead(&error))
}

fn parse<T>(id: &str) -> Result<T, ItemOutcome>
where
    T: std::str::FromStr<Err = ids::ParseError>,
{
    id.parse()
        .map_err(|error: ids::ParseError| ItemOutcome::dead(&error))
}

/// Every event of a person or a team is one of an organization.
fn organization(delivery: &Delivery) -> Result<OrganizationId, ItemOutcome> {
    let named = delivery.envelope.organization_id;
    named.ok_or_else(|| ItemOutcome::Dead("the event names no organization".to_owned()))
}

fn person(delivery: &Delivery, id: &str, active: bool) -> Result<Agent, ItemOutcome> {
    Ok(Agent {
        organization_id: organization(delivery)?,
        user_id: parse(id)?,
        active,
        changed_at: delivery.envelope.occurred_at,
    })
}

fn team(delivery: &Delivery, id: &str, members: Option<Vec<UserId>>) -> Result<Said, ItemOutcome> {
    Ok(Said::Team(Team {
        organization_id: organization(delivery)?,
        id: parse(id)?,
        members,
        changed_at: delivery.envelope.occurred_at,
    }))
}

#[cfg(test)]
mod tests;
