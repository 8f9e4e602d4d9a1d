//! PATCH (RFC 7644, 3.5.2), with what Entra and Okta make of it.
//!
//! Kinder than the RFC in four places, each because a directory depends on it: `op` in any case;
//! `remove` of a list with a `value` takes only these elements away; a path like
//! `emails[type eq "work"].value` makes the element that it does not find; removing what is gone
//! already succeeds, so that a repeated request does.

mod change;
mod elements;
mod gather;
mod operation;
mod target;

pub use change::{GroupChange, UserChange};

use operation::Operation;

use crate::{
    Error, Group, User,
    document::{parse_object, tidy},
    resource::Resource,
};

kept_private!(Patch, |patch| format_args!(
    "{} operations",
    patch.operations.len()
));

/// A parsed patch: all of its operations, or none.
#[derive(Clone, PartialEq)]
pub struct Patch {
    operations: Vec<Operation>,
}

impl Patch {
    /// The most operations one patch may have, after those without path are taken apart.
    pub const MAX_OPERATIONS: usize = 1_000;

    /// Reads the body of a PATCH. Its `schemas` are not checked: nothing else can be meant.
    ///
    /// # Errors
    /// [`Error::Syntax`] if it is not a patch, [`Error::Path`] for a malformed path,
    /// [`Error::RemoveWithoutPath`], [`Error::TooManyOperations`].
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let operations = operation::read_all(parse_object(body)?)?;
        Ok(Self {
            operations: gather::gather(operations),
        })
    }

    /// Applies all operations to the user, or none of them if one fails.
    ///
    /// # Errors
    /// See [`Error`]: values, paths, mutability. The user is then as before.
    pub fn apply_user(&self, user: &mut User) -> Result<UserChange, Error> {
        let mut patched = self.applied_to(user)?;
        // "Not said" is for new users: without this, removing `active` would let a blocked one in.
        patched.active = patched.active.or(user.active);
        let change = UserChange::between(user, &patched);
        *user = patched;
        Ok(change)
    }

    /// Applies all operations to the group, or none of them if one fails. The group must have its
    /// members, or what is added and removed cannot be told.
    ///
    /// # Errors
    /// See [`Error`]: values, paths, mutability. The group is then as before.
    pub fn apply_group(&self, group: &mut Group) -> Result<GroupChange, Error> {
        let mut patched = self.applied_to(group)?;
        patched.members.get_or_insert_default();
        let replaces = self.operations.iter().any(Operation::replaces_members);
        let change = GroupChange::between(group, &patched, replaces);
        *group = patched;
        Ok(change)
    }

    fn applied_to<R: Resource>(&self, resource: &R) -> Result<R, Error> {
        let schema = R::KIND.schema();
        let mut document = resource.to_document();
        for operation in &self.operations {
            target::apply(&mut document, schema, operation)?;
        }
        tidy(&mut document, schema);
        R::from_document(document)
    }
}
