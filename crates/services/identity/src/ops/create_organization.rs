//! The part that signing up and seeding share.

use chrono::{DateTime, Utc};
use db::SystemTx;
use ids::{Actor, OrganizationId, UserId};

use crate::{
    Error,
    domain::email::EmailKey,
    events::{self, Occasion},
    store::{
        organizations::{self, Organization},
        users::{self, User},
    },
};

/// Who and what.
#[derive(Debug)]
pub(super) struct Founding<'a> {
    pub(super) organization_name: &'a str,
    pub(super) name: &'a str,
    pub(super) email: &'a str,
    pub(super) password_hash: &'a str,
}

/// A person and the organization it owns.
pub(super) async fn create_organization(
    tx: &mut SystemTx,
    founding: &Founding<'_>,
    now: DateTime<Utc>,
) -> Result<(Organization, User), Error> {
    let unix_ms = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    let user = User {
        id: UserId::generate_at(unix_ms),
        email: founding.email.trim().to_owned(),
        name: founding.name.to_owned(),
    };
    let organization = Organization {
        id: OrganizationId::generate_at(unix_ms),
        name: founding.organization_name.to_owned(),
        created_at: now,
    };
    users::insert(
        tx,
        &user,
        &EmailKey::new(founding.email),
        founding.password_hash,
        now,
    )
    .await?;
    organizations::insert(tx, &organization, user.id).await?;
    let occasion = Occasion {
        organization_id: organization.id,
        actor: Actor::User(user.id),
        at: now,
    };
    events::organization_created(tx, &occasion, user.id).await?;
    Ok((organization, user))
}
