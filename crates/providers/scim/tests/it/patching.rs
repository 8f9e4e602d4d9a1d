//! PATCH by the RFC: what each operation does and what is refused.

use scim::{Error, Patch, ScimType, User};
use serde_json::{Value, json};

use crate::people::{ada, email, ids, member, patch, support};

fn patched(operation: &Value) -> User {
    let mut user = ada();
    patch(&json!([operation]))
        .apply_user(&mut user)
        .expect("applies");
    user
}

fn refused(operation: &Value) -> Error {
    let mut user = ada();
    let error = patch(&json!([operation])).apply_user(&mut user);
    assert_eq!(user, ada(), "{operation}");
    error.expect_err("refused")
}

#[test]
fn a_complex_attribute_changes_in_the_parts_that_are_named() {
    for verb in ["add", "replace"] {
        let user = patched(
            &json!({"op": verb, "path": "name", "value": {"FamilyName": "King", "middleName": "A"}}),
        );
        let name = user.name.expect("a name");
        assert_eq!(name.family_name.as_deref(), Some("King"));
        assert_eq!(name.given_name.as_deref(), Some("Ada"));
    }
}

#[test]
fn a_null_a_blank_and_a_removal_clear_alike() {
    for operation in [
        json!({"op": "replace", "path": "displayName", "value": null}),
        json!({"op": "replace", "path": "displayName", "value": "  "}),
        json!({"op": "replace", "value": {"displayName": ""}}),
        json!({"op": "remove", "path": "displayName"}),
    ] {
        assert_eq!(patched(&operation).display_name, None, "{operation}");
    }
    assert!(
        patched(&json!({"op": "remove", "path": "emails"}))
            .emails
            .is_empty()
    );
    assert!(
        patched(&json!({"op": "replace", "path": "emails", "value": []}))
            .emails
            .is_empty()
    );
    assert!(
        patched(&json!({"op": "remove", "path": "emails[type eq \"work\"].value"}))
            .emails
            .is_empty()
    );
    assert_eq!(patched(&json!({"op": "remove", "path": "name"})).name, None);
}

#[test]
fn removing_the_state_does_not_let_a_blocked_user_in() {
    let mut user = ada();
    user.active = Some(false);
    for operation in [
        json!({"op": "remove", "path": "active"}),
        json!({"op": "replace", "path": "active", "value": null}),
        json!({"op": "replace", "value": {"active": ""}}),
    ] {
        match Patch::apply_user(&patch(&json!([operation])), &mut user) {
            Ok(change) => assert_eq!(change.active, None, "{operation}"),
            Err(error) => assert_eq!(error.scim_type(), ScimType::InvalidValue, "{operation}"),
        }
        assert!(!user.is_active(), "{operation}");
    }
}

#[test]
fn what_is_there_is_not_added_twice() {
    let user = patched(&json!({"op": "add", "path": "emails", "value": [
        {"value": "ADA@example.com", "type": "Work"},
        {"value": "new@example.com", "type": "work"},
        {"value": "new@example.com", "type": "work"},
    ]}));
    assert_eq!(user.emails.len(), 2);
}

#[test]
fn the_address_that_becomes_primary_takes_it_from_the_other() {
    let expected = |user: User| {
        let primary: Vec<&str> = user
            .emails
            .iter()
            .filter(|email| email.primary == Some(true))
            .map(|email| email.value.as_str())
            .collect();
        assert_eq!(primary, ["b@example.com"]);
    };
    expected(patched(
        &json!({"op": "add", "path": "emails", "value": {"value": "b@example.com", "type": "home", "primary": "True"}}),
    ));

    let mut user = ada();
    user.emails
        .insert(0, email("b@example.com", "home", Some(false)));
    let again = json!([{"op": "add", "path": "emails", "value": [{"value": "b@example.com", "type": "home", "primary": true}]}]);
    patch(&again).apply_user(&mut user).expect("applies");
    expected(user.clone());

    user.emails[0].primary = None;
    user.emails[1].primary = Some(true);
    let by_path =
        json!([{"op": "replace", "path": "emails[type eq \"home\"].primary", "value": true}]);
    patch(&by_path).apply_user(&mut user).expect("applies");
    expected(user);
}

#[test]
fn a_selected_element_changes_in_the_parts_that_are_named() {
    let user = patched(
        &json!({"op": "replace", "path": "emails[primary eq true]", "value": {"value": "b@example.com"}}),
    );
    assert_eq!(user.emails, [email("b@example.com", "work", Some(true))]);
    let user = patched(
        &json!({"op": "add", "path": "emails[type eq \"home\"]", "value": {"value": "b@example.com"}}),
    );
    assert_eq!(user.emails[1], email("b@example.com", "home", None));
}

