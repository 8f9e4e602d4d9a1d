//! The parameters of lists, and what they make of a resource.

use scim::{Error, Projection, Query, ScimType};
use serde_json::json;

use crate::people::{ada, support};

fn count_of(text: &str) -> u32 {
    Query::parse([("count", text)]).expect("a query").count
}

#[test]
fn counts_are_capped_and_zero_is_one() {
    assert_eq!(count_of("0"), 0);
    assert_eq!(count_of("-5"), 0);
    assert_eq!(count_of("7"), 7);
    assert_eq!(count_of("201"), 200);
    assert_eq!(count_of("99999999999999999999999"), 200);
    let nothing = Query::parse([("sortBy", "userName")]).expect("a query");
    assert_eq!(nothing.count, Query::DEFAULT_COUNT);
}

#[test]
fn a_page_begins_at_one_at_least() {
    for (text, expected) in [("-3", 1), ("0", 1), ("1", 1), ("101", 101)] {
        let query = Query::parse([("STARTINDEX", text)]).expect("a query");
        assert_eq!(query.start_index, expected);
        assert_eq!(query.offset(), expected - 1);
    }
    let far = Query::parse([("startIndex", "99999999999999999999999")]).expect("a query");
    assert!(i64::try_from(far.offset()).is_ok());
}

#[test]
fn numbers_that_are_none_are_refused() {
    for text in ["", "x", "1.5", "--1", "+1", "٣", "1e3"] {
        let error = Query::parse([("count", text)]).expect_err(text);
        assert_eq!(error.scim_type(), ScimType::InvalidValue, "{text}");
    }
}

#[test]
fn an_empty_filter_is_none() {
    assert_eq!(
        Query::parse([("filter", " ")]).expect("a query").filter,
        None
    );
}

#[test]
fn only_what_is_asked_for_is_answered_beside_id_and_schemas() {
    let query = Query::parse([(
        "attributes",
        "USERNAME, name.givenName,urn:ietf:params:scim:schemas:core:2.0:User:emails.value,unknown",
    )]);
    let answer = query.expect("a query").projection.apply(ada().to_json());
    assert_eq!(
        answer,
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": "usr_1",
            "userName": "Ada@example.com",
            "name": {"givenName": "Ada"},
            "emails": [{"value": "ada@example.com"}],
        })
    );
}

#[test]
fn excluded_members_need_not_be_loaded() {
    let projection = Projection::new(None, Some("members,meta.location,id")).expect("names");
    assert!(!projection.includes("members"));
    assert!(projection.includes("meta") && projection.includes("id"));
    let answer = projection.apply(support().to_json());
    assert_eq!(answer["id"], "grp_1");
    assert_eq!(answer["displayName"], "Support");
    assert!(answer.get("members").is_none());
    assert!(answer["meta"].get("location").is_none());
    assert_eq!(answer["meta"]["resourceType"], "Group");
}

#[test]
fn too_many_names_are_refused() {
    let names = vec!["a"; Projection::MAX_NAMES + 1].join(",");
    let error = Projection::new(Some(&names), None).expect_err("too many");
    assert!(matches!(
        error,
        Error::Value {
            attribute: "attributes",
            ..
        }
    ));
}
