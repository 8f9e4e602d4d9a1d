//! What a person was recognised by, and whether that still holds.
//!
//! Between the moment when somebody is recognised and the transaction that lets in or changes something the person may
//! have chosen another password, changed the second factor or ended the session. Whoever does so locks the person.

use db::SystemTx;
use ids::{OrganizationId, SessionId, UserId};

use crate::{
    Error,
    store::{
        sessions,
        users::{self, Credentials},
    },
};

#[derive(Debug, Clone, Copy)]
pub(crate) enum Grounds {
    /// The password, and the second factor if there is one.
    Password(Credentials),
    /// A session that has not ended.
    Session(OrganizationId, SessionId),
    /// A link in a mail, which the transaction has locked.
    Link,
    /// An identity provider answers for the person.
    Provider,
}

impl Grounds {
    /// Locks the person for a change of how one logs in.
    ///
    /// # Errors
    /// When the grounds do not hold any more: [`Error::Challenge`], [`Error::SessionUnknown`].
    pub(super) async fn lock(self, tx: &mut SystemTx, user_id: UserId) -> Result<(), Error> {
        users::lock(tx, user_id).await?.ok_or(Error::NotMember)?;
        self.check(tx, user_id).await
    }

    /// Keeps the person as it is until the end of the transaction.
    ///
    /// # Errors
    /// As [`lock`](Self::lock).
    pub(super) async fn hold(self, tx: &mut SystemTx, user_id: UserId) -> Result<(), Error> {
        users::hold(tx, user_id).await?;
        self.check(tx, user_id).await
    }

    async fn check(self, tx: &mut SystemTx, user_id: UserId) -> Result<(), Error> {
        match self {
            Self::Password(seen) => {
                let present = users::find_credentials(tx, user_id).await?;
                (present == Some(seen))
                    .then_some(())
                    .ok_or(Error::Challenge)
            }
            Self::Session(organization_id, id) => {
                let lives = sessions::hold(tx, organization_id, id).await?;
                lives.then_some(()).ok_or(Error::SessionUnknown)
            }
            Self::Link | Self::Provider => Ok(()),
        }
    }

    /// The session that goes on when a change ends the others.
    pub(super) const fn session(self) -> Option<SessionId> {
        match self {
            Self::Session(_, id) => Some(id),
            Self::Password(_) | Self::Link | Self::Provider => None,
        }
    }
}
