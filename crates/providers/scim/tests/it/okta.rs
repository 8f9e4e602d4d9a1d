//! Requests in the shapes Okta sends.

use scim::{Group, Lookup, Query, ResourceKind, User};
use serde_json::json;

use crate::people::{ada, ids, patch, support};

#[test]
fn its_connection_tests_are_read() {
    let query = Query::parse([("startIndex", "1"), ("count", "2")]).expect("a query");
    assert_eq!((query.start_index, query.offset(), query.count), (1, 0, 2));
    assert_eq!(query.filter, None);
    let query = Query::parse([("count", "100"), ("startIndex", "1")]).expect("a query");
    assert_eq!(query.count, 100);
}

#[test]
fn it_looks_a_user_up_before_it_makes_one() {
    let filter = Query::parse([("filter", "userName eq \"grace@example.com\"")])
        .expect("a query")
        .filter
        .expect("a filter");
    assert_eq!(
        filter.lookups(ResourceKind::User),
        Ok(vec![Lookup::UserName("grace@example.com".into())])
    );
}

#[test]
fn a_new_user_is_read() {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "grace@example.com",
        "name": {"givenName": "Grace", "familyName": "Hopper"},
        "emails": [{"primary": true, "value": "grace@example.com", "type": "work"}],
        "displayName": "Grace Hopper",
        "locale": "en-US",
        "externalId": "00ujl29u0le5T6Aj10h7",
        "groups": [],
        "password": "1mz050nq",
        "active": true,
    });
    let user = User::parse(body.to_string().as_bytes()).expect("a user");
    assert_eq!(user.external_id.as_deref(), Some("00ujl29u0le5T6Aj10h7"));
    assert!(user.is_active());
    assert!(!user.to_json().to_string().contains("1mz050nq"));
}

#[test]
fn a_user_is_deactivated_without_a_path_and_stays_so() {
    let mut user = ada();
    let off = patch(&json!([{"op": "replace", "value": {"active": false}}]));
    let change = off.apply_user(&mut user).expect("applies");
    assert_eq!((user.active, change.active), (Some(false), Some(false)));
    let change = off.apply_user(&mut user).expect("applies");
    assert!(!change.changed);
    assert_eq!(change.active, None);
}

#[test]
fn a_put_without_active_does_not_bring_a_blocked_user_back() {
    let mut user = ada();
    user.active = Some(false);
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "usr_1",
        "userName": "ada@example.com",
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "emails": [{"primary": true, "value": "ada@example.com", "type": "work"}],
        "meta": {"resourceType": "User"},
        "groups": [{"value": "grp_666"}],
    });
    let put = User::parse(body.to_string().as_bytes()).expect("a user");
    let change = user.replace_with(put);
    assert_eq!((user.active, change.active), (Some(false), None));
    assert!(change.changed);
    assert_eq!(user.user_name, "ada@example.com");
    // Kept, because the server gives it or the directory only forgot it.
    assert_eq!(user.id.as_deref(), Some("usr_1"));
    assert_eq!(user.external_id.as_deref(), Some("00u1"));
    assert_eq!(user.groups, ada().groups);
    assert_eq!(user.meta, ada().meta);
    // Cleared, because a PUT is the whole profile.
    assert_eq!(user.display_name, None);
}

#[test]
fn a_put_says_when_it_deactivates() {
    let mut user = ada();
    let put = User::parse(br#"{"userName": "Ada@example.com", "active": false}"#).expect("a user");
    assert_eq!(user.replace_with(put).active, Some(false));
}

#[test]
fn a_pushed_group_is_renamed_beside_its_own_id() {
    let mut group = support();
    let change =
        patch(&json!([{"op": "replace", "value": {"id": "grp_1", "displayName": "Care"}}]))
            .apply_group(&mut group)
            .expect("applies");
    assert_eq!(change.renamed.as_deref(), Some("Care"));
    assert!(change.added.is_empty() && change.removed.is_empty());
    assert_eq!(ids(&group), ["usr_1", "usr_2"]);
}

#[test]
fn members_come_and_go_in_one_request() {
    let mut group = support();
    let change = patch(&json!([
        {"op": "remove", "path": "members[value eq \"usr_1\"]"},
        {"op": "add", "path": "members", "value": [{"value": "usr_3", "display": "grace@example.com"}]},
    ]))
    .apply_group(&mut group)
    .expect("applies");
    assert_eq!(
        (change.added, change.removed),
        (vec!["usr_3".to_owned()], vec!["usr_1".to_owned()])
    );
}

#[test]
fn a_full_list_of_members_replaces_the_old_one() {
    let list = json!([{"value": "usr_2"}, {"value": "usr_3"}]);
    for operation in [
        json!({"op": "replace", "path": "members", "value": list}),
        json!({"op": "replace", "value": {"members": list}}),
    ] {
        let mut group = support();
        let change = patch(&json!([operation]))
            .apply_group(&mut group)
            .expect("applies");
        assert_eq!(ids(&group), ["usr_2", "usr_3"]);
        assert_eq!(change.added, ["usr_3"]);
        assert_eq!(change.removed, ["usr_1"]);
        assert!(change.replaced);
    }
}

#[test]
fn a_put_of_a_group_keeps_members_it_does_not_mention() {
    let mut group = support();
    let put = Group::parse(br#"{"displayName": "Care"}"#).expect("a group");
    let change = group.replace_with(put);
    assert_eq!(ids(&group), ["usr_1", "usr_2"]);
    assert!(!change.replaced && change.changed);

    let put = Group::parse(br#"{"displayName": "Care", "members": []}"#).expect("a group");
    let change = group.replace_with(put);
    assert!(group.members().is_empty() && change.replaced);
    assert_eq!(change.removed, ["usr_1", "usr_2"]);
}
