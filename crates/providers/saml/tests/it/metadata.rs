//! Metadata that administrators upload, good and bad.

use std::error::Error;

use chrono::TimeDelta;
use saml::metadata::CertificateFault;
use saml::{IdpMetadata, MetadataError, Transport};

use crate::documents::{IDP, idp_metadata};
use crate::signer::Signer;

fn parse(xml: &str) -> Result<IdpMetadata, MetadataError> {
    IdpMetadata::parse(xml.as_bytes(), Transport::Https)
}

fn reason(xml: &str) -> &'static str {
    parse(xml).map_or_else(|error| error.reason(), |_| "accepted")
}

#[test]
fn metadata_is_read_stored_and_read_again() {
    let mut signer = Signer::start();
    let certificate = signer.key("idp", "rsa-2048");
    let xml = idp_metadata(&[&certificate]);
    let idp = parse(&xml).expect("good metadata");
    assert_eq!(idp.entity_id(), IDP);
    assert_eq!(
        idp.sso_redirect_url().as_str(),
        "https://idp.example/sso?tenant=7"
    );
    assert_eq!(idp.xml(), xml);
    assert_eq!(parse(idp.xml()), Ok(idp.clone()));
    let [certificate] = idp.certificates() else {
        panic!("one certificate")
    };
    assert_eq!(certificate.subject(), "CN=idp idp");
    assert_eq!(certificate.fingerprint().len(), 64);
    assert_eq!(
        certificate.not_after() - certificate.not_before(),
        TimeDelta::days(765)
    );
}

#[test]
fn files_as_people_have_them_are_read() {
    let mut signer = Signer::start();
    let certificate = signer.key("idp", "rsa-2048");
    let plain = idp_metadata(&[&certificate]);
    let lines: Vec<&str> = certificate
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).expect("ASCII"))
        .collect();
    let wrapped = idp_metadata(&[&format!("\n{}\n", lines.join("\n"))]);
    let listed = format!(
        "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">\
         <md:EntityDescriptor entityID=\"urn:sp\"><md:SPSSODescriptor/></md:EntityDescriptor>{plain}</md:EntitiesDescriptor>"
    );
    let commented = plain.replace("<md:IDPSSO", "<!-- <b> of 2026 --><md:IDPSSO");
    let any_use = plain.replace(" use=\"signing\"", "");
    let declared = format!("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n{plain}");
    for (what, xml) in [
        ("wrapped certificate", wrapped),
        ("a list with one provider", listed),
        ("comments", commented),
        ("a key for any use", any_use),
        ("a byte order mark and a declaration", declared),
    ] {
        assert_eq!(reason(&xml), "accepted", "{what}");
        let again = parse(parse(&xml).expect(what).xml());
        assert!(again.is_ok(), "{what}");
    }
    let twice = parse(&idp_metadata(&[&certificate, &certificate])).expect("good");
    assert_eq!(twice.certificates().len(), 1);
}

#[test]
fn metadata_that_is_none_is_refused() {
    let mut signer = Signer::start();
    let good = idp_metadata(&[&signer.key("idp", "rsa-2048")]);
    let role = &good[good.find("<md:IDPSSO").expect("role")..];
    let list = |inside: &str| {
        format!(
            "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{inside}</md:EntitiesDescriptor>"
        )
    };
    for (expected, xml) in [
        ("not_well_formed", String::new()),
        ("not_well_formed", "{\"issuer\": 1}".to_owned()),
        ("not_metadata", "<html/>".to_owned()),
        (
            "doctype",
            format!("<!DOCTYPE x [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>{good}"),
        ),
        (
            "processing_instruction",
            good.replace("<md:IDPSSO", "<?x?><md:IDPSSO"),
        ),
        ("too_large", good.clone() + &" ".repeat(256 * 1024)),
        ("too_large", "x".repeat(50 * 1024 * 1024)),
        ("no_identity_provider", list("")),
        (
            "no_identity_provider",
            good.replace("IDPSSODescriptor", "SPSSODescriptor"),
        ),
        (
            "no_identity_provider",
            good.replace(
                "\"urn:oasis:names:tc:SAML:2.0:protocol\"",
                "\"urn:oasis:names:tc:SAML:1.1:protocol\"",
            ),
        ),
        ("several_identity_providers", list(&format!("{good}{good}"))),
        (
            "several_identity_providers",
            good.replace(
                role,
                &format!("{}{role}", role.replace("</md:EntityDescriptor>", "")),
            ),
        ),
        ("entity_id", good.replace(IDP, "")),
        ("entity_id", good.replace(IDP, "https://idp example")),
        ("entity_id", good.replace(IDP, &"x".repeat(1025))),
        ("entity_id", good.replace("entityID", "EntityId")),
        (
            "no_redirect_url",
            good.replace("HTTP-Redirect", "HTTP-POST"),
        ),
        (
            "valid_until",
            good.replace("entityID", "validUntil=\"soon\" entityID"),
        ),
    ] {
        assert_eq!(reason(&xml), expected, "{}", &xml[..xml.len().min(300)]);
    }
}

