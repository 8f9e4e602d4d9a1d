//! The secret in a link that is sent by e-mail.
//!
//! It is the id of a row and a MAC over it, so the table of links opens none, and a mail can be written again without
//! anything that was stored of its link. The key is the newest of the ring; a link lives as long as the key it was made
//! with is kept.

use ids::{InvitationId, LinkId, OrganizationId};
use secrecy::SecretString;
use uuid::Uuid;

use super::mac_key::{MacKey, Usage};
use crate::keys::Ring;

const EMAIL_LINK: Usage = Usage {
    prefix: "sbl_",
    context: b"switchboard.email-link/1",
};
const INVITATION: Usage = Usage {
    prefix: "sbi_",
    context: b"switchboard.invitation/1",
};

/// The secret of a row of `email_links`.
pub(crate) fn of_link(key: &MacKey, id: LinkId) -> SecretString {
    key.seal(EMAIL_LINK, id.as_uuid().as_bytes())
}

/// The row of `email_links` that the secret names.
pub(crate) fn link(ring: &Ring, secret: &str) -> Option<LinkId> {
    let body = ring.open(EMAIL_LINK, secret)?;
    Some(LinkId::from_uuid(Uuid::from_slice(&body).ok()?))
}

/// The secret of an invitation.
pub(crate) fn of_invitation(
    key: &MacKey,
    organization_id: OrganizationId,
    id: InvitationId,
) -> SecretString {
    let mut body = organization_id.as_uuid().as_bytes().to_vec();
    body.extend_from_slice(id.as_uuid().as_bytes());
    key.seal(INVITATION, &body)
}

/// The invitation that the secret names.
pub(crate) fn invitation(ring: &Ring, secret: &str) -> Option<(OrganizationId, InvitationId)> {
    let body = ring.open(INVITATION, secret)?;
    let (organization, id) = body.split_at_checked(16)?;
    Some((
        OrganizationId::from_uuid(Uuid::from_slice(organization).ok()?),
        InvitationId::from_uuid(Uuid::from_slice(id).ok()?),
    ))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::domain::secret::random_bytes;

    #[test]
    fn a_secret_names_its_row_and_is_worth_nothing_elsewhere() {
        let key = MacKey::new(random_bytes());
        let mut ring = Ring::default();
        ring.add_refresh_key(chrono::DateTime::UNIX_EPOCH, key.clone());
        let (id, organization) = (LinkId::generate(), OrganizationId::generate());
        let invited = InvitationId::generate();
        let by_link = of_link(&key, id);
        let by_invitation = of_invitation(&key, organization, invited);
        assert_eq!(link(&ring, by_link.expose_secret()), Some(id));
        assert_eq!(
            invitation(&ring, by_invitation.expose_secret()),
            Some((organization, invited))
        );
        assert_eq!(link(&ring, by_invitation.expose_secret()), None);
        assert_eq!(invitation(&ring, by_link.expose_secret()), None);
        assert_eq!(ring.refresh_token(by_link.expose_secret()), None);
        let forged = of_link(&MacKey::new(random_bytes()), id);
        assert_eq!(link(&ring, forged.expose_secret()), None);
    }
}