fn all_are_refused_with(expected: ScimType, operations: &[Value]) {
    for operation in operations {
        assert_eq!(refused(operation).scim_type(), expected, "{operation}");
    }
}

#[test]
fn a_selection_that_finds_nothing_and_makes_nothing_has_no_target() {
    all_are_refused_with(
        ScimType::NoTarget,
        &[
            json!({"op": "replace", "path": "emails[type ne \"work\"].value", "value": "x"}),
            json!({"op": "add", "path": "emails[type eq \"a\" or type eq \"b\"]", "value": {"value": "x"}}),
            json!({"op": "replace", "path": "emails[colour eq \"a\"].value", "value": "x"}),
            // What would be made is not what the path names.
            json!({"op": "replace", "path": "emails[value eq \"a\"].value", "value": "b"}),
        ],
    );
}

#[test]
fn a_path_into_a_simple_attribute_is_invalid() {
    all_are_refused_with(
        ScimType::InvalidPath,
        &[
            json!({"op": "replace", "path": "userName.value", "value": "x"}),
            json!({"op": "replace", "path": "userName[value eq \"x\"]", "value": "x"}),
            json!({"op": "replace", "path": "name[value eq \"x\"].givenName", "value": "x"}),
        ],
    );
}

#[test]
fn what_the_server_gives_or_needs_is_not_mutable() {
    all_are_refused_with(
        ScimType::Mutability,
        &[
            json!({"op": "replace", "path": "id", "value": "usr_2"}),
            json!({"op": "replace", "value": {"id": "usr_2"}}),
            json!({"op": "remove", "path": "id"}),
            json!({"op": "add", "path": "groups", "value": [{"value": "grp_2"}]}),
            json!({"op": "replace", "path": "meta.version", "value": "x"}),
            json!({"op": "remove", "path": "userName"}),
        ],
    );
}

#[test]
fn values_of_the_wrong_type_or_size_are_refused() {
    let user_name = |value: Value| json!({"op": "replace", "path": "userName", "value": value});
    all_are_refused_with(
        ScimType::InvalidValue,
        &[
            user_name(json!("")),
            user_name(json!(null)),
            user_name(json!(["a", "b"])),
            user_name(json!(true)),
            user_name(json!({"a": 1})),
            user_name(json!("a\u{0}")),
            user_name(json!("a".repeat(1_025))),
            json!({"op": "replace", "path": "active", "value": "yes"}),
            json!({"op": "replace", "path": "name", "value": "Ada"}),
            json!({"op": "add", "path": "emails", "value": [{"type": "work"}]}),
            json!({"op": "add", "path": "emails", "value": [true]}),
        ],
    );
}

#[test]
fn members_come_and_go_but_do_not_change() {
    for operation in [
        json!({"op": "replace", "path": "members[value eq \"usr_1\"].value", "value": "usr_9"}),
        json!({"op": "replace", "path": "members.value", "value": "usr_9"}),
        json!({"op": "add", "path": "members[value eq \"usr_9\"]", "value": {"value": "usr_9"}}),
    ] {
        let mut group = support();
        let error = patch(&json!([operation]))
            .apply_group(&mut group)
            .expect_err("refused");
        assert_eq!(error.scim_type(), ScimType::Mutability);
        assert_eq!(group, support());
    }
}

#[test]
fn a_path_to_all_members_removes_all() {
    let mut group = support();
    let change = patch(&json!([{"op": "remove", "path": "members"}]))
        .apply_group(&mut group)
        .expect("applies");
    assert!(change.replaced && ids(&group).is_empty());
    assert_eq!(change.removed, ["usr_1", "usr_2"]);
}

#[test]
fn removing_a_member_that_is_gone_succeeds() {
    let mut group = support();
    let gone = patch(&json!([{"op": "remove", "path": "members[value eq \"usr_9\"]"}]));
    assert!(!gone.apply_group(&mut group).expect("applies").changed);
}

#[test]
fn a_failing_second_operation_undoes_the_first() {
    let mut user = ada();
    let error = patch(&json!([
        {"op": "replace", "path": "active", "value": false},
        {"op": "remove", "path": "userName"},
    ]))
    .apply_user(&mut user);
    assert!(error.is_err());
    assert_eq!(user, ada());

    let mut group = support();
    let error = patch(&json!([
        {"op": "remove", "path": "members"},
        {"op": "replace", "path": "displayName", "value": ""},
    ]))
    .apply_group(&mut group);
    assert!(error.is_err());
    assert_eq!(group, support());
}