#[test]
fn addresses_that_are_not_safe_are_refused() {
    let mut signer = Signer::start();
    let good = idp_metadata(&[&signer.key("idp", "rsa-2048")]);
    let at = |address: &str| good.replace("https://idp.example/sso?tenant=7", address);
    for address in [
        "http://idp.example/sso",
        "http://127.0.0.1:8080/sso",
        "javascript:alert(1)",
        "/sso",
        "https://",
        "https://ada@idp.example/sso",
        "https://idp.example/sso#here",
        "",
    ] {
        assert_eq!(reason(&at(address)), "redirect_url", "{address}");
    }
    let develop = |address: &str| {
        IdpMetadata::parse(at(address).as_bytes(), Transport::HttpOnLoopback).is_ok()
    };
    assert!(develop("http://127.0.0.1:8080/sso"));
    assert!(develop("http://localhost:8080/sso"));
    assert!(develop("http://[::1]:8080/sso"));
    assert!(!develop("http://127.0.0.1.evil.example/sso"));
    assert!(!develop("http://10.0.0.1/sso"));
}

#[test]
fn certificates_that_are_none_or_weak_are_refused() {
    let mut signer = Signer::start();
    let good = signer.key("good", "rsa-2048");
    for kind in ["p-256", "p-384"] {
        let certificate = signer.key(kind, kind);
        assert_eq!(reason(&idp_metadata(&[&certificate])), "accepted", "{kind}");
    }
    for (bad, expected) in [
        (String::new(), CertificateFault::NotBase64),
        ("***".to_owned(), CertificateFault::NotBase64),
        ("AAAA".to_owned(), CertificateFault::NotX509),
        (good[..400].to_owned(), CertificateFault::NotX509),
        (
            signer.key("short", "rsa-1024"),
            CertificateFault::WeakKey { bits: 1024 },
        ),
        (signer.key("edwards", "ed25519"), CertificateFault::KeyType),
        (signer.key("koblitz", "k-256"), CertificateFault::KeyType),
    ] {
        let error = parse(&idp_metadata(&[&good, &bad])).expect_err("a bad certificate");
        let MetadataError::Certificate { number: 2, source } = error else {
            panic!("{error:?}")
        };
        assert_eq!(source, expected);
        assert!(error.source().is_some());
    }
    assert_eq!(reason(&idp_metadata(&[])), "no_certificate");
    let encryption = idp_metadata(&[&good]).replace("\"signing\"", "\"encryption\"");
    assert_eq!(reason(&encryption), "no_certificate");
    let many: Vec<String> = (0..9)
        .map(|at| signer.key(&format!("k{at}"), "p-256"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(reason(&idp_metadata(&many)), "too_many_certificates");
}

#[test]
fn certificates_that_end_are_told_in_time() {
    let mut signer = Signer::start();
    let old = signer.key_until("old", "p-256", -1);
    let new = signer.key_until("new", "p-256", 365);
    let idp = parse(&idp_metadata(&[&old, &new])).expect("an expired one is no error");
    let [old, new] = idp.certificates() else {
        panic!("two certificates")
    };
    let now = old.not_after() + TimeDelta::days(1);
    assert_eq!(idp.expiring(now, TimeDelta::days(30)), [old]);
    assert_eq!(idp.expiring(now, TimeDelta::days(365)), [old, new]);
    let before = old.not_after() - TimeDelta::days(31);
    assert!(idp.expiring(before, TimeDelta::days(30)).is_empty());
}

#[test]
fn what_the_provider_wishes_is_told() {
    let mut signer = Signer::start();
    let good = idp_metadata(&[&signer.key("idp", "p-256")]);
    let plain = parse(&good).expect("good");
    assert!(!plain.wants_signed_requests());
    assert_eq!(plain.valid_until(), None);
    let wishes = good
        .replace(
            "<md:IDPSSODescriptor",
            "<md:IDPSSODescriptor WantAuthnRequestsSigned=\"true\"",
        )
        .replace("entityID", "validUntil=\"2030-01-01T00:00:00Z\" entityID");
    let wishes = parse(&wishes).expect("good");
    assert!(wishes.wants_signed_requests());
    assert_eq!(
        wishes.valid_until().map(|end| end.timestamp()),
        Some(1_893_456_000)
    );
}
