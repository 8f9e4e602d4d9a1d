//! From a letter to a mail.

use std::fmt;

use chrono::{DateTime, Utc};
use db::SystemTx;
use secrecy::SecretString;

use super::{Letter, links::AppUrl, words::words};
use crate::{
    Error,
    domain::link,
    ops::Tools,
    store::{
        email_links::Purpose,
        letters::{self, Facts},
    },
};

/// Everything that letters need to become mail.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    pub(crate) client: resend::Client,
    pub(crate) app: AppUrl,
}

/// A letter, ready to be sent.
pub(crate) struct Mail {
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) html: String,
    pub(crate) text: String,
}

/// Without its contents: a link in it opens an account.
impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mail")
    }
}

impl Sender {
    /// Writes a letter that was queued at that time; nothing when its matter is over.
    pub(crate) async fn write(
        &self,
        tools: &Tools,
        letter: &Letter,
        queued_at: DateTime<Utc>,
    ) -> Result<Option<Mail>, Error> {
        let Some(facts) = load(tools, letter, queued_at).await? else {
            return Ok(None);
        };
        let words = words(letter, &facts, &secret(tools, letter).await?, &self.app);
        Ok(Some(Mail {
            html: words.html().map_err(Error::Letter)?,
            text: words.text().map_err(Error::Letter)?,
            subject: words.subject,
            to: facts.email,
        }))
    }
}

async fn load(
    tools: &Tools,
    letter: &Letter,
    queued_at: DateTime<Utc>,
) -> Result<Option<Facts>, Error> {
    let now = tools.db.clock().now();
    let mut tx = SystemTx::begin(&tools.db, "write a mail").await?;
    let facts = match *letter {
        Letter::Invitation {
            organization_id,
            invitation_id,
        } => letters::invitation(&mut tx, organization_id, invitation_id, now).await?,
        Letter::ResetPassword { link_id } => {
            letters::link(&mut tx, link_id, Purpose::ResetPassword, now).await?
        }
        Letter::VerifyEmail { link_id } => {
            letters::link(&mut tx, link_id, Purpose::VerifyEmail, now).await?
        }
        Letter::AccountExists { user_id }
        | Letter::PasswordChanged { user_id }
        | Letter::MfaEnabled { user_id }
        | Letter::MfaDisabled { user_id } => letters::person(&mut tx, user_id, queued_at).await?,
        Letter::AddressChanged {
            user_id,
            changed_at,
        } => letters::former_address(&mut tx, user_id, changed_at).await?,
        Letter::NewDevice {
            organization_id,
            session_id,
        } => letters::login(&mut tx, organization_id, session_id).await?,
        Letter::OrganizationDeleted {
            organization_id,
            user_id,
        } => letters::deletion(&mut tx, organization_id, user_id).await?,
    };
    tx.commit().await?;
    Ok(facts)
}

/// The secret of the letter's link; empty for a letter without one.
async fn secret(tools: &Tools, letter: &Letter) -> Result<SecretString, Error> {
    let ring = tools.keys.current().await;
    let key = ring.refresh_key(tools.db.clock().now())?;
    Ok(match *letter {
        Letter::Invitation {
            organization_id,
            invitation_id,
        } => link::of_invitation(key, organization_id, invitation_id),
        Letter::ResetPassword { link_id } | Letter::VerifyEmail { link_id } => {
            link::of_link(key, link_id)
        }
        _ => SecretString::default(),
    })
}
