//! The grammar and meaning of filters.

use scim::{Filter, Lookup, ResourceKind, ScimType};

use crate::people::{ada, email, support};

fn holds(filter: &str) -> bool {
    let mut user = ada();
    user.emails.push(email("ada@home.example", "home", None));
    user.matches(&Filter::parse(filter).expect(filter))
}

#[test]
fn every_operator_has_its_meaning() {
    for filter in [
        r#"userName eq "ada@EXAMPLE.com""#,
        r#"USERNAME Eq "ada@example.com""#,
        r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "ADA""#,
        r#"userName ne "bob""#,
        r#"name.familyName co "yro""#,
        r#"displayName ew "byron""#,
        r#"externalId eq "00u1""#,
        r#"displayName gt "ada""#,
        r#"displayName ge "ada byron""#,
        r#"displayName lt "b""#,
        r#"displayName le "ada byron""#,
        "name pr",
        "name.givenName pr",
        "emails pr",
        "active eq true",
        r#"active eq "True""#,
        "active ne false",
        "title eq null",
        "displayName ne null",
        r#"title ne "x""#,
        r#"meta.lastModified gt "2026-11-20T09:29:59Z""#,
        r#"meta.lastModified eq "2026-11-20T10:30:00+01:00""#,
        r#"meta.resourceType eq "User""#,
        r#"schemas ne "x""#,
    ] {
        assert!(holds(filter), "{filter}");
    }
    for filter in [
        r#"userName eq "bob""#,
        r#"externalId eq "00U1""#,
        "title pr",
        "name.middleName pr",
        r#"userName.value eq "ada@example.com""#,
        "active eq false",
        "active gt false",
        "active eq 1",
        r#"meta.lastModified lt "2026-11-20T09:29:59Z""#,
        r#"meta.lastModified gt "yesterday""#,
        r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "x""#,
        "displayName eq null",
    ] {
        assert!(!holds(filter), "{filter}");
    }
}

