//! Requests in the shapes Microsoft Entra ID sends.

use scim::{Group, Lookup, Query, ResourceKind, User};
use serde_json::{Value, json};

use crate::people::{ada, email, ids, patch, support};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn patched(operations: &Value) -> User {
    let mut user = ada();
    patch(operations).apply_user(&mut user).expect("applies");
    user
}

#[test]
fn a_new_user_with_an_extension_and_attributes_we_do_not_hold_is_read() {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "externalId": "0a21f0f2",
        "userName": "grace@example.com",
        "active": "True",
        "displayName": "Grace Hopper",
        "title": null,
        "preferredLanguage": "en-US",
        "addresses": [{"primary": false, "type": "work", "country": "US"}],
        "emails": [{"primary": true, "type": "work", "value": "grace@example.com"}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": "Grace Hopper", "familyName": "Hopper", "givenName": "Grace", "middleName": "B"},
        "roles": [],
        ENTERPRISE: {"department": "Navy", "manager": {"value": "x"}},
    });
    let user = User::parse(body.to_string().as_bytes()).expect("a user");
    assert_eq!(user.user_name, "grace@example.com");
    assert_eq!(user.active, Some(true));
    assert_eq!(user.preferred_email(), Some("grace@example.com"));
    assert_eq!(user.meta, None);
    let name = user.name.expect("a name");
    assert_eq!(name.family_name.as_deref(), Some("Hopper"));
}

