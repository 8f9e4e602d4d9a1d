//! The part that signing up and seeding share.

use chrono::{DateTime, Utc};
use db::SystemTx;
use ids::{Actor, OrganizationId, UserId};
use secrecy::SecretString;

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
pub(super) struct Founding<'a> {
    pub(super) organization_name: &'a str,
    pub(super) name: &'a str,
    pub(super) email: &'a str,
    pub(super) password_hash: &'a SecretString,
}

/// A person and the organization it owns.
pub(super) async fn create_organization(
    tx: &mut SystemTx,
    founding: &Founding<'_>,
    now: DateTime<Utc>,
) -> Result<(Organization, User), Error> {
    let user = User {
        id: UserId::stamped(now),
        email: founding.email.trim().to_owned(),
        name: founding.name.to_owned(),
    };
    let organization = Organization {
        id: OrganizationId::stamped(now),
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
