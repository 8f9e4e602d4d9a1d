//! From somebody a provider vouches for to a member.

use auth::{Origin, Revoked, Role};
use chrono::{DateTime, Utc};
use db::SystemTx;
use ids::{Actor, UserId};
use serde_json::json;

use super::{Arrival, Stop, arrival::Address};
use crate::{
    Error, PeopleError,
    domain::{
        assignment::Assignment,
        email::EmailKey,
        session::EndReason,
        sso::{Admission, Claim, Connection, Refused, Standing, admit as decide, mapped},
    },
    events::{self, Occasion},
    ops::{
        Tools,
        audit::{self, Change},
        office, person, seats,
    },
    store::{
        factors,
        organizations::Organization,
        people, revocations, roster, settings,
        sso::{domains, identities},
        users::User,
    },
};

/// Finds or makes the member, and gives it the role that its groups say.
pub(super) async fn admit(
    tools: &Tools,
    connection: &Connection,
    arrival: Arrival,
    origin: &Origin,
) -> Result<(User, Organization), Stop> {
    let organization_id = connection.organization_id;
    let mut tx = SystemTx::begin(&tools.db, "single sign-on").await?;
    // Whoever changes members of the organization waits, and another login of a new person, too.
    let settings = settings::lock(&mut tx, organization_id).await?;
    let settings = settings.ok_or(Error::OrganizationInactive)?;
    let mut desk = Desk {
        tools,
        connection,
        occasion: Occasion {
            organization_id,
            actor: Actor::System("sso"),
            at: tools.db.clock().now(),
        },
        origin,
        tx,
    };
    let subject = arrival.subject.as_str();
    let known = identities::find(&mut desk.tx, organization_id, connection.id, subject).await?;
    let role = desk.role_of(&arrival).await?;
    let id = match known {
        Some((_, false)) => return Err(Refused::Deactivated.into()),
        Some((id, true)) => id,
        None => desk.welcome(&arrival, role).await?,
    };
    if let Some(role) = role {
        desk.give(id, role).await?;
    }
    let now = desk.occasion.at;
    identities::put(
        &mut desk.tx,
        organization_id,
        connection.id,
        subject,
        id,
        now,
    )
    .await?;
    let user = people::list(&mut desk.tx, &[id]).await?.remove(&id);
    desk.tx.commit().await?;
    let organization = Organization {
        id: organization_id,
        name: settings.name,
        created_at: settings.created_at,
    };
    Ok((user.ok_or(Refused::NotMember)?, organization))
}

struct Desk<'a> {
    tools: &'a Tools,
    connection: &'a Connection,
    occasion: Occasion,
    origin: &'a Origin,
    tx: SystemTx,
}

