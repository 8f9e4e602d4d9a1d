//! The attributes we hold. RFC 7643, sections 3.1, 4.1 and 4.2, define them; this is the part that
//! means something here.

use super::{Attribute, Kind, Mutability, Schema};

pub(crate) const ID: &str = "id";
pub(crate) const EXTERNAL_ID: &str = "externalId";
pub(crate) const USER_NAME: &str = "userName";
pub(crate) const DISPLAY_NAME: &str = "displayName";
pub(crate) const ACTIVE: &str = "active";
pub(crate) const MEMBERS: &str = "members";
pub(crate) const VALUE: &str = "value";
pub(crate) const PRIMARY: &str = "primary";

/// What every resource has; not described under `/Schemas` (RFC 7643, 3.1).
pub(super) static COMMON: [Attribute; 3] = [
    Attribute::text(ID, "The server's id.").exact().read_only(),
    Attribute::text(EXTERNAL_ID, "The client's id.").exact(),
    Attribute::complex("meta", "About the resource itself.", META).read_only(),
];

const META: &[Attribute] = &[
    Attribute::text("resourceType", "User or Group.").exact(),
    Attribute::date_time("created", "When it was made here."),
    Attribute::date_time("lastModified", "When it was last changed here."),
    Attribute::text("location", "Its address.").exact(),
    Attribute::text("version", "Its entity tag.").exact(),
];

pub(super) static USER: Schema = Schema {
    urn: "urn:ietf:params:scim:schemas:core:2.0:User",
    name: "User",
    description: "A person who works with this account",
    attributes: &[
        Attribute::text(
            USER_NAME,
            "The name the user signs in with; unique without regard to case.",
        )
        .required()
        .unique(),
        Attribute::complex("name", "The parts of the user's name.", NAME),
        Attribute::text(DISPLAY_NAME, "The name shown to colleagues."),
        Attribute::boolean(
            ACTIVE,
            "Whether the user may sign in; false ends all sessions at once.",
        ),
        Attribute::complex("emails", "The user's e-mail addresses.", EMAIL).many(),
        Attribute::complex("roles", "The user's roles in this account.", ROLE).many(),
        Attribute::complex(
            "groups",
            "The groups the user is a member of; changed through the groups.",
            GROUP_REF,
        )
        .many()
        .read_only(),
    ],
};

pub(super) static GROUP: Schema = Schema {
    urn: "urn:ietf:params:scim:schemas:core:2.0:Group",
    name: "Group",
    description: "A set of users",
    attributes: &[
        Attribute::text(
            DISPLAY_NAME,
            "The group's name; unique without regard to case.",
        )
        .required()
        .unique(),
        Attribute::complex(MEMBERS, "The users in the group.", MEMBER).many(),
    ],
};

const NAME: &[Attribute] = &[
    Attribute::text("formatted", "The full name as it is written."),
    Attribute::text("familyName", "The family name."),
    Attribute::text("givenName", "The given name."),
];

const EMAIL: &[Attribute] = &[
    Attribute::text(VALUE, "The address."),
    Attribute::text("type", "What it is for, such as work or home."),
    Attribute::boolean(
        PRIMARY,
        "Whether it is the preferred one; true once at most.",
    ),
];

const ROLE: &[Attribute] = &[
    Attribute::text(VALUE, "The role's name."),
    Attribute::text("display", "The role's name for people."),
    Attribute::text("type", "What kind of role it is."),
    Attribute::boolean(PRIMARY, "Whether it is the main one; true once at most."),
];

const GROUP_REF: &[Attribute] = &[
    Attribute::text(VALUE, "The group's id.")
        .exact()
        .read_only(),
    Attribute::text("display", "The group's name.").read_only(),
];

const MEMBER: &[Attribute] = &[
    Attribute::text(VALUE, "The user's id.").exact().immutable(),
    Attribute::text("display", "The user's name.").immutable(),
];

impl Attribute {
    const fn of(name: &'static str, description: &'static str, kind: Kind) -> Self {
        Self {
            name,
            description,
            kind,
            many: false,
            required: false,
            case_exact: false,
            unique: false,
            mutability: Mutability::ReadWrite,
        }
    }

    const fn text(name: &'static str, description: &'static str) -> Self {
        Self::of(name, description, Kind::Text)
    }

    const fn boolean(name: &'static str, description: &'static str) -> Self {
        Self::of(name, description, Kind::Boolean)
    }

    const fn date_time(name: &'static str, description: &'static str) -> Self {
        Self::of(name, description, Kind::DateTime)
    }

    const fn complex(
        name: &'static str,
        description: &'static str,
        subs: &'static [Attribute],
    ) -> Self {
        Self::of(name, description, Kind::Complex(subs))
    }

    const fn many(mut self) -> Self {
        self.many = true;
        self
    }

    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    const fn exact(mut self) -> Self {
        self.case_exact = true;
        self
    }

    const fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    const fn read_only(mut self) -> Self {
        self.mutability = Mutability::ReadOnly;
        self
    }

    const fn immutable(mut self) -> Self {
        self.mutability = Mutability::Immutable;
        self
    }
}
