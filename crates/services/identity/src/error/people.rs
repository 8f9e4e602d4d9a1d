//! What can go wrong with members, roles, teams, invitations and the organization.

use std::{borrow::Cow, time::Duration};

use errors::{Classify, Code, FieldViolation, codes};

/// An operation on the people of an organization was refused.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// No such thing in this organization.
    #[error("there is no such {0}")]
    Unknown(&'static str),
    /// The caller would give, change or take what it may not do itself.
    #[error("that is more than the caller may do")]
    TooMuch,
    /// The organization would be left without an active owner.
    #[error("the organization would have no active owner")]
    LastOwner,
    /// Another one has the name.
    #[error("another {0} has the name")]
    NameTaken(&'static str),
    /// Members or pending invitations have the role.
    #[error("the role is in use")]
    RoleInUse,
    /// What a custom role may not have, by position.
    #[error("{} permissions are not some of an admin's", .0.len())]
    Permissions(Vec<usize>),
    /// A member is in as many teams as fit a token.
    #[error("a member would be in too many teams")]
    TooManyTeams,
    /// The person is a member already.
    #[error("the person is a member already")]
    AlreadyMember,
    /// There is a pending invitation for the address.
    #[error("the address is invited already")]
    AlreadyInvited,
    /// Forged, unknown, expired, accepted, revoked, or without the power it was given with: nobody learns which.
    #[error("the invitation is not good")]
    InvitationInvalid,
    /// It was sent to the address of somebody else.
    #[error("the invitation is another person's")]
    InvitationOfAnother,
    /// It was sent a moment ago.
    #[error("the invitation was sent a moment ago")]
    SentJustNow(Duration),
    /// It was accepted or taken back.
    #[error("the invitation is closed")]
    InvitationClosed,
    /// Every seat is taken or promised.
    #[error("no seat is left")]
    NoSeat,
    /// Programs can't do this.
    #[error("the caller is not a person")]
    NotAPerson,
    /// The caller read an older version.
    #[error("the organization was changed meanwhile")]
    Changed,
    /// The organization is in another state than the change needs.
    #[error("the organization is {0}")]
    State(&'static str),
}

impl Classify for PeopleError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Unknown(_) => &codes::NOT_FOUND,
            Self::TooMuch => &codes::AUTH_FORBIDDEN,
            Self::LastOwner => &codes::LAST_OWNER,
            Self::NameTaken(_) => &codes::NAME_TAKEN,
            Self::RoleInUse => &codes::ROLE_IN_USE,
            Self::Permissions(_) => &codes::ROLE_PERMISSION_UNKNOWN,
            Self::TooManyTeams => &codes::TOO_MANY_TEAMS,
            Self::AlreadyMember => &codes::ALREADY_MEMBER,
            Self::AlreadyInvited => &codes::ALREADY_INVITED,
            Self::InvitationInvalid => &codes::INVITATION_INVALID,
            Self::InvitationOfAnother => &codes::INVITATION_OF_ANOTHER,
            Self::SentJustNow(_) => &codes::RATE_LIMITED,
            Self::NoSeat => &codes::NO_SEAT,
            Self::Changed => &codes::CONFLICT,
            Self::InvitationClosed | Self::NotAPerson | Self::State(_) => {
                &codes::PRECONDITION_FAILED
            }
        }
    }

    fn detail(&self) -> Cow<'static, str> {
        match self {
            Self::TooMuch => {
                Cow::Borrowed("You can't give, change or take away more than you may do yourself.")
            }
            Self::SentJustNow(_) => {
                Cow::Borrowed("The invitation was sent a moment ago; it can be sent once a minute.")
            }
            Self::InvitationClosed => {
                Cow::Borrowed("The invitation was accepted or taken back; invite the person again.")
            }
            Self::NotAPerson => Cow::Borrowed("Only people who are logged in can do this."),
            Self::State(state) => Cow::Owned(format!("The organization is {state}.")),
            _ => Cow::Borrowed(self.code().title),
        }
    }

    fn fields(&self) -> Vec<FieldViolation> {
        let Self::Permissions(positions) = self else {
            return Vec::new();
        };
        let violation = |position| {
            FieldViolation::new(
                format!("permissions[{position}]"),
                "is not a permission of admins",
            )
        };
        positions.iter().map(violation).collect()
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::SentJustNow(left) => Some(*left),
            _ => None,
        }
    }
}
