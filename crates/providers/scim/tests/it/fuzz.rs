//! Nothing that is sent makes the server panic, changes half, or changes twice.

use proptest::prelude::*;
use scim::{Filter, Group, Patch, Projection, Query, ResourceKind, User};
use serde_json::{Value, json};

use crate::people::{ada, support};

/// Texts that look like filters and paths more often than chance would have it.
fn any_expression() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "userName",
        "emails",
        "members",
        "name",
        "active",
        "primary",
        "type",
        "value",
        ".",
        ":",
        "[",
        "]",
        "(",
        ")",
        " ",
        " eq ",
        " co ",
        " pr",
        " and ",
        " or ",
        "not ",
        "not(",
        "\"work\"",
        "\"x\"",
        "\"",
        "\\",
        "true",
        "null",
        "1",
        "-1.5e3",
        "é",
        "urn:ietf:params:scim:schemas:core:2.0:User:",
        "urn:ietf:params:scim:schemas:core:2.0:User",
        "$ref",
    ]);
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

fn any_path() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "userName",
            "displayName",
            "active",
            "externalId",
            "name",
            "name.givenName",
            "emails",
            "emails[type eq \"work\"]",
            "emails[type eq \"home\"].value",
            "emails.type",
            "emails[type eq \"work\"].primary",
            "emails[value eq \"a\"]",
            "roles[primary eq \"True\"].value",
            "roles",
            "members",
            "members[value eq \"usr_1\"]",
            "members[value eq \"a\"]",
            "title",
            "id",
            "groups",
        ])
        .prop_map(str::to_owned),
        any_expression(),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec!["", "a", "A", "work", "home", "True", "usr_1", "usr_3"])
            .prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    let key = prop_oneof![
        prop::sample::select(vec!["value", "type", "primary", "display", "givenName"])
            .prop_map(str::to_owned),
        any_path(),
    ];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_operation() -> impl Strategy<Value = Value> {
    let verb = prop::sample::select(vec!["add", "Replace", "REMOVE"]);
    (verb, prop::option::weighted(0.8, any_path()), any_value()).prop_map(|(op, path, value)| {
        match path {
            Some(path) => json!({"op": op, "path": path, "value": value}),
            None => json!({"op": op, "value": value}),
        }
    })
}

fn parsed(operations: &[Value]) -> Option<Patch> {
    Patch::parse(json!({"Operations": operations}).to_string().as_bytes()).ok()
}

/// What may be answered: no nulls anywhere.
fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_do_not_panic(body in prop::collection::vec(any::<u8>(), 0..256)) {
        let _verdicts = (User::parse(&body).is_ok(), Group::parse(&body).is_ok(), Patch::parse(&body).is_ok());
    }

    #[test]
    fn arbitrary_texts_do_not_panic(text in prop_oneof!["\\PC{0,64}", any_expression()]) {
        if let Ok(filter) = Filter::parse(&text) {
            let _verdicts = (ada().matches(&filter), support().matches(&filter));
            for kind in ResourceKind::ALL {
                let _lookups = filter.lookups(kind).is_ok();
            }
        }
        let _query = Query::parse([("filter", &text), ("count", &text), ("startIndex", &text)]).is_ok();
        if let Ok(projection) = Projection::new(Some(&text), None) {
            prop_assert_eq!(&projection.apply(ada().to_json())["id"], "usr_1");
        }
        let projection = Projection::new(None, Some(&text)).expect("few names");
        prop_assert_eq!(&projection.apply(ada().to_json())["id"], "usr_1");
    }

    #[test]
    fn a_lookup_finds_what_its_filter_matches(name in "[a-c]{1,2}") {
        let filter = Filter::parse(&format!("userName eq \"{name}\"")).expect("a filter");
        let user = User { user_name: "AB".into(), ..User::default() };
        let scim::Lookup::UserName(looked_up) = &filter.lookups(ResourceKind::User).expect("supported")[0] else {
            panic!("another lookup");
        };
        prop_assert_eq!(user.matches(&filter), looked_up.eq_ignore_ascii_case("AB"));
    }

    #[test]
    fn arbitrary_json_is_read_or_refused_and_answered_without_nulls(value in any_value()) {
        let body = json!({"userName": "a", "displayName": "a", "emails": value, "roles": value, "members": value});
        let body = body.to_string();
        if let Ok(user) = User::parse(body.as_bytes()) {
            prop_assert!(!has_null(&user.to_json()));
            let again = User::parse(user.to_json().to_string().as_bytes()).expect("our own answer");
            prop_assert!(again == user);
        }
        if let Ok(group) = Group::parse(body.as_bytes()) {
            prop_assert!(!has_null(&group.to_json()));
        }
    }

    #[test]
    fn a_patch_applies_whole_or_not_at_all(operations in prop::collection::vec(any_operation(), 1..5)) {
        if let Some(patch) = parsed(&operations) {
            let mut user = ada();
            match patch.apply_user(&mut user) {
                Ok(change) => {
                    prop_assert_eq!(change.changed, user != ada());
                    prop_assert!(!user.user_name.trim().is_empty());
                    prop_assert!(user.active.is_some());
                    prop_assert_eq!(&user.id, &ada().id);
                    prop_assert!(user.emails.iter().filter(|email| email.primary == Some(true)).count() <= 1);
                    prop_assert!(!has_null(&user.to_json()));
                }
                Err(_) => prop_assert!(user == ada()),
            }
            let mut group = support();
            match patch.apply_group(&mut group) {
                Ok(change) => {
                    let before = support();
                    let mut expected: Vec<&str> = before.members().iter().map(|member| member.value.as_str()).collect();
                    expected.retain(|id| !change.removed.iter().any(|removed| removed == id));
                    expected.extend(change.added.iter().map(String::as_str));
                    let mut actual = crate::people::ids(&group);
                    expected.sort_unstable();
                    actual.sort_unstable();
                    prop_assert_eq!(actual, expected);
                }
                Err(_) => prop_assert!(group == support()),
            }
        }
    }

    #[test]
    fn one_operation_twice_is_as_once(operation in any_operation()) {
        if let Some(patch) = parsed(&[operation]) {
            let mut user = ada();
            if patch.apply_user(&mut user).is_ok() {
                let once = user.clone();
                // A change may take away what its own path selects: then there is nothing to do.
                match patch.apply_user(&mut user) {
                    Ok(_) => prop_assert!(user == once),
                    Err(error) => prop_assert_eq!(error.scim_type(), scim::ScimType::NoTarget),
                }
            }
            let mut group = support();
            if patch.apply_group(&mut group).is_ok() {
                let once = group.clone();
                let change = patch.apply_group(&mut group).expect("applies again");
                prop_assert!(group == once && !change.changed);
            }
        }
    }
}
