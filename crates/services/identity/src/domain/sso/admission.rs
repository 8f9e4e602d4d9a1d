//! Who somebody is with us whom a provider vouches for.
//!
//! A person is known by the connection and the provider's subject, never by an address: addresses change hands, and
//! anybody can set up a provider that asserts any of them. An address counts once, when a subject is new, and only in a
//! domain that this organization proved to own by DNS. Without that proof nobody is linked and nobody is created: an
//! account made for somebody else's address would wait for its owner (pre-hijacking).

use ids::UserId;

/// What a provider says of somebody whose subject we do not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    /// There is an address, and it has the form of one.
    pub(crate) has_address: bool,
    /// This organization proved to own its domain.
    pub(crate) owns_domain: bool,
    /// The provider vouches that the person receives mail there.
    pub(crate) is_verified: bool,
}

/// How the person with the address stands to the organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nobody has the address.
    Nobody,
    /// Somebody has it, and belongs elsewhere.
    Stranger(UserId),
    Member {
        id: UserId,
        active: bool,
        /// The member is known to this connection by another subject.
        has_other_subject: bool,
    },
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// The subject is from now on this member.
    Link(UserId),
    /// This person, who has an account already, becomes a member.
    Join(UserId),
    /// A new person becomes a member.
    Create,
}

/// Why nobody is admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    AddressMissing,
    DomainNotOwned,
    AddressUnverified,
    Deactivated,
    /// The address was somebody's before: a new colleague must not get the old one's account.
    OtherSubject,
    NotMember,
}

impl Refused {
    /// A stable word for the trace.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::AddressMissing => "email_missing",
            Self::DomainNotOwned => "domain_not_verified",
            Self::AddressUnverified => "email_not_verified",
            Self::Deactivated => "member_deactivated",
            Self::OtherSubject => "subject_changed",
            Self::NotMember => "not_member",
        }
    }

    /// What happened, for the administrator.
    pub(crate) const fn detail(self) -> &'static str {
        match self {
            Self::AddressMissing => {
                "The provider names no e-mail address of the person. Let it send one (scope or attribute `email`)."
            }
            Self::DomainNotOwned => {
                "The domain of the person's e-mail address is not verified by your organization. Add it under domains and publish the DNS record."
            }
            Self::AddressUnverified => {
                "The provider does not vouch for the person's e-mail address (claim `email_verified`, at Entra `xms_edov`)."
            }
            Self::Deactivated => "The member is deactivated. Activate it to let it in again.",
            Self::OtherSubject => {
                "The e-mail address belongs to a member whom the provider knew by another id. If it is the same person, connect the provider anew; if it is a new colleague, remove the old member first."
            }
            Self::NotMember => {
                "The person is no member, and the connection makes no new members. Invite the person, or switch provisioning on."
            }
        }
    }
}

/// Decides about a subject that is not known.
pub(crate) const fn admit(
    claim: Claim,
    standing: Standing,
    provisions: bool,
) -> Result<Admission, Refused> {
    if !claim.has_address {
        return Err(Refused::AddressMissing);
    }
    if !claim.owns_domain {
        return Err(Refused::DomainNotOwned);
    }
    if !claim.is_verified {
        return Err(Refused::AddressUnverified);
    }
    match standing {
        Standing::Member { active: false, .. } => Err(Refused::Deactivated),
        Standing::Member {
            has_other_subject: true,
            ..
        } => Err(Refused::OtherSubject),
        Standing::Member { id, .. } => Ok(Admission::Link(id)),
        Standing::Stranger(_) | Standing::Nobody if !provisions => Err(Refused::NotMember),
        Standing::Stranger(id) => Ok(Admission::Join(id)),
        Standing::Nobody => Ok(Admission::Create),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: Claim = Claim {
        has_address: true,
        owns_domain: true,
        is_verified: true,
    };

    #[test]
    fn a_proven_address_finds_its_person() {
        let id = UserId::generate();
        let member = |active, has_other_subject| Standing::Member {
            id,
            active,
            has_other_subject,
        };
        for (standing, provisions, expected) in [
            (member(true, false), false, Ok(Admission::Link(id))),
            (member(true, true), true, Err(Refused::OtherSubject)),
            (member(false, false), true, Err(Refused::Deactivated)),
            (Standing::Stranger(id), true, Ok(Admission::Join(id))),
            (Standing::Stranger(id), false, Err(Refused::NotMember)),
            (Standing::Nobody, true, Ok(Admission::Create)),
            (Standing::Nobody, false, Err(Refused::NotMember)),
        ] {
            assert_eq!(admit(GOOD, standing, provisions), expected, "{standing:?}");
        }
    }

    fn standings() -> impl Strategy<Value = Standing> {
        let id = UserId::generate();
        prop_oneof![
            Just(Standing::Nobody),
            Just(Standing::Stranger(id)),
            any::<(bool, bool)>().prop_map(move |(active, has_other_subject)| Standing::Member {
                id,
                active,
                has_other_subject,
            }),
        ]
    }

    proptest! {
        /// Whoever has the address, and whatever the connection allows.
        #[test]
        fn an_unproven_address_links_and_makes_nobody(
            flags in any::<(bool, bool, bool)>(), standing in standings(), provisions in any::<bool>(),
        ) {
            let (has_address, owns_domain, is_verified) = flags;
            let claim = Claim { has_address, owns_domain, is_verified };
            let admitted = admit(claim, standing, provisions);
            prop_assert!(claim == GOOD || admitted.is_err());
            if !provisions {
                prop_assert!(matches!(admitted, Ok(Admission::Link(_)) | Err(_)));
            }
        }
    }
}
