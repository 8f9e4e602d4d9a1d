//! An organization with a known login, for a laptop and for demonstrations.

use std::fmt;

use db::{Db, SystemTx};
use ids::{OrganizationId, UserId};
use secrecy::SecretString;

use super::create_organization::{Founding, create_organization};
use crate::{Error, domain::email::EmailKey, passwords::Passwords, store::users};

/// What must exist.
#[derive(Clone)]
pub struct Seed {
    /// The organization's name.
    pub organization_name: String,
    /// The owner's name.
    pub name: String,
    /// The owner's address.
    pub email: String,
    /// The owner's password.
    pub password: SecretString,
}

/// Only the organization: names and addresses of people must not get into logs.
impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seed({:?})", self.organization_name)
    }
}

/// What exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeded {
    /// The organization.
    pub organization_id: OrganizationId,
    /// Its owner.
    pub user_id: UserId,
}

/// Makes sure that a person with this address exists and owns an organization. Whoever exists already stays as it is,
/// password and name included.
///
/// # Errors
/// When the database fails.
pub async fn seed(db: &Db, seed: &Seed) -> Result<Seeded, Error> {
    if let Some(seeded) = find(db, seed).await? {
        return Ok(seeded);
    }
    let password_hash = Passwords::new().await?.hash(seed.password.clone()).await?;
    let mut tx = SystemTx::begin(db, "seed").await?;
    let founding = Founding {
        organization_name: &seed.organization_name,
        name: &seed.name,
        email: &seed.email,
        password_hash: &password_hash,
    };
    match create_organization(&mut tx, &founding, db.clock().now()).await {
        Ok((organization, user)) => {
            // Whoever seeds vouches for it.
            users::verify_email(&mut tx, user.id, db.clock().now()).await?;
            tx.commit().await?;
            Ok(Seeded {
                organization_id: organization.id,
                user_id: user.id,
            })
        }
        // Another process was faster.
        Err(Error::EmailTaken) => find(db, seed).await?.ok_or(Error::EmailTaken),
        Err(error) => Err(error),
    }
}

async fn find(db: &Db, seed: &Seed) -> Result<Option<Seeded>, Error> {
    let mut tx = SystemTx::begin(db, "seed").await?;
    let account = users::find_account(&mut tx, &EmailKey::new(&seed.email), None).await?;
    tx.commit().await?;
    Ok(account.map(|account| Seeded {
        organization_id: account.organization.id,
        user_id: account.user.id,
    }))
}
