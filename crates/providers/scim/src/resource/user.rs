//! The user.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Meta, Resource, answer, put, required_text, take, take_text};
use crate::{
    Error, Filter, UserChange,
    document::{self, Document},
    schema::{ACTIVE, DISPLAY_NAME, EXTERNAL_ID, ID, ResourceKind, USER_NAME},
};

kept_private!(User, Name, Email, Role, GroupRef);

/// A user as a directory describes it (RFC 7643, 4.1).
#[derive(Clone, PartialEq, Eq, Default)]
pub struct User {
    /// Given by the server: `None` in what a client sends.
    pub id: Option<String>,
    /// The directory's own id of the user.
    pub external_id: Option<String>,
    /// The name to sign in with, unique without regard to case; with Okta and Entra usually an
    /// e-mail address.
    pub user_name: String,
    pub name: Option<Name>,
    pub display_name: Option<String>,
    pub emails: Vec<Email>,
    /// `None` if the client did not say; see [`is_active`](Self::is_active).
    pub active: Option<bool>,
    pub roles: Vec<Role>,
    /// Given by the server, changed through the groups.
    pub groups: Vec<GroupRef>,
    /// Given by the server.
    pub meta: Option<Meta>,
}

/// The parts of a name.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Name {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
}

/// An e-mail address.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Email {
    pub value: String,
    /// `work`, `home`, `other`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// True for one at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<bool>,
}

/// A role the directory gives to the user.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Role {
    pub value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary: Option<bool>,
}

/// A group the user is in.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GroupRef {
    /// The group's id.
    pub value: String,
    /// The group's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
}

impl User {
    /// Reads the body of a POST or PUT.
    ///
    /// # Errors
    /// [`Error::Syntax`] if it is not a JSON object or has an attribute twice, [`Error::Value`] for
    /// a value of the wrong type or without `userName`.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let object = document::parse_object(body)?;
        Self::from_document(document::read(ResourceKind::User.schema(), object)?)
    }

    /// A user is active unless the directory says otherwise.
    pub fn is_active(&self) -> bool {
        self.active.unwrap_or(true)
    }

    /// The address to write to: the primary one, else the one for work, else the first.
    pub fn preferred_email(&self) -> Option<&str> {
        let is_work = |email: &&Email| {
            let kind = email.kind.as_deref();
            kind.is_some_and(|kind| kind.eq_ignore_ascii_case("work"))
        };
        let chosen = self
            .emails
            .iter()
            .find(|email| email.primary == Some(true))
            .or_else(|| self.emails.iter().find(is_work))
            .or_else(|| self.emails.first());
        chosen.map(|email| email.value.as_str())
    }

    /// Puts what a PUT's body says in the place of what was there. What the body leaves out is
    /// cleared, but for what the server gives and for `active` and `externalId`: Okta leaves
    /// `active` out of its PUTs, and a blocked user must not come back by an omission.
    pub fn replace_with(&mut self, put: Self) -> UserChange {
        let before = self.clone();
        *self = Self {
            id: self.id.take(),
            groups: std::mem::take(&mut self.groups),
            meta: self.meta.take(),
            active: put.active.or(self.active),
            external_id: put.external_id.or_else(|| self.external_id.take()),
            ..put
        };
        UserChange::between(&before, self)
    }

    /// Whether the filter selects this user.
    pub fn matches(&self, filter: &Filter) -> bool {
        filter.matches(ResourceKind::User.schema(), &self.to_document())
    }

    /// The user as it is answered.
    pub fn to_json(&self) -> Value {
        answer(self, ResourceKind::User)
    }
}

impl Resource for User {
    const KIND: ResourceKind = ResourceKind::User;

    fn to_document(&self) -> Document {
        let mut document = Document::new();
        put(&mut document, ID, &self.id);
        put(&mut document, EXTERNAL_ID, &self.external_id);
        put(&mut document, USER_NAME, &self.user_name);
        put(&mut document, "name", &self.name);
        put(&mut document, DISPLAY_NAME, &self.display_name);
        put(&mut document, ACTIVE, &self.active);
        put(&mut document, "emails", &self.emails);
        put(&mut document, "roles", &self.roles);
        put(&mut document, "groups", &self.groups);
        put(&mut document, "meta", &self.meta);
        document
    }

    fn from_document(mut document: Document) -> Result<Self, Error> {
        let document = &mut document;
        Ok(Self {
            id: take_text(document, ID),
            external_id: take_text(document, EXTERNAL_ID),
            user_name: required_text(document, USER_NAME)?,
            name: take(document, "name"),
            display_name: take_text(document, DISPLAY_NAME),
            emails: take(document, "emails"),
            active: take(document, ACTIVE),
            roles: take(document, "roles"),
            groups: take(document, "groups"),
            meta: take(document, "meta"),
        })
    }
}
