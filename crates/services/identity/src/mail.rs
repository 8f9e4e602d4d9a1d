//! E-mail to people, as jobs: written in the transaction of what it tells of, sent afterwards, tried again until it is.
//!
//! A job names rows and carries no content: the words, the address and the secret of a link are made when it is sent.

mod links;
mod names;
mod render;
mod sender;
mod suppression;
mod words;

use chrono::{DateTime, Utc};
use db::{AsTx, DbError, jobs, jobs::Job};
use ids::{InvitationId, LinkId, OrganizationId, SessionId, UserId};
use serde::{Deserialize, Serialize};

pub(crate) use links::AppUrl;
pub(crate) use sender::Sender;
pub(crate) use suppression::{proved, stopped};

/// The kind of the jobs.
pub(crate) const KIND: &str = "send-mail";

/// A mail to be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "letter", rename_all = "snake_case")]
pub(crate) enum Letter {
    /// Join the organization.
    Invitation {
        organization_id: OrganizationId,
        invitation_id: InvitationId,
    },
    /// Choose a new password.
    ResetPassword { link_id: LinkId },
    /// Prove that the address is yours.
    VerifyEmail { link_id: LinkId },
    /// Somebody tried to sign up with your address; you have an account.
    AccountExists { user_id: UserId },
    /// The password is another one now.
    PasswordChanged { user_id: UserId },
    /// A second factor protects the account now.
    MfaEnabled { user_id: UserId },
    /// No second factor protects it any more.
    MfaDisabled { user_id: UserId },
    /// A directory gave the person another address to log in with; to the former one.
    AddressChanged {
        user_id: UserId,
        changed_at: DateTime<Utc>,
    },
    /// A login from a device that was not seen before.
    NewDevice {
        organization_id: OrganizationId,
        session_id: SessionId,
    },
    /// The organization will be deleted; to one of its owners.
    OrganizationDeleted {
        organization_id: OrganizationId,
        user_id: UserId,
    },
}

impl Letter {
    /// Its kind, as the jobs call it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Invitation { .. } => "invitation",
            Self::ResetPassword { .. } => "reset_password",
            Self::VerifyEmail { .. } => "verify_email",
            Self::AccountExists { .. } => "account_exists",
            Self::PasswordChanged { .. } => "password_changed",
            Self::MfaEnabled { .. } => "mfa_enabled",
            Self::MfaDisabled { .. } => "mfa_disabled",
            Self::AddressChanged { .. } => "address_changed",
            Self::NewDevice { .. } => "new_device",
            Self::OrganizationDeleted { .. } => "organization_deleted",
        }
    }

    /// The tenant whose mail it is; a person's own mail has none.
    const fn organization_id(&self) -> Option<OrganizationId> {
        match self {
            Self::Invitation {
                organization_id, ..
            }
            | Self::NewDevice {
                organization_id, ..
            }
            | Self::OrganizationDeleted {
                organization_id, ..
            } => Some(*organization_id),
            Self::ResetPassword { .. }
            | Self::VerifyEmail { .. }
            | Self::AccountExists { .. }
            | Self::PasswordChanged { .. }
            | Self::MfaEnabled { .. }
            | Self::MfaDisabled { .. }
            | Self::AddressChanged { .. } => None,
        }
    }
}

/// Has the letters sent once the transaction is committed.
pub(crate) async fn queue(tx: &mut impl AsTx, letters: &[Letter]) -> Result<(), DbError> {
    let (now, tenant) = (tx.db().clock().now(), tx.tenant());
    let jobs: Vec<Job> = letters
        .iter()
        .map(|letter| {
            let payload = serde_json::to_value(letter).unwrap_or_default();
            // In a tenant's transaction every job is the tenant's.
            Job::new(
                KIND,
                tenant.or_else(|| letter.organization_id()),
                payload,
                now,
            )
        })
        .collect();
    jobs::push(tx, &jobs).await?;
    Ok(())
}
