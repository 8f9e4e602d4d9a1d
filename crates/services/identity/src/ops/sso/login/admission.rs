//! From somebody a provider vouches for to a member.

mod role;

use auth::Origin;
use chrono::{DateTime, Utc};
use db::SystemTx;
use ids::{Actor, UserId};
use serde_json::json;

use super::{Arrival, Stop, arrival::Address, trace::connection_deleted};
use crate::{
    Error, PeopleError,
    domain::{
        assignment::Assignment,
        email::EmailKey,
        sso::{Admission, Claim, Connection, Refused, Standing, admit as decide},
    },
    events::{self, Occasion},
    ops::{
        Tools,
        audit::{self, Change},
        claim::claim,
        seats,
    },
    store::{
        claims,
        organizations::Organization,
        people, roster, settings,
        sso::{
            connections, domains,
            identities::{self, Known},
        },
        users::User,
    },
};

/// Finds or makes the member, and gives it the role that its groups say.
pub(super) async fn admit(
    tools: &Tools,
    connection: &Connection,
    arrival: &Arrival,
    origin: &Origin,
) -> Result<(User, Organization), Stop> {
    let organization_id = connection.organization_id;
    let mut tx = SystemTx::begin(&tools.db, "single sign-on").await?;
    // Whoever changes members of the organization waits, and another login of a new person, too.
    let settings = settings::lock(&mut tx, organization_id).await?;
    let settings = settings.ok_or(Error::OrganizationInactive)?;
    if !connections::hold(&mut tx, organization_id, connection.id).await? {
        return Err(connection_deleted());
    }
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
    let id = desk.recognise(arrival).await?;
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
    /// Who it is, from now on if not before.
    async fn recognise(&mut self, arrival: &Arrival) -> Result<UserId, Stop> {
        let (organization_id, connection_id) = (self.occasion.organization_id, self.connection.id);
        let subject = arrival.subject.as_str();
        let found = identities::find(&mut self.tx, organization_id, connection_id, subject).await?;
        let said = self.role_of(arrival).await?;
        let mut known = match found {
            Some(known) if !known.active => return Err(Refused::Deactivated.into()),
            Some(known) => known,
            None => Known {
                user_id: self.welcome(arrival, said.flatten()).await?,
                active: true,
                given: None,
            },
        };
        if let Some(role) = said {
            self.follow(known.user_id, known.given, role).await?;
            known.given = role;
        }
        let now = self.occasion.at;
        identities::put(
            &mut self.tx,
            organization_id,
            connection_id,
            subject,
            &known,
            now,
        )
        .await?;
        Ok(known.user_id)
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
        let said = Claim {
            has_address: true,
            owns_domain: domains::is_verified(&mut self.tx, organization_id, &address.domain)
                .await?,
            is_verified: arrival.email_verified,
        };
        let key = EmailKey::new(&address.text);
        let holder = claims::lock_person(&mut self.tx, &key).await?;
        let standing = self.standing(holder.map(|(id, _)| id)).await?;
        let admission = decide(said, standing, self.connection.provisions)?;
        if let Some((id, false)) = holder {
            let (name, actor) = (arrival.name.as_deref(), &self.occasion.actor);
            claim(&mut self.tx, id, name, actor, self.origin).await?;
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
