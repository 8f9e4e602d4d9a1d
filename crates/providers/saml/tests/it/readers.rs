//! Documents that two readers could read differently, and documents that cost more than they are worth.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::documents::Parts;
use crate::world::{World, requested};

#[test]
fn split_names_are_refused() {
    let mut world = World::start();
    let good = Parts::default();
    for ids in crate::world::SIGNED {
        let xml = world.signed(&good, ids);
        for (reason, split) in [
            ("comment", "ada@corp.example<!-- -->.evil.example"),
            ("cdata", "<![CDATA[ada@corp.example]]>"),
            ("processing_instruction", "ada@corp<?x?>.example"),
            ("not_well_formed", "&name;"),
        ] {
            let xml = xml.replace(
                ">ada@corp.example</saml:NameID>",
                &format!(">{split}</saml:NameID>"),
            );
            assert_eq!(world.reason(&xml), reason, "{split}");
        }
    }
    // The same by a provider that signs it: the canonical bytes have no comment, so only the document shows it.
    let commented = Parts::with(|parts| {
        parts.name_id = "ada@corp.example<!-- -->.evil.example".to_owned();
    });
    world.assert_refused("comment", "a signed comment", &commented);
    let element = Parts::with(|parts| {
        parts.name_id = "ada<x xmlns=\"urn:x\"/>@corp.example".to_owned();
    });
    world.assert_refused("name_id_missing", "an element in the name", &element);
}

#[test]
fn document_types_and_entities_are_refused() {
    let mut world = World::start();
    let xml = world.signed(&Parts::default(), &["_r"]);
    for doctype in [
        "<!DOCTYPE x>",
        "<!DOCTYPE x [<!ENTITY name SYSTEM \"file:///etc/passwd\">]>",
        "<!DOCTYPE x [<!ENTITY name SYSTEM \"http://127.0.0.1:1/\">]>",
        "<!DOCTYPE x [<!ENTITY % p SYSTEM \"http://127.0.0.1:1/\"> %p;]>",
        "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>",
        "<!DOCTYPE x [<!ATTLIST x ID ID #IMPLIED>]>",
    ] {
        assert_eq!(
            world.reason(&format!("{doctype}{xml}")),
            "doctype",
            "{doctype}"
        );
        let declared = format!("<?xml version=\"1.0\"?>\n{doctype}{xml}");
        assert_eq!(world.reason(&declared), "doctype", "{doctype}");
    }
}

#[test]
fn expensive_documents_are_refused_before_they_are_parsed() {
    let world = World::start();
    let response = |attributes: &str, inside: &str| {
        format!(
            "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\"{attributes}>{inside}</samlp:Response>"
        )
    };
    let many = (0..20_000)
        .map(|at| format!(" a{at}=\"\""))
        .collect::<Vec<_>>()
        .concat();
    let namespaces = (0..10_000)
        .map(|at| format!(" xmlns:a{at}=\"u:\""))
        .collect::<Vec<_>>()
        .concat();
    for (reason, xml) in [
        ("too_many_attributes", response(&many, "")),
        ("too_many_attributes", response(&namespaces, "")),
        (
            "too_deep",
            response("", &("<a>".repeat(100) + &"</a>".repeat(100))),
        ),
        ("too_many_elements", response("", &"<a/>".repeat(5000))),
        ("too_large", response("", &"x".repeat(256 * 1024))),
        ("too_large", response("", &"x".repeat(20 * 1024 * 1024))),
    ] {
        assert_eq!(world.reason(&xml), reason);
    }
}

/// `SAMLResponse` of the POST binding is not compressed, so a bomb stays what it is: noise.
#[test]
fn compressed_and_other_bytes_are_refused() {
    let mut world = World::start();
    let xml = world.signed(&Parts::default(), &["_r"]);
    let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    deflate.write_all(xml.as_bytes()).expect("memory");
    let reason = |field: &str| {
        saml::verify(&world.sp, &world.idp, &requested(), field)
            .expect_err("noise")
            .reason()
    };
    assert_eq!(
        reason(&STANDARD.encode(deflate.finish().expect("memory"))),
        "not_utf8"
    );
    assert_eq!(reason("***"), "not_base64");
    assert_eq!(reason(""), "not_well_formed");
    let wide: Vec<u8> = xml.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_ne!(reason(&STANDARD.encode(wide)), "accepted");
    assert_eq!(
        world.reason(&format!("<?xml version=\"1.0\" encoding=\"UTF-7\"?>{xml}")),
        "xml_declaration"
    );
}

#[test]
fn messages_of_other_kinds_are_refused() {
    let mut world = World::start();
    let logout = "<samlp:LogoutRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_r\" Version=\"2.0\"/>";
    assert_eq!(world.reason(logout), "not_a_response");
    let signed = world.signed_text(logout, &["_r"]);
    assert_eq!(world.reason(&signed), "not_a_response");
    let assertion = Parts::default().assertion().replace(
        "<saml:Assertion ",
        "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ",
    );
    let signed = world.signed_text(&assertion, &["_a"]);
    assert_eq!(world.reason(&signed), "not_a_response");
}
