//! A user and a group to change.

use chrono::{DateTime, Utc};
use scim::{Email, Group, GroupRef, Member, Meta, Name, Patch, ResourceKind, User, Version};
use serde_json::Value;

pub(crate) const BASE: &str = "https://app.example.com/scim/v2";

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a moment")
}

pub(crate) fn meta(kind: ResourceKind, id: &str) -> Meta {
    Meta::new(
        kind,
        BASE,
        id,
        at("2026-11-01T08:00:00Z"),
        at("2026-11-20T09:30:00Z"),
        Version::of_revision(7),
    )
}

pub(crate) fn email(value: &str, kind: &str, primary: Option<bool>) -> Email {
    Email {
        value: value.to_owned(),
        kind: Some(kind.to_owned()),
        primary,
    }
}

pub(crate) fn member(id: &str) -> Member {
    Member {
        value: id.to_owned(),
        display: None,
    }
}

/// An active user with one address, in one group.
pub(crate) fn ada() -> User {
    User {
        id: Some("usr_1".into()),
        external_id: Some("00u1".into()),
        user_name: "Ada@example.com".into(),
        name: Some(Name {
            formatted: None,
            family_name: Some("Byron".into()),
            given_name: Some("Ada".into()),
        }),
        display_name: Some("Ada Byron".into()),
        emails: vec![email("ada@example.com", "work", Some(true))],
        active: Some(true),
        roles: Vec::new(),
        groups: vec![GroupRef {
            value: "grp_1".into(),
            display: Some("Support".into()),
        }],
        meta: Some(meta(ResourceKind::User, "usr_1")),
    }
}

/// A group with the members `usr_1` and `usr_2`.
pub(crate) fn support() -> Group {
    Group {
        id: Some("grp_1".into()),
        external_id: Some("00g1".into()),
        display_name: "Support".into(),
        members: Some(vec![member("usr_1"), member("usr_2")]),
        meta: Some(meta(ResourceKind::Group, "grp_1")),
    }
}

pub(crate) fn patch(operations: &Value) -> Patch {
    let body = serde_json::json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": operations,
    });
    Patch::parse(body.to_string().as_bytes()).expect("a patch")
}

pub(crate) fn ids(group: &Group) -> Vec<&str> {
    let members = group.members().iter();
    members.map(|member| member.value.as_str()).collect()
}