#[test]
fn the_state_arrives_in_every_spelling() {
    for (value, expected) in [
        (json!("False"), false),
        (json!("false"), false),
        (json!(false), false),
        (json!("True"), true),
        (json!([{"$ref": null, "value": "False"}]), false),
    ] {
        for operation in [
            json!({"op": "Replace", "path": "active", "value": value}),
            json!({"op": "replace", "value": {"active": value}}),
            json!({"op": "Add", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": value}),
        ] {
            let mut user = ada();
            let change = patch(&json!([operation]))
                .apply_user(&mut user)
                .expect("applies");
            assert_eq!(user.active, Some(expected), "{operation}");
            assert_eq!(change.active, (!expected).then_some(false), "{operation}");
        }
    }
}

#[test]
fn capitalised_operations_on_several_paths_apply_in_one_request() {
    let user = patched(&json!([
        {"op": "Add", "path": "name.formatted", "value": "Ada King"},
        {"op": "Replace", "path": "name.familyName", "value": "King"},
        {"op": "Replace", "path": "displayName", "value": [{"$ref": null, "value": "Ada King"}]},
        {"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "king@example.com"},
        {"op": "Add", "path": "phoneNumbers[type eq \"work\"].value", "value": "+1 650"},
        {"op": "Add", "path": format!("{ENTERPRISE}:department"), "value": "Engines"},
        {"op": "Add", "path": format!("{ENTERPRISE}:manager"), "value": [{"$ref": null, "value": "usr_9"}]},
    ]));
    let name = user.name.expect("a name");
    assert_eq!(name.formatted.as_deref(), Some("Ada King"));
    assert_eq!(name.family_name.as_deref(), Some("King"));
    assert_eq!(name.given_name.as_deref(), Some("Ada"));
    assert_eq!(user.display_name.as_deref(), Some("Ada King"));
    assert_eq!(user.emails, [email("king@example.com", "work", Some(true))]);
}

#[test]
fn an_address_is_made_if_the_path_finds_none() {
    let user = patched(&json!([
        {"op": "Add", "path": "emails[type eq \"home\"].value", "value": "ada@home.example"},
    ]));
    assert_eq!(
        user.emails,
        [
            email("ada@example.com", "work", Some(true)),
            email("ada@home.example", "home", None),
        ]
    );
}

#[test]
fn a_role_is_made_by_a_quoted_truth_value() {
    let mut user = ada();
    let operations =
        json!([{"op": "Add", "path": "roles[primary eq \"True\"].value", "value": "agent"}]);
    for _ in 0..2 {
        patch(&operations).apply_user(&mut user).expect("applies");
        assert_eq!(user.roles.len(), 1);
        assert_eq!(user.roles[0].value, "agent");
        assert_eq!(user.roles[0].primary, Some(true));
    }
}

#[test]
fn keys_of_a_value_without_path_are_paths() {
    let user = patched(&json!([{"op": "replace", "value": {
        "displayName": "Ada L.",
        "name.givenName": "Augusta",
        "emails[type eq \"work\"].value": "augusta@example.com",
        "urn:ietf:params:scim:schemas:core:2.0:User:externalId": "00u2",
        format!("{ENTERPRISE}:employeeNumber"): "42",
        ENTERPRISE: {"department": "Engines"},
    }}]));
    assert_eq!(user.display_name.as_deref(), Some("Ada L."));
    assert_eq!(
        user.name.as_ref().expect("a name").given_name.as_deref(),
        Some("Augusta")
    );
    assert_eq!(user.preferred_email(), Some("augusta@example.com"));
    assert_eq!(user.external_id.as_deref(), Some("00u2"));
}

#[test]
fn members_are_added_with_a_null_reference() {
    let mut group = support();
    let change = patch(&json!([{"op": "Add", "path": "members", "value": [
        {"$ref": null, "value": "usr_3"},
        {"$ref": null, "value": "usr_1"},
    ]}]))
    .apply_group(&mut group)
    .expect("applies");
    assert_eq!(ids(&group), ["usr_1", "usr_2", "usr_3"]);
    assert_eq!(change.added, ["usr_3"]);
    assert!(change.removed.is_empty() && !change.replaced && change.renamed.is_none());
}

#[test]
fn members_are_removed_by_a_list_and_by_a_path() {
    for operation in [
        json!({"op": "Remove", "path": "members", "value": [{"$ref": null, "value": "usr_1"}]}),
        json!({"op": "Remove", "path": "members", "value": {"value": "usr_1"}}),
        json!({"op": "remove", "path": "members[value eq \"usr_1\"]"}),
        json!({"op": "Remove", "path": "Members[Value EQ \"usr_1\"]", "value": null}),
    ] {
        let mut group = support();
        let change = patch(&json!([operation]))
            .apply_group(&mut group)
            .expect("applies");
        assert_eq!(ids(&group), ["usr_2"], "{operation}");
        assert_eq!(change.removed, ["usr_1"], "{operation}");
        assert!(!change.replaced, "{operation}");
    }
}

#[test]
fn an_empty_list_of_members_to_remove_removes_nobody() {
    let mut group = support();
    let change = patch(&json!([{"op": "Remove", "path": "members", "value": []}]))
        .apply_group(&mut group)
        .expect("applies");
    assert_eq!(group, support());
    assert!(!change.changed);
}

#[test]
fn a_new_group_is_read() {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group", "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        "externalId": "8aa1a0c0",
        "displayName": "Sales",
        "meta": {"resourceType": "Group"},
    });
    let group = Group::parse(body.to_string().as_bytes()).expect("a group");
    assert_eq!(group.display_name, "Sales");
    assert_eq!(group.members, None);
}

#[test]
fn its_questions_are_answered_by_indexes() {
    let lookups = |kind, filter: &str| {
        let query = Query::parse([("filter", filter), ("excludedAttributes", "members")]);
        let query = query.expect("a query");
        assert!(!query.projection.includes("members"));
        query
            .filter
            .expect("a filter")
            .lookups(kind)
            .expect("supported")
    };
    let id = "5f1a";
    assert_eq!(
        lookups(
            ResourceKind::User,
            "userName eq \"non-existent@example.com\""
        ),
        [Lookup::UserName("non-existent@example.com".into())]
    );
    assert_eq!(
        lookups(ResourceKind::User, &format!("externalId eq \"{id}\"")),
        [Lookup::ExternalId(id.into())]
    );
    assert_eq!(
        lookups(ResourceKind::Group, "displayName eq \"Sales\""),
        [Lookup::DisplayName("Sales".into())]
    );
    assert_eq!(
        lookups(
            ResourceKind::Group,
            &format!("id eq \"{id}\" and members eq \"usr_1\"")
        ),
        [Lookup::Id(id.into()), Lookup::Member("usr_1".into())]
    );
}
