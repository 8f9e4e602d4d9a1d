//! Stored rows as resources.

use db::DbError;
use scim::{Group, GroupRef, Member, Meta, ResourceKind, User, Version};

use crate::store::scim::{groups::StoredGroup, users::StoredUser};

pub(super) fn user(
    stored: &StoredUser,
    groups: Vec<GroupRef>,
    base: &str,
) -> Result<User, DbError> {
    let attributes = stored.attributes.to_string();
    let parsed = User::parse(attributes.as_bytes());
    let mut user =
        parsed.map_err(|_| DbError::inconsistent("scim_users", "attributes", stored.id))?;
    let id = stored.id.to_string();
    user.meta = Some(Meta::new(
        ResourceKind::User,
        base,
        &id,
        stored.created_at,
        stored.updated_at,
        Version::of_revision(stored.version),
    ));
    user.id = Some(id);
    user.active = Some(stored.active);
    user.groups = groups;
    Ok(user)
}

pub(super) fn group(stored: &StoredGroup, members: Option<Vec<Member>>, base: &str) -> Group {
    let id = stored.id.to_string();
    Group {
        meta: Some(Meta::new(
            ResourceKind::Group,
            base,
            &id,
            stored.created_at,
            stored.updated_at,
            Version::of_revision(stored.version),
        )),
        id: Some(id),
        external_id: stored.external_id.clone(),
        display_name: stored.display_name.clone(),
        members,
    }
}
