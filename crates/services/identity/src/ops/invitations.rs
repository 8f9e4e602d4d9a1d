//! Who is asked to join the organization.

pub(crate) mod accept_invitation;
pub(crate) mod get_invitation;
pub(crate) mod invite;
pub(crate) mod list_invitations;
pub(crate) mod resend_invitation;
pub(crate) mod revoke_invitation;

mod good;
