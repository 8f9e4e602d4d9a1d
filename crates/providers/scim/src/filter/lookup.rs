//! The part of filters that indexes answer.

use super::{AttributePath, Literal, Node, Operator};
use crate::{
    Error, ResourceKind,
    schema::{DISPLAY_NAME, EXTERNAL_ID, ID, MEMBERS, USER_NAME, VALUE},
};

kept_private!(Lookup, |lookup| lookup.attribute());

/// One equality. Compare user names, display names and addresses without regard to case, the
/// others exactly.
#[derive(Clone, PartialEq, Eq)]
pub enum Lookup {
    Id(String),
    ExternalId(String),
    UserName(String),
    DisplayName(String),
    /// An e-mail address, perhaps of one type only.
    Email {
        value: String,
        kind: Option<String>,
    },
    /// A group that has this user.
    Member(String),
}

impl Lookup {
    /// The attribute that is looked up, without the value.
    pub const fn attribute(&self) -> &'static str {
        match self {
            Self::Id(_) => ID,
            Self::ExternalId(_) => EXTERNAL_ID,
            Self::UserName(_) => USER_NAME,
            Self::DisplayName(_) => DISPLAY_NAME,
            Self::Email { .. } => EMAILS,
            Self::Member(_) => MEMBERS,
        }
    }
}

const EMAILS: &str = "emails";

pub(super) fn reduce(node: &Node, kind: ResourceKind) -> Result<Vec<Lookup>, Error> {
    let mut lookups = Vec::new();
    collect(node, kind, &mut lookups).ok_or_else(|| Error::FilterNotSupported {
        supported: supported(kind),
    })?;
    Ok(lookups)
}

const fn supported(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::User => {
            "`eq` on id, externalId, userName, displayName, emails.value and emails[type eq \"…\"].value, joined by `and`"
        }
        ResourceKind::Group => {
            "`eq` on id, externalId, displayName and members[value eq \"…\"], joined by `and`"
        }
    }
}

fn collect(node: &Node, kind: ResourceKind, into: &mut Vec<Lookup>) -> Option<()> {
    match node {
        Node::And(nodes) => nodes.iter().try_for_each(|node| collect(node, kind, into)),
        Node::Compare(path, Operator::Equal, literal) => {
            into.push(equality(path, literal, kind)?);
            Some(())
        }
        Node::Element(path, node) => {
            into.push(of_element(&path.name, node, kind)?);
            Some(())
        }
        Node::Or(_) | Node::Not(_) | Node::Compare(..) | Node::Present(_) => None,
    }
}

fn equality(path: &AttributePath, literal: &Literal, kind: ResourceKind) -> Option<Lookup> {
    let attribute = kind.schema().find(&path.name)?;
    let text = literal.as_text()?.into_owned();
    match (attribute.name, path.sub.as_deref()) {
        (ID, None) => Some(Lookup::Id(text)),
        (EXTERNAL_ID, None) => Some(Lookup::ExternalId(text)),
        (USER_NAME, None) => Some(Lookup::UserName(text)),
        (DISPLAY_NAME, None) => Some(Lookup::DisplayName(text)),
        (name, sub) if sub.is_none_or(|sub| sub.eq_ignore_ascii_case(VALUE)) => {
            element(name, text, None)
        }
        _ => None,
    }
}

/// `emails[type eq "work" and value eq "x"]`, in either order, or with the value alone.
fn of_element(name: &str, node: &Node, kind: ResourceKind) -> Option<Lookup> {
    let attribute = kind.schema().find(name)?;
    let (mut value, mut of_type) = (None, None);
    let mut pending = vec![node];
    while let Some(node) = pending.pop() {
        match node {
            Node::And(nodes) => pending.extend(nodes),
            Node::Compare(AttributePath { name, sub: None }, Operator::Equal, literal) => {
                let slot = match attribute.sub(name)?.name {
                    VALUE => &mut value,
                    "type" => &mut of_type,
                    _ => return None,
                };
                if slot.replace(literal.as_text()?.into_owned()).is_some() {
                    return None;
                }
            }
            _ => return None,
        }
    }
    element(attribute.name, value?, of_type)
}

fn element(name: &str, value: String, kind: Option<String>) -> Option<Lookup> {
    match (name, kind) {
        (EMAILS, kind) => Some(Lookup::Email { value, kind }),
        (MEMBERS, None) => Some(Lookup::Member(value)),
        _ => None,
    }
}
