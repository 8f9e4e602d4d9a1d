//! Good logins, also in the handwriting of the large providers. None may be refused.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use saml::{Expectation, Flow};

use crate::documents::{ACS, EMAIL_FORMAT, ENTITY_ID, IDP, Parts, REQUEST, after, now};
use crate::signer::Style;
use crate::world::{World, requested, trusting};

#[test]
fn a_good_response_says_what_was_signed() {
    let mut world = World::start();
    world.assert_accepted("a good response", &Parts::default());

    let xml = world.signed(&Parts::default(), &["_a"]);
    let assertion = world.verify(&xml).expect("a good response");
    assert_eq!(assertion.id, "_a");
    assert_eq!(assertion.issuer, IDP);
    assert_eq!(assertion.name_id, "ada@corp.example");
    assert_eq!(assertion.name_id_format.as_deref(), Some(EMAIL_FORMAT));
    assert_eq!(assertion.session_index.as_deref(), Some("_s"));
    assert_eq!(assertion.authn_instant, now() - TimeDelta::hours(1));
    assert_eq!(assertion.in_response_to.as_deref(), Some(REQUEST));
    assert_eq!(
        assertion.attributes,
        BTreeMap::from([
            ("email".to_owned(), vec!["ada@corp.example".to_owned()]),
            (
                "groups".to_owned(),
                vec!["staff".to_owned(), "admins".to_owned()]
            ),
        ])
    );
    // Until its own end, and as long as our clock may be behind.
    assert_eq!(assertion.not_on_or_after, now() + TimeDelta::minutes(8));
}

#[test]
fn personal_data_is_not_printed() {
    let mut world = World::start();
    let xml = world.signed(&Parts::default(), &["_a"]);
    let printed = format!("{:?}", world.verify(&xml).expect("a good response"));
    assert!(!printed.contains("ada@"), "{printed}");
    assert!(!printed.contains("staff"), "{printed}");
}

#[test]
fn a_login_the_provider_began_is_accepted_where_it_may() {
    let mut world = World::start();
    let expected = Expectation {
        flow: Flow::Unsolicited,
        ..requested()
    };
    let xml = world.signed(&Parts::unsolicited(), &["_r"]);
    let assertion = world.verify_with(&xml, &expected).expect("unsolicited");
    assert_eq!(assertion.in_response_to, None);
}

#[test]
fn both_certificates_of_a_rotation_verify() {
    let mut world = World::start();
    let next = world.signer.key("next", "rsa-2048");
    let curve = world.signer.key("curve", "p-256");
    world.idp = trusting(&[&curve, &world.certificate, &next]);
    for (key, method) in [
        ("idp", "rsa-sha256"),
        ("next", "rsa-sha256"),
        ("curve", "ecdsa-sha256"),
    ] {
        let style = Style {
            key,
            method,
            ..Style::RSA
        };
        for ids in crate::world::SIGNED {
            let xml = world.signer.sign(&Parts::default().xml(), ids, style);
            assert_eq!(world.reason(&xml), "accepted", "{key} {ids:?}");
        }
    }
}

#[test]
fn an_expired_certificate_still_verifies() {
    let mut world = World::start();
    let old = world.signer.key_until("old", "rsa-2048", -30);
    world.idp = trusting(&[&old]);
    let style = Style {
        key: "old",
        ..Style::RSA
    };
    let xml = world.signer.sign(&Parts::default().xml(), &["_r"], style);
    assert_eq!(world.reason(&xml), "accepted");
}

#[test]
fn all_allowed_algorithms_verify() {
    let mut world = World::start();
    let p256 = world.signer.key("p256", "p-256");
    let p384 = world.signer.key("p384", "p-384");
    world.idp = trusting(&[&world.certificate, &p256, &p384]);
    for (key, method, digest) in [
        ("idp", "rsa-sha384", "sha384"),
        ("idp", "rsa-sha512", "sha512"),
        ("p256", "ecdsa-sha256", "sha256"),
        ("p384", "ecdsa-sha384", "sha384"),
        ("p384", "ecdsa-sha512", "sha512"),
    ] {
        let style = Style {
            key,
            method,
            digest,
            ..Style::RSA
        };
        let xml = world.signer.sign(&Parts::default().xml(), &["_a"], style);
        assert_eq!(world.reason(&xml), "accepted", "{key} {method}");
    }
}

