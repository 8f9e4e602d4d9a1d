//! What a person does with the own account.

pub(crate) mod change_password;
pub(crate) mod confirm_identity;
pub(crate) mod list_my_organizations;
pub(crate) mod list_sessions;
pub(crate) mod request_password_reset;
pub(crate) mod resend_verification;
pub(crate) mod reset_password;
pub(crate) mod revoke_other_sessions;
pub(crate) mod revoke_session;
pub(crate) mod switch_organization;
pub(crate) mod verify_email;

use chrono::TimeDelta;
use db::{AsTx, SystemTx};
use ids::{LinkId, UserId};

use crate::{
    Error,
    mail::{self, Letter},
    store::email_links::{self, Link, Purpose},
};

/// A new link by e-mail to the person's address, in the transaction that has the person locked.
pub(super) async fn send_link(
    tx: &mut SystemTx,
    user_id: UserId,
    purpose: Purpose,
) -> Result<(), Error> {
    let now = tx.db().clock().now();
    let lasts = match purpose {
        Purpose::ResetPassword => TimeDelta::minutes(30),
        Purpose::VerifyEmail => TimeDelta::days(1),
    };
    let link = Link {
        id: LinkId::stamped(now),
        user_id,
        expires_at: now + lasts,
    };
    email_links::replace(tx, &link, purpose, now).await?;
    let letter = match purpose {
        Purpose::ResetPassword => Letter::ResetPassword { link_id: link.id },
        Purpose::VerifyEmail => Letter::VerifyEmail { link_id: link.id },
    };
    mail::queue(tx, &[letter]).await?;
    Ok(())
}
