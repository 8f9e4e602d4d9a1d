//! The group.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Meta, Resource, answer, put, required_text, take, take_text};
use crate::{
    Error, Filter, GroupChange,
    document::{self, Document},
    schema::{DISPLAY_NAME, EXTERNAL_ID, ID, MEMBERS, ResourceKind},
};

kept_private!(Group, Member);

/// A group of users (RFC 7643, 4.2).
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Group {
    /// Given by the server: `None` in what a client sends.
    pub id: Option<String>,
    /// The directory's own id of the group.
    pub external_id: Option<String>,
    /// Unique without regard to case: Entra looks groups up by it.
    pub display_name: String,
    /// `None` if the client did not say, which in a PUT differs from an empty list.
    pub members: Option<Vec<Member>>,
    /// Given by the server.
    pub meta: Option<Meta>,
}

/// A user in a group.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Member {
    /// The user's id.
    pub value: String,
    /// The user's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
}

impl Group {
    /// Reads the body of a POST or PUT.
    ///
    /// # Errors
    /// [`Error::Syntax`] if it is not a JSON object or has an attribute twice, [`Error::Value`] for
    /// a value of the wrong type or without `displayName`.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let object = document::parse_object(body)?;
        Self::from_document(document::read(ResourceKind::Group.schema(), object)?)
    }

    /// The members; none if nobody said.
    pub fn members(&self) -> &[Member] {
        self.members.as_deref().unwrap_or_default()
    }

    /// Puts what a PUT's body says in the place of what was there. Members stay if the body does
    /// not mention them: a client that reads with `excludedAttributes=members` and writes back what
    /// it read must not empty the group. So does the directory's id.
    pub fn replace_with(&mut self, put: Self) -> GroupChange {
        let before = self.clone();
        let replaced = put.members.is_some();
        *self = Self {
            id: self.id.take(),
            meta: self.meta.take(),
            members: put.members.or_else(|| self.members.take()),
            external_id: put.external_id.or_else(|| self.external_id.take()),
            ..put
        };
        GroupChange::between(&before, self, replaced)
    }

    /// Whether the filter selects this group.
    pub fn matches(&self, filter: &Filter) -> bool {
        filter.matches(ResourceKind::Group.schema(), &self.to_document())
    }

    /// The group as it is answered.
    pub fn to_json(&self) -> Value {
        answer(self, ResourceKind::Group)
    }
}

impl Resource for Group {
    const KIND: ResourceKind = ResourceKind::Group;

    fn to_document(&self) -> Document {
        let mut document = Document::new();
        put(&mut document, ID, &self.id);
        put(&mut document, EXTERNAL_ID, &self.external_id);
        put(&mut document, DISPLAY_NAME, &self.display_name);
        put(&mut document, MEMBERS, &self.members);
        put(&mut document, "meta", &self.meta);
        document
    }

    fn from_document(mut document: Document) -> Result<Self, Error> {
        let document = &mut document;
        Ok(Self {
            id: take_text(document, ID),
            external_id: take_text(document, EXTERNAL_ID),
            display_name: required_text(document, DISPLAY_NAME)?,
            members: take(document, MEMBERS),
            meta: take(document, "meta"),
        })
    }
}