#[test]
fn clocks_that_differ_by_two_minutes_do_no_harm() {
    let mut world = World::start();
    for seconds in [-120, 120] {
        let parts = Parts::with(|parts| {
            parts.response_issued = Some(after(seconds));
            parts.issued = Some(after(seconds));
            parts.authn_instant = Some(after(seconds));
            parts.not_before = Some(after(seconds));
            parts.conditions_end = Some(after(seconds + 60));
            parts.confirmation_end = Some(after(seconds + 60));
        });
        world.assert_accepted("another clock", &parts);
    }
}

#[test]
fn wrapped_base64_is_read() {
    use base64::Engine;
    let mut world = World::start();
    let xml = world.signed(&Parts::default(), &["_a"]);
    let field = base64::engine::general_purpose::STANDARD.encode(xml);
    let lines: Vec<&str> = field
        .as_bytes()
        .chunks(76)
        .map(|line| std::str::from_utf8(line).expect("ASCII"))
        .collect();
    let wrapped = lines.join("\r\n");
    assert!(saml::verify(&world.sp, &world.idp, &requested(), &wrapped).is_ok());
}

/// Prefixes `saml2p` and `saml2`, types at each value, a list of prefixes at the transform, both signed.
#[test]
fn the_shape_of_okta_is_accepted() {
    let mut world = World::start();
    let values = (0..100)
        .map(|group| {
            format!(
                "<saml:AttributeValue xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" \
                 xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"xs:string\">group {group}</saml:AttributeValue>"
            )
        })
        .collect::<Vec<_>>().concat();
    let parts = Parts::with(|parts| {
        parts.attributes = format!(
            "<saml:Attribute Name=\"groups\" NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified\">{values}</saml:Attribute>"
        );
    });
    let xml = parts
        .xml()
        .replace("saml:", "saml2:")
        .replace("samlp:", "saml2p:")
        .replace("xmlns:saml=", "xmlns:saml2=")
        .replace("xmlns:samlp=", "xmlns:saml2p=");
    let style = Style {
        prefixes: &["xs"],
        ..Style::RSA
    };
    let signed = world.signer.sign(&xml, &["_a", "_r"], style);
    assert!(signed.contains("PrefixList=\"xs\""), "{signed}");
    let assertion = world.verify(&signed).expect("Okta's shape");
    assert_eq!(saml::attributes::groups(&assertion).len(), 100);
}

/// The assertion and its signature in default namespaces, only the assertion signed, valid for an hour.
#[test]
fn the_shape_of_entra_is_accepted() {
    let mut world = World::start();
    let parts = Parts::with(|parts| {
        parts.conditions_end = Some(after(3600));
        parts.confirmation_end = Some(after(3600));
        parts.name_id_format = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent".to_owned();
    });
    let assertion = parts.assertion().replace("saml:", "").replace(
        "<Assertion ",
        "<Assertion xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\" ",
    );
    let xml = parts
        .xml()
        .replace(&parts.assertion(), &assertion)
        .replace(" xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"", "")
        .replace(
            "<saml:Issuer>",
            "<Issuer xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\">",
        )
        .replace("</saml:Issuer>", "</Issuer>");
    let style = Style {
        default_namespace: true,
        ..Style::RSA
    };
    let signed = world.signer.sign(&xml, &["_a"], style);
    assert!(signed.contains("<Signature xmlns="), "{signed}");
    let assertion = world.verify(&signed).expect("Entra's shape");
    // An hour is its setting; ten minutes is what we give it.
    assert_eq!(
        assertion.not_on_or_after,
        now() + TimeDelta::minutes(13) - TimeDelta::seconds(2)
    );
}

/// A declaration, line breaks between the elements, only the response signed, an audience with space around it.
#[test]
fn the_shape_of_google_is_accepted() {
    let mut world = World::start();
    let parts = Parts::with(|parts| {
        parts.audience = format!(
            "<saml:AudienceRestriction>\n<saml:Audience>\n{ENTITY_ID}\n</saml:Audience>\n</saml:AudienceRestriction>"
        );
        parts.attributes = String::new();
    });
    let xml = parts.xml().replace("><", ">\n<");
    let signed = world.signer.sign(&xml, &["_r"], Style::RSA);
    let declared = format!("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>{signed}");
    let assertion = world.verify(&declared).expect("Google's shape");
    assert_eq!(assertion.name_id, "ada@corp.example");
}

#[test]
fn an_unsigned_response_without_destination_and_issuer_is_accepted() {
    let mut world = World::start();
    let parts = Parts::with(|parts| {
        parts.destination = None;
        parts.response_issuer = None;
    });
    let xml = world.signed(&parts, &["_a"]);
    assert_eq!(world.reason(&xml), "accepted");
    assert!(xml.contains(ACS));
}
