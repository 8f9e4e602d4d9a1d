//! What we send: our metadata and the request in the address.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::DeflateDecoder;
use roxmltree::Document;
use saml::RequestError;

use crate::documents::{ACS, ENTITY_ID, now};
use crate::world::World;

const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";

#[test]
fn a_request_carries_who_asks_where_to_and_nothing_that_entra_refuses() {
    let world = World::start();
    let url = world
        .sp
        .authn_request(&world.idp, "_request", "con_1.x/y=", now())
        .expect("a request");
    let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let [tenant, request, state] = query.as_slice() else {
        panic!("{query:?}")
    };
    assert_eq!((url.scheme(), url.path()), ("https", "/sso"));
    assert_eq!((tenant.0.as_str(), tenant.1.as_str()), ("tenant", "7"));
    assert_eq!(
        (state.0.as_str(), state.1.as_str()),
        ("RelayState", "con_1.x/y=")
    );
    assert_eq!(request.0, "SAMLRequest");

    let mut xml = String::new();
    let deflated = STANDARD.decode(&request.1).expect("base64");
    DeflateDecoder::new(deflated.as_slice())
        .read_to_string(&mut xml)
        .expect("raw deflate");
    let document = Document::parse(&xml).expect("XML");
    let root = document.root_element();
    assert!(root.has_tag_name((PROTOCOL, "AuthnRequest")));
    for (name, value) in [
        ("ID", "_request"),
        ("Version", "2.0"),
        ("IssueInstant", "2026-09-21T14:13:20.000Z"),
        ("Destination", "https://idp.example/sso?tenant=7"),
        ("AssertionConsumerServiceURL", ACS),
        (
            "ProtocolBinding",
            "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
        ),
    ] {
        assert_eq!(root.attribute(name), Some(value), "{name}");
    }
    let children: Vec<(&str, Option<&str>)> = root
        .children()
        .map(|child| (child.tag_name().name(), child.text()))
        .collect();
    assert_eq!(
        children,
        [("Issuer", Some(ENTITY_ID)), ("NameIDPolicy", None)]
    );
    let policy = root.last_element_child().expect("the policy");
    assert_eq!(policy.attribute("AllowCreate"), Some("true"));
    assert_eq!(policy.attribute("Format"), None);
}

#[test]
fn requests_the_binding_does_not_carry_are_refused() {
    let world = World::start();
    let ask = |id: &str, state: &str| world.sp.authn_request(&world.idp, id, state, now());
    for id in ["", "1", "a b", "a\"", "ä", &"a".repeat(257)] {
        assert_eq!(ask(id, ""), Err(RequestError::Id), "{id}");
    }
    assert_eq!(ask("_x", &"x".repeat(81)), Err(RequestError::RelayState));
    let quiet = ask("_x", "").expect("a request");
    assert!(quiet.query_pairs().all(|(name, _)| name != "RelayState"));
}

#[test]
fn our_metadata_says_what_we_take() {
    let mut world = World::start();
    world.sp.entity_id = format!("{ENTITY_ID}?a=1&b=<2>");
    let xml = world.sp.metadata_xml();
    let document = Document::parse(&xml).expect("XML");
    let root = document.root_element();
    assert!(root.has_tag_name((METADATA, "EntityDescriptor")));
    assert_eq!(
        root.attribute("entityID"),
        Some(world.sp.entity_id.as_str())
    );
    let role = root.first_element_child().expect("a role");
    assert!(role.has_tag_name((METADATA, "SPSSODescriptor")));
    assert_eq!(role.attribute("WantAssertionsSigned"), Some("true"));
    assert_eq!(role.attribute("AuthnRequestsSigned"), Some("false"));
    assert_eq!(role.attribute("protocolSupportEnumeration"), Some(PROTOCOL));
    let formats: Vec<&str> = role
        .children()
        .filter(|child| child.has_tag_name((METADATA, "NameIDFormat")))
        .filter_map(|format| format.text())
        .collect();
    assert_eq!(
        formats,
        [
            "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
            "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
        ]
    );
    let service = role.last_element_child().expect("the service");
    assert!(service.has_tag_name((METADATA, "AssertionConsumerService")));
    assert_eq!(service.attribute("Location"), Some(ACS));
    assert_eq!(
        service.attribute("Binding"),
        Some("urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST")
    );
}
