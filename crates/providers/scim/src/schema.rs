//! What a user and a group consist of. Everything else in this crate asks this table.

mod tables;

pub(crate) use tables::{
    ACTIVE, DISPLAY_NAME, EXTERNAL_ID, ID, MEMBERS, PRIMARY, USER_NAME, VALUE,
};

/// The two kinds of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceKind {
    User,
    Group,
}

impl ResourceKind {
    /// Every kind, in the order of `/ResourceTypes`.
    pub const ALL: [Self; 2] = [Self::User, Self::Group];

    /// `meta.resourceType`, and the id under `/ResourceTypes`.
    pub const fn name(self) -> &'static str {
        self.schema().name
    }

    /// The path under the base address, `/Users`.
    pub const fn endpoint(self) -> &'static str {
        match self {
            Self::User => "/Users",
            Self::Group => "/Groups",
        }
    }

    /// The URN of its schema.
    pub const fn schema_urn(self) -> &'static str {
        self.schema().urn
    }

    pub(crate) const fn schema(self) -> &'static Schema {
        match self {
            Self::User => &tables::USER,
            Self::Group => &tables::GROUP,
        }
    }
}

/// One resource's attributes.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) urn: &'static str,
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    /// Without those all resources have.
    pub(crate) attributes: &'static [Attribute],
}

impl Schema {
    /// Names are compared without case (RFC 7643, 2.1).
    pub(crate) fn find(&self, name: &str) -> Option<&'static Attribute> {
        find(&tables::COMMON, name).or_else(|| find(self.attributes, name))
    }
}

/// An attribute or sub-attribute, described as RFC 7643, section 7 has it.
#[derive(Debug)]
pub(crate) struct Attribute {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) kind: Kind,
    pub(crate) many: bool,
    pub(crate) required: bool,
    pub(crate) case_exact: bool,
    pub(crate) unique: bool,
    pub(crate) mutability: Mutability,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Text,
    Boolean,
    DateTime,
    Complex(&'static [Attribute]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutability {
    ReadWrite,
    ReadOnly,
    Immutable,
}

impl Attribute {
    /// The sub-attribute of this name, whatever its case.
    pub(crate) fn sub(&self, name: &str) -> Option<&'static Attribute> {
        match self.kind {
            Kind::Complex(subs) => find(subs, name),
            Kind::Text | Kind::Boolean | Kind::DateTime => None,
        }
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.mutability == Mutability::ReadOnly
    }

    /// Whether its elements can only come and go, as the members of a group do.
    pub(crate) fn has_fixed_elements(&self) -> bool {
        self.many
            && self
                .sub(VALUE)
                .is_some_and(|value| value.mutability == Mutability::Immutable)
    }
}

fn find(attributes: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    attributes
        .iter()
        .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// The attribute's name without the URN of one of our schemas, which may stand before it
/// (RFC 7644, 3.10); as it is if the URN is another one. `None` if nothing is left.
pub(crate) fn without_core_urn(name: &str) -> Option<&str> {
    for kind in ResourceKind::ALL {
        let urn = kind.schema_urn();
        let Some((head, rest)) = name.split_at_checked(urn.len()) else {
            continue;
        };
        if head.eq_ignore_ascii_case(urn) {
            if rest.is_empty() {
                return None;
            }
            if let Some(rest) = rest.strip_prefix(':') {
                return Some(rest);
            }
        }
    }
    Some(name)
}