impl Desk<'_> {
    /// The role of the person's groups, if they say one and the organization still has it.
    async fn role_of(&mut self, arrival: &Arrival) -> Result<Option<Assignment>, Stop> {
        let Some(role) = mapped(&self.connection.role_mappings, &arrival.groups) else {
            return Ok(None);
        };
        let organization_id = self.connection.organization_id;
        let exists = office::of_assignment(&mut self.tx, organization_id, role).await?;
        Ok(exists.map(|_| role))
    }

    /// Somebody whose subject is new.
    async fn welcome(
        &mut self,
        arrival: &Arrival,
        role: Option<Assignment>,
    ) -> Result<UserId, Stop> {
        let Some(address) = &arrival.email else {
            return Err(Refused::AddressMissing.into());
        };
        let organization_id = self.connection.organization_id;
        let claim = Claim {
            has_address: true,
            owns_domain: domains::is_verified(&mut self.tx, organization_id, &address.domain)
                .await?,
            is_verified: arrival.email_verified,
        };
        let key = EmailKey::new(&address.text);
        let holder = identities::lock_person(&mut self.tx, &key).await?;
        let standing = self.standing(holder.map(|(id, _)| id)).await?;
        let admission = decide(claim, standing, self.connection.provisions)?;
        // Password, second factor and sessions of an account whose address nobody proved are those of whoever set it
        // up. They end before its owner gets it.
        if let Some((id, false)) = holder {
            self.claim(id, arrival).await?;
        }
        match admission {
            Admission::Link(id) => Ok(id),
            Admission::Join(id) => {
                self.join(id, role).await?;
                Ok(id)
            }
            Admission::Create => {
                let id = self.create(address, &key, arrival).await?;
                self.join(id, role).await?;
                Ok(id)
            }
        }
    }

    async fn standing(&mut self, holder: Option<UserId>) -> Result<Standing, Stop> {
        let Some(id) = holder else {
            return Ok(Standing::Nobody);
        };
        let (organization_id, connection_id) =
            (self.connection.organization_id, self.connection.id);
        let Some(entry) = roster::find(&mut self.tx, organization_id, id).await? else {
            return Ok(Standing::Stranger(id));
        };
        let known = identities::is_known(&mut self.tx, organization_id, connection_id, id).await?;
        Ok(Standing::Member {
            id,
            active: entry.active,
            has_other_subject: known,
        })
    }

    async fn claim(&mut self, id: UserId, arrival: &Arrival) -> Result<(), Stop> {
        let (now, actor) = (self.occasion.at, self.occasion.actor.clone());
        let (tx, name) = (&mut self.tx, arrival.name.as_deref());
        identities::claim_person(tx, id, name, now).await?;
        factors::delete(tx, id).await?;
        let reason = EndReason::AccountClaimed;
        person::end_sessions_everywhere(tx, id, None, reason, &actor).await?;
        person::record_everywhere(tx, id, &actor, self.origin, "account.claimed").await?;
        Ok(())
    }

    async fn create(
        &mut self,
        address: &Address,
        key: &EmailKey,
        arrival: &Arrival,
    ) -> Result<UserId, Stop> {
        let now = self.occasion.at;
        let local = address.text.split('@').next().unwrap_or_default();
        let user = User {
            id: UserId::stamped(now),
            email: address.text.clone(),
            name: arrival.name.clone().unwrap_or_else(|| local.to_owned()),
        };
        identities::insert_person(&mut self.tx, &user, key, now).await?;
        Ok(user.id)
    }

    async fn join(&mut self, id: UserId, role: Option<Assignment>) -> Result<(), Stop> {
        let (organization_id, now) = (self.occasion.organization_id, self.occasion.at);
        let tx = &mut self.tx;
        match seats::refuse_full(tx, self.tools.seats, organization_id, 1, now).await {
            Err(Error::People(PeopleError::NoSeat)) => {
                return Err(Stop::refused(
                    "no_seat",
                    "Every seat of the organization is taken.",
                ));
            }
            other => other?,
        }
        let entry = self.entry(id, role, now);
        roster::insert(&mut self.tx, organization_id, &entry, None).await?;
        let role = entry.assignment.role();
        events::member_joined(&mut self.tx, &self.occasion, id, role).await?;
        let change = Change {
            before: None,
            after: Some(json!({ "role": role, "joined_by": entry.joined_by })),
        };
        self.record("member.joined", id, change).await
    }

    fn entry(&self, id: UserId, role: Option<Assignment>, now: DateTime<Utc>) -> roster::Entry {
        roster::Entry {
            user_id: id,
            assignment: role.unwrap_or(self.connection.default_role),
            active: true,
            teams: Vec::new(),
            joined_by: self.connection.provider.kind().as_str().to_owned(),
            joined_at: now,
        }
    }

    /// At each login, so that a move between groups counts. An owner stays one: no provider decides about owners.
    async fn give(&mut self, id: UserId, role: Assignment) -> Result<(), Stop> {
        let (organization_id, now) = (self.occasion.organization_id, self.occasion.at);
        let found = roster::find(&mut self.tx, organization_id, id).await?;
        let Some(mut entry) = found else {
            return Ok(());
        };
        if entry.assignment == role || entry.assignment.role() == Role::Owner {
            return Ok(());
        }
        let before = std::mem::replace(&mut entry.assignment, role);
        let tx = &mut self.tx;
        roster::update(tx, organization_id, &entry).await?;
        revocations::record(tx, organization_id, &[Revoked::Member(id)], now).await?;
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

    async fn record(&mut self, action: &str, id: UserId, change: Change) -> Result<(), Stop> {
        audit::record(
            &mut self.tx,
            &self.occasion,
            self.origin,
            action,
            id,
            change,
        )
        .await?;
        Ok(())
    }
}
