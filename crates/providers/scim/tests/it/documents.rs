//! Bodies that come in, documents that go out.

use scim::{
    Filter, Group, Lookup, Patch, ScimType, User, Version,
    answer::{ErrorResponse, ListResponse},
};
use serde_json::json;

use crate::people::{ada, support};

#[test]
fn a_user_is_answered_with_schemas_meta_and_without_nulls() {
    let mut user = ada();
    user.name.as_mut().expect("a name").formatted = None;
    user.display_name = None;
    insta::assert_json_snapshot!(user.to_json(), @r#"
    {
      "active": true,
      "emails": [
        {
          "primary": true,
          "type": "work",
          "value": "ada@example.com"
        }
      ],
      "externalId": "00u1",
      "groups": [
        {
          "display": "Support",
          "value": "grp_1"
        }
      ],
      "id": "usr_1",
      "meta": {
        "created": "2026-11-01T08:00:00Z",
        "lastModified": "2026-11-20T09:30:00Z",
        "location": "https://app.example.com/scim/v2/Users/usr_1",
        "resourceType": "User",
        "version": "W/\"7\""
      },
      "name": {
        "familyName": "Byron",
        "givenName": "Ada"
      },
      "schemas": [
        "urn:ietf:params:scim:schemas:core:2.0:User"
      ],
      "userName": "Ada@example.com"
    }
    "#);
}

#[test]
fn a_group_is_answered_with_its_members() {
    insta::assert_json_snapshot!(support().to_json(), @r#"
    {
      "displayName": "Support",
      "externalId": "00g1",
      "id": "grp_1",
      "members": [
        {
          "value": "usr_1"
        },
        {
          "value": "usr_2"
        }
      ],
      "meta": {
        "created": "2026-11-01T08:00:00Z",
        "lastModified": "2026-11-20T09:30:00Z",
        "location": "https://app.example.com/scim/v2/Groups/grp_1",
        "resourceType": "Group",
        "version": "W/\"7\""
      },
      "schemas": [
        "urn:ietf:params:scim:schemas:core:2.0:Group"
      ]
    }
    "#);
}

#[test]
fn a_group_without_members_has_no_empty_list() {
    let mut group = support();
    group.members = Some(Vec::new());
    assert!(group.to_json().get("members").is_none());
}

#[test]
fn what_is_answered_reads_as_the_same_resource() {
    let user = User::parse(ada().to_json().to_string().as_bytes()).expect("a user");
    let expected = User {
        id: None,
        groups: Vec::new(),
        meta: None,
        ..ada()
    };
    assert!(user == expected);
    let group = Group::parse(support().to_json().to_string().as_bytes()).expect("a group");
    assert_eq!(group.members, support().members);
}

#[test]
fn names_in_any_case_and_single_values_for_lists_are_read() {
    let user = User::parse(
        br#"{"USERNAME": "a@b.c", "Emails": {"VALUE": "a@b.c", "Type": "work"}, "roles": "agent",
             "NAME": {"GivenName": "A"}, "externalid": 42, "active": null,
             "urn:ietf:params:scim:schemas:core:2.0:User": {"displayName": "A"}}"#,
    )
    .expect("a user");
    assert_eq!(user.user_name, "a@b.c");
    assert_eq!(user.preferred_email(), Some("a@b.c"));
    assert_eq!(user.roles[0].value, "agent");
    assert_eq!(user.external_id.as_deref(), Some("42"));
    assert_eq!(user.display_name.as_deref(), Some("A"));
    assert_eq!(user.active, None);
    let group =
        Group::parse(br#"{"displayName": "G", "members": ["u1", {"value": "u1"}, null, "u2"]}"#);
    let members = group.expect("a group").members.expect("members");
    assert_eq!(members.len(), 2);
}

#[test]
fn bodies_that_are_no_users_are_refused() {
    for (expected, body) in [
        (ScimType::InvalidSyntax, "[]"),
        (ScimType::InvalidSyntax, "{"),
        (
            ScimType::InvalidSyntax,
            r#"{"userName": "a", "username": "b"}"#,
        ),
        (ScimType::InvalidValue, "{}"),
        (ScimType::InvalidValue, r#"{"userName": " "}"#),
        (ScimType::InvalidValue, r#"{"userName": {"x": 1}}"#),
        (ScimType::InvalidValue, r#"{"userName": "a", "active": 1}"#),
        (ScimType::InvalidValue, r#"{"userName": "a", "name": "b"}"#),
        (
            ScimType::InvalidValue,
            r#"{"userName": "a", "emails": [[]]}"#,
        ),
    ] {
        let error = User::parse(body.as_bytes()).expect_err(body);
        assert_eq!(error.scim_type(), expected, "{body}");
    }
}

#[test]
fn the_address_to_write_to_is_the_primary_one_then_work_then_the_first() {
    let of = |emails: &str| {
        let body = format!(r#"{{"userName": "a", "emails": {emails}}}"#);
        let user = User::parse(body.as_bytes()).expect("a user");
        user.preferred_email().map(str::to_owned)
    };
    let work = r#"{"value": "w", "type": "Work"}"#;
    assert_eq!(
        of(&format!(
            r#"[{{"value": "h"}}, {work}, {{"value": "p", "primary": true}}]"#
        ))
        .as_deref(),
        Some("p")
    );
    assert_eq!(
        of(&format!(r#"[{{"value": "h"}}, {work}]"#)).as_deref(),
        Some("w")
    );
    assert_eq!(
        of(r#"[{"value": "h"}, {"value": "i"}]"#).as_deref(),
        Some("h")
    );
    assert_eq!(of("[]"), None);
}

#[test]
fn lists_count_what_they_have_and_errors_give_the_status_as_text() {
    let list = ListResponse {
        total_results: 3,
        start_index: 2,
        resources: vec![json!({"id": "usr_1"})],
    };
    insta::assert_json_snapshot!(list.to_json(), @r#"
    {
      "Resources": [
        {
          "id": "usr_1"
        }
      ],
      "itemsPerPage": 1,
      "schemas": [
        "urn:ietf:params:scim:api:messages:2.0:ListResponse"
      ],
      "startIndex": 2,
      "totalResults": 3
    }
    "#);
    insta::assert_json_snapshot!(ErrorResponse::uniqueness("userName").to_json(), @r#"
    {
      "detail": "another resource has the same `userName`",
      "schemas": [
        "urn:ietf:params:scim:api:messages:2.0:Error"
      ],
      "scimType": "uniqueness",
      "status": "409"
    }
    "#);
    let error = Filter::parse("x").expect_err("no filter");
    insta::assert_json_snapshot!(ErrorResponse::from(&error).to_json(), @r#"
    {
      "detail": "the filter cannot be read: an operator is missing (at byte 1)",
      "schemas": [
        "urn:ietf:params:scim:api:messages:2.0:Error"
      ],
      "scimType": "invalidFilter",
      "status": "400"
    }
    "#);
    assert_eq!(
        ErrorResponse::not_found().to_json(),
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": "404",
            "detail": "there is no such resource",
        })
    );
    assert_eq!(ErrorResponse::version_mismatch().status, 412);
    let refused = ErrorResponse::refused_change("the last owner cannot be deactivated");
    assert_eq!(refused.to_json()["scimType"], "mutability");
}

#[test]
fn debug_output_has_nothing_of_people() {
    let filter = Filter::parse(r#"userName eq "ada@example.com""#).expect("a filter");
    let body = br#"{"Operations": [{"op": "add", "path": "emails[value eq \"ada@example.com\"]", "value": {"value": "ada@example.com"}}]}"#;
    let patch = Patch::parse(body).expect("a patch");
    let mut group = support();
    let change = Patch::parse(
        br#"{"Operations": [{"op": "add", "path": "members", "value": "ada@example.com"}]}"#,
    )
    .expect("a patch")
    .apply_group(&mut group)
    .expect("applies");
    let user = ada();
    let printed = format!(
        "{user:?} {:?} {:?} {:?} {group:?} {filter:?} {patch:?} {change:?} {:?} {:?}",
        user.name,
        user.emails,
        user.groups,
        Lookup::UserName("ada@example.com".into()),
        Version::of_revision(7),
    );
    for private in ["ada", "Ada", "Byron", "example", "grp_1", "usr_", "Support"] {
        assert!(!printed.contains(private), "{private} in {printed}");
    }
}
