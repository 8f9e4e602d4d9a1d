//! Names of attributes in the dialects of the providers.

use std::collections::BTreeMap;

use saml::Assertion;
use saml::attributes::{display_name, email, groups, roles};

use crate::documents::{EMAIL_FORMAT, Parts, attribute, now};
use crate::world::World;

const CLAIMS: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims";

fn person(attributes: &[(&str, &[&str])]) -> Assertion {
    let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    Assertion {
        id: "_a".to_owned(),
        issuer: "urn:idp".to_owned(),
        name_id: "Ada@corp.example".to_owned(),
        name_id_format: None,
        attributes: attributes
            .iter()
            .map(|(name, values)| ((*name).to_owned(), owned(values)))
            .collect::<BTreeMap<_, _>>(),
        session_index: None,
        authn_instant: now(),
        not_on_or_after: now(),
        in_response_to: None,
    }
}

#[test]
fn the_address_is_found_under_each_name() {
    let emailaddress = format!("{CLAIMS}/emailaddress");
    for name in [
        "urn:oid:0.9.2342.19200300.100.1.3",
        emailaddress.as_str(),
        "http://schemas.xmlsoap.org/claims/EmailAddress",
        "mail",
        "Mail",
        "email",
    ] {
        let found = email(&person(&[(name, &["Ada.L@Corp.Example"])]));
        assert_eq!(found.as_deref(), Some("ada.l@corp.example"), "{name}");
    }
    let first = person(&[("email", &["b@x.example"]), ("mail", &["a@x.example"])]);
    assert_eq!(email(&first).as_deref(), Some("a@x.example"));
}

#[test]
fn a_name_is_an_address_only_if_its_format_says_so() {
    let mut assertion = person(&[("email", &[])]);
    assert_eq!(email(&assertion), None);
    assertion.name_id_format = Some(EMAIL_FORMAT.to_owned());
    assert_eq!(email(&assertion).as_deref(), Some("ada@corp.example"));
    for name in ["ada", "ada@", "@corp.example", "a@b@c", "a b@c"] {
        name.clone_into(&mut assertion.name_id);
        assert_eq!(email(&assertion), None, "{name}");
    }
}

#[test]
fn names_groups_and_roles_are_found() {
    let entra = person(&[
        (&format!("{CLAIMS}/givenname"), &["Ada"]),
        (&format!("{CLAIMS}/surname"), &["Lovelace"]),
        (
            "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups",
            &["1-2", "3-4"],
        ),
        (
            "http://schemas.microsoft.com/ws/2008/06/identity/claims/role",
            &["agent"],
        ),
    ]);
    assert_eq!(display_name(&entra).as_deref(), Some("Ada Lovelace"));
    assert_eq!(groups(&entra), ["1-2", "3-4"]);
    assert_eq!(roles(&entra), ["agent"]);
    let plain = person(&[("displayName", &["Ada L."]), ("firstName", &["Ada"])]);
    assert_eq!(display_name(&plain).as_deref(), Some("Ada L."));
    assert!(groups(&plain).is_empty() && roles(&plain).is_empty());
    assert_eq!(display_name(&person(&[])), None);
}

#[test]
fn values_are_read_as_they_were_signed() {
    let mut world = World::start();
    let parts = Parts::with(|parts| {
        parts.attributes = attribute("a", &["1 &amp; &lt;2&gt;", " ", "3"])
            + &attribute("a", &["4"])
            + &attribute("id", &["<saml:NameID>x</saml:NameID>", "plain"])
            + "<saml:Attribute Name=\"nil\"><saml:AttributeValue xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\">x</saml:AttributeValue></saml:Attribute>";
    });
    for ids in crate::world::SIGNED {
        let xml = world.signed(&parts, ids);
        let found = world.verify(&xml).expect("good").attributes;
        assert_eq!(found["a"], ["1 & <2>", "3", "4"]);
        assert_eq!(found["id"], ["plain"]);
        assert!(found["nil"].is_empty());
    }
    let nameless = Parts::with(|parts| parts.attributes = attribute("", &["x"]));
    world.assert_refused("attribute_name", "without a name", &nameless);
}