#[test]
fn one_element_satisfies_a_value_path_and_any_elements_a_plain_path() {
    assert!(holds(
        r#"emails[type eq "work" and value co "@example.com"]"#
    ));
    assert!(!holds(
        r#"emails[type eq "home" and value co "@example.com"]"#
    ));
    assert!(holds(
        r#"emails.type eq "home" and emails.value co "@example.com""#
    ));
    assert!(holds(r#"emails[type eq "home"].value ew "home.example""#));
    assert!(!holds(r#"emails[type eq "home"].value ew "example.com""#));
    assert!(holds(r#"emails co "home""#));
    assert!(holds("emails[not (primary eq true)]"));
    let filter = Filter::parse(r#"members[value eq "usr_2"]"#).expect("a filter");
    assert!(support().matches(&filter));
    assert!(!support().matches(&Filter::parse(r#"members eq "USR_2""#).expect("a filter")));
}

#[test]
fn and_binds_stronger_than_or_and_parentheses_strongest() {
    let (t, f) = (r#"userName sw "ada""#, r#"userName sw "bob""#);
    assert!(holds(&format!("{t} or {t} and {f}")));
    assert!(!holds(&format!("({t} or {t}) and {f}")));
    assert!(holds(&format!("not ({f}) and {t}")));
    assert!(holds(&format!("NOT({f} OR {f})")));
    assert!(!holds(&format!("not ({f} or {t})")));
    assert!(holds(&format!("  {f}  OR(  {t}  )  ")));
}

#[test]
fn texts_have_the_escapes_of_json() {
    let mut user = ada();
    user.display_name = Some("A \"B\" \\ é and or ] )".into());
    let filter =
        Filter::parse(r#"displayName eq "a \"b\" \\ \u00e9 and or ] )""#).expect("a filter");
    assert!(user.matches(&filter));
}

#[test]
fn what_is_not_a_filter_is_refused() {
    for filter in [
        "",
        " ",
        "userName",
        "userName eq",
        "userName eq bob",
        "userName eq \"bob",
        "userName eq \"bob\\\"",
        "userName eq 'bob'",
        "userName is \"bob\"",
        "userName eq \"a\" and",
        "userName eq \"a\" xor userName eq \"b\"",
        "userName eq \"a\" userName eq \"b\"",
        "(userName pr",
        "userName pr)",
        "emails[type eq \"work\"",
        "emails[]",
        "emails [type pr]",
        "name.givenName[value pr]",
        "name.a.b pr",
        "1name pr",
        ".name pr",
        "not userName pr",
        "userName eq \"a\u{0}b\"",
        r#"userName eq "a\u0000b""#,
        r#"userName eq "\ud800""#,
        "urn:ietf:params:scim:schemas:core:2.0:User pr",
        "userName eq [\"a\"]",
        "userName eq 1e",
        "userNäme pr",
    ] {
        let error = Filter::parse(filter).expect_err(filter);
        assert_eq!(error.scim_type(), ScimType::InvalidFilter, "{filter}");
    }
}

#[test]
fn a_refusal_says_where_and_nothing_of_the_value() {
    let error = Filter::parse(r#"userName eq "secret@example.com" nd active pr"#).expect_err("no");
    assert_eq!(
        error.to_string(),
        "the filter cannot be read: it should end here (at byte 33)"
    );
}

#[test]
fn long_and_deep_filters_are_refused() {
    let nested = |depth| format!("{}userName pr{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Filter::parse(&nested(Filter::MAX_DEPTH)).is_ok());
    assert!(Filter::parse(&nested(Filter::MAX_DEPTH + 1)).is_err());
    assert!(Filter::parse(&nested(2_000)).is_err());
    let negated = format!("{}userName pr{}", "not (".repeat(40), ")".repeat(40));
    assert!(Filter::parse(&negated).is_err());
    let selected = format!("{}userName pr{}", "emails[".repeat(40), "]".repeat(40));
    assert!(Filter::parse(&selected).is_err());

    let of_length = |length: usize| format!("userName eq \"{}\"", "x".repeat(length - 14));
    assert!(Filter::parse(&of_length(Filter::MAX_BYTES)).is_ok());
    assert!(Filter::parse(&of_length(Filter::MAX_BYTES + 1)).is_err());
}

fn lookups(kind: ResourceKind, filter: &str) -> Result<Vec<Lookup>, ScimType> {
    let filter = Filter::parse(filter).expect(filter);
    filter.lookups(kind).map_err(|error| error.scim_type())
}

#[test]
fn equalities_on_indexed_attributes_are_lookups() {
    let of_address = |kind: Option<&str>| {
        Ok(vec![Lookup::Email {
            value: "a@b.c".into(),
            kind: kind.map(str::to_owned),
        }])
    };
    for (filter, kind) in [
        (r#"emails eq "a@b.c""#, None),
        (r#"emails.value eq "a@b.c""#, None),
        (r#"emails[value eq "a@b.c"]"#, None),
        (r#"emails[type eq "work"].value eq "a@b.c""#, Some("work")),
        (
            r#"emails[value eq "a@b.c" and type eq "work"]"#,
            Some("work"),
        ),
    ] {
        assert_eq!(
            lookups(ResourceKind::User, filter),
            of_address(kind),
            "{filter}"
        );
    }
    for filter in [
        r#"members eq "u""#,
        r#"members.value eq "u""#,
        r#"members[value eq "u"]"#,
    ] {
        let expected = Ok(vec![Lookup::Member("u".into())]);
        assert_eq!(lookups(ResourceKind::Group, filter), expected, "{filter}");
    }
    assert_eq!(
        lookups(
            ResourceKind::User,
            r#"(id eq "1" and externalId eq 2) and (displayName eq "3" and USERNAME eq "4")"#
        ),
        Ok(vec![
            Lookup::Id("1".into()),
            Lookup::ExternalId("2".into()),
            Lookup::DisplayName("3".into()),
            Lookup::UserName("4".into()),
        ])
    );
}

#[test]
fn what_no_index_answers_is_refused_with_what_would_be() {
    for (kind, filter) in [
        (ResourceKind::User, r#"userName sw "a""#),
        (ResourceKind::User, r#"userName ne "a""#),
        (ResourceKind::User, "userName pr"),
        (ResourceKind::User, "userName eq null"),
        (ResourceKind::User, r#"userName eq "a" or userName eq "b""#),
        (ResourceKind::User, r#"not (userName eq "a")"#),
        (ResourceKind::User, r#"userName eq "a" and title eq "b""#),
        (ResourceKind::User, r#"members eq "a""#),
        (ResourceKind::User, r#"emails.type eq "work""#),
        (ResourceKind::User, r#"emails[type eq "work"]"#),
        (
            ResourceKind::User,
            r#"emails[value eq "a" and value eq "b"]"#,
        ),
        (
            ResourceKind::User,
            r#"emails[value eq "a" and primary eq true]"#,
        ),
        (ResourceKind::User, r#"emails[value eq "a" or type eq "b"]"#),
        (ResourceKind::User, r#"name.value eq "a""#),
        (ResourceKind::Group, r#"userName eq "a""#),
        (ResourceKind::Group, r#"emails eq "a""#),
        (ResourceKind::Group, r#"members[display eq "a"]"#),
    ] {
        assert_eq!(
            lookups(kind, filter),
            Err(ScimType::InvalidFilter),
            "{filter}"
        );
    }
    let filter = Filter::parse("members pr").expect("a filter");
    let error = filter.lookups(ResourceKind::Group).expect_err("no index");
    assert!(error.to_string().contains("members[value eq"), "{error}");
}