#[test]
fn bodies_that_are_no_patches_are_refused() {
    for (expected, body) in [
        (ScimType::InvalidSyntax, json!([])),
        (ScimType::InvalidSyntax, json!({})),
        (ScimType::InvalidSyntax, json!({"Operations": {}})),
        (ScimType::InvalidSyntax, json!({"Operations": [1]})),
        (
            ScimType::InvalidSyntax,
            json!({"Operations": [{"op": "move", "path": "a", "value": 1}]}),
        ),
        (
            ScimType::InvalidSyntax,
            json!({"Operations": [{"path": "a", "value": 1}]}),
        ),
        (
            ScimType::InvalidSyntax,
            json!({"Operations": [{"op": "add", "path": "a"}]}),
        ),
        (
            ScimType::InvalidSyntax,
            json!({"Operations": [{"op": "add", "path": 1, "value": 1}]}),
        ),
        (
            ScimType::InvalidSyntax,
            json!({"Operations": [{"op": "add", "value": "x"}]}),
        ),
        (
            ScimType::NoTarget,
            json!({"Operations": [{"op": "remove"}]}),
        ),
        (
            ScimType::NoTarget,
            json!({"Operations": [{"op": "remove", "path": "", "value": {"active": true}}]}),
        ),
        (
            ScimType::InvalidPath,
            json!({"Operations": [{"op": "remove", "path": "emails["}]}),
        ),
        (
            ScimType::InvalidPath,
            json!({"Operations": [{"op": "remove", "path": "emails[type eq \"a\"] x"}]}),
        ),
        (
            ScimType::InvalidPath,
            json!({"Operations": [{"op": "add", "value": {"user name": "x"}}]}),
        ),
        (
            ScimType::TooMany,
            json!({"Operations": vec![json!({"op": "remove", "path": "name"}); Patch::MAX_OPERATIONS + 1]}),
        ),
    ] {
        let error = Patch::parse(body.to_string().as_bytes()).expect_err("refused");
        assert_eq!(error.scim_type(), expected, "{error}");
    }
    for body in [&b"{"[..], b"\xff", b""] {
        assert_eq!(
            Patch::parse(body).expect_err("refused").scim_type(),
            ScimType::InvalidSyntax
        );
    }
    let deep = format!(
        "{{\"Operations\": {}{}}}",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    assert!(Patch::parse(deep.as_bytes()).is_err());
}

#[test]
fn read_only_keys_of_a_value_without_path_are_skipped() {
    let user = patched(&json!({"op": "replace", "value": {
        "schemas": ["x"], "meta": {"version": "x"}, "groups": [], "id": "usr_1", "displayName": "A",
    }}));
    assert_eq!(user.display_name.as_deref(), Some("A"));
    assert_eq!((user.groups, user.meta), (ada().groups, ada().meta));
}

#[test]
fn members_that_come_and_go_again_are_as_the_last_operation_left_them() {
    let add = json!({"op": "add", "path": "members", "value": [{"value": "usr_3"}]});
    let remove = json!({"op": "remove", "path": "members[value eq \"usr_3\"]"});
    let listed = json!({"op": "remove", "path": "members", "value": [{"value": "usr_3"}]});
    for (operations, stays) in [
        (json!([add, remove]), false),
        (json!([add, add, listed, remove]), false),
        (json!([add, remove, add]), true),
        (json!([remove, listed, add]), true),
    ] {
        let mut group = support();
        let change = patch(&operations).apply_group(&mut group).expect("applies");
        assert_eq!(ids(&group).contains(&"usr_3"), stays, "{operations}");
        assert_eq!(change.added.len(), usize::from(stays), "{operations}");
        assert!(
            change.removed.is_empty() && !change.replaced,
            "{operations}"
        );
    }
}

#[test]
fn a_thousand_operations_on_a_large_group_each_count() {
    let of = |range: std::ops::Range<usize>| range.map(|number| format!("usr_{number}"));
    let mut group = support();
    group.members = Some(of(0..5_000).map(|id| member(&id)).collect());
    let removals =
        of(0..500).map(|id| json!({"op": "Remove", "path": format!("members[value eq \"{id}\"]")}));
    let additions = of(5_000..5_500)
        .map(|id| json!({"op": "Add", "path": "members", "value": [{"value": id}]}));
    let operations = removals.chain(additions).collect();
    let change = patch(&operations).apply_group(&mut group).expect("applies");
    assert_eq!(change.removed, of(0..500).collect::<Vec<_>>());
    assert_eq!(change.added, of(5_000..5_500).collect::<Vec<_>>());
    assert_eq!(ids(&group), of(500..5_500).collect::<Vec<_>>());
}
