//! Which signatures count: of pinned keys, in one form, over the element they are in.

use crate::documents::{Parts, idp_metadata};
use crate::signer::Style;
use crate::world::{SIGNED, World, trusting};

const EXCLUSIVE: &str = "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>";

#[test]
fn unsigned_and_foreign_signatures_are_refused() {
    let mut world = World::start();
    assert_eq!(world.reason(&Parts::default().xml()), "unsigned");
    // KeyInfo names the attacker's certificate, which verifies: nobody asked it.
    world.signer.key("attacker", "rsa-2048");
    let style = Style {
        key: "attacker",
        ..Style::RSA
    };
    for ids in SIGNED {
        let xml = world.signer.sign(&Parts::default().xml(), ids, style);
        assert!(xml.contains("X509Certificate"), "{xml}");
        assert_eq!(world.reason(&xml), "invalid_signature", "{ids:?}");
    }
}

#[test]
fn the_provider_of_another_tenant_is_refused() {
    let mut world = World::start();
    let other = world.signer.key("other", "rsa-2048");
    let xml = world.signed(&Parts::default(), &["_a"]);
    assert_eq!(world.reason(&xml), "accepted");
    world.idp = trusting(&[&other]);
    assert_eq!(world.reason(&xml), "invalid_signature");
}

#[test]
fn a_good_and_a_foreign_signature_are_not_enough() {
    let mut world = World::start();
    world.signer.key("attacker", "rsa-2048");
    let style = Style {
        key: "attacker",
        ..Style::RSA
    };
    let inner = world.signed(&Parts::default(), &["_a"]);
    let xml = world.signer.sign(&inner, &["_r"], style);
    assert_eq!(world.reason(&xml), "invalid_signature");
    let inner = world.signer.sign(&Parts::default().xml(), &["_a"], style);
    let xml = world.signed_text(&inner, &["_r"]);
    assert_eq!(world.reason(&xml), "invalid_signature");
}

#[test]
fn weak_algorithms_are_refused_though_they_verify() {
    let mut world = World::start();
    for (reason, method, digest) in [
        ("signature_algorithm", "rsa-sha1", "sha256"),
        ("signature_algorithm", "rsa-sha224", "sha256"),
        ("signature_algorithm", "hmac-sha256", "sha256"),
        ("signature_algorithm", "hmac-sha1", "sha1"),
        ("digest_algorithm", "rsa-sha256", "sha1"),
        ("digest_algorithm", "rsa-sha256", "sha224"),
    ] {
        let style = Style {
            method,
            digest,
            ..Style::RSA
        };
        for ids in SIGNED {
            let xml = world.signer.sign(&Parts::default().xml(), ids, style);
            assert_eq!(world.reason(&xml), reason, "{method} {digest} {ids:?}");
        }
    }
    let xml = world.signed(&Parts::default(), &["_a"]);
    for other in ["xmldsig-more#rsa-md5", "none"] {
        let xml = xml.replace("xmldsig-more#rsa-sha256", other);
        assert_eq!(world.reason(&xml), "signature_algorithm", "{other}");
    }
}

/// Changes of `SignedInfo` that are signed again, so that only the form is wrong.
#[test]
fn signatures_of_another_form_are_refused_though_they_verify() {
    let mut world = World::start();
    let good = world.signed(&Parts::default(), &["_a"]);
    let again = world.signer.resign(&good);
    assert_eq!(world.reason(&again), "accepted", "signed again, unchanged");
    let transform = |algorithm: &str| format!("<ds:Transform Algorithm=\"{algorithm}\"/>");
    let enveloped = transform("http://www.w3.org/2000/09/xmldsig#enveloped-signature");
    let with_comments = transform("http://www.w3.org/2001/10/xml-exc-c14n#WithComments");
    let inclusive = transform("http://www.w3.org/TR/2001/REC-xml-c14n-20010315");
    let base64 = transform("http://www.w3.org/2000/09/xmldsig#base64");
    let xslt = transform("http://www.w3.org/TR/1999/REC-xslt-19991116");
    let xpath = "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"><ds:XPath>not(ancestor-or-self::node()[name()='saml:NameID'])</ds:XPath></ds:Transform>";
    let reference = {
        let start = good.find("<ds:Reference").expect("signed");
        let end = good.find("</ds:Reference>").expect("signed") + "</ds:Reference>".len();
        good[start..end].to_owned()
    };
    let twice = format!("{reference}{reference}");
    for (reason, what, from, to) in [
        ("reference", "the whole document", "URI=\"#_a\"", "URI=\"\""),
        ("reference", "no URI", " URI=\"#_a\"", ""),
        ("reference", "another element", "URI=\"#_a\"", "URI=\"#_r\""),
        (
            "reference",
            "xpointer",
            "URI=\"#_a\"",
            "URI=\"#xpointer(id('_a'))\"",
        ),
        ("reference", "a file", "URI=\"#_a\"", "URI=\"a.xml\""),
        (
            "reference",
            "an address",
            "URI=\"#_a\"",
            "URI=\"http://127.0.0.1:1/\"",
        ),
        (
            "signature_form",
            "two references",
            reference.as_str(),
            twice.as_str(),
        ),
        ("signature_form", "no reference", reference.as_str(), ""),
        ("transform", "comments", EXCLUSIVE, with_comments.as_str()),
        ("transform", "inclusive", EXCLUSIVE, inclusive.as_str()),
        ("transform", "base64", EXCLUSIVE, base64.as_str()),
        ("transform", "XSLT", EXCLUSIVE, xslt.as_str()),
        ("transform", "XPath", enveloped.as_str(), xpath),
        ("transform", "not enveloped", enveloped.as_str(), ""),
        ("signature_form", "not canonical", EXCLUSIVE, ""),
    ] {
        let changed = good.replacen(from, to, 1);
        assert_ne!(changed, good, "{what}");
        let xml = world.signer.resign(&changed);
        assert_eq!(world.reason(&xml), reason, "{what}");
    }
}

#[test]
fn signatures_with_more_in_them_are_refused() {
    let mut world = World::start();
    for ids in SIGNED {
        let good = world.signed(&Parts::default(), ids);
        let info = {
            let start = good.find("<ds:SignedInfo>").expect("signed");
            let end = good.find("</ds:SignedInfo>").expect("signed") + "</ds:SignedInfo>".len();
            good[start..end].to_owned()
        };
        let twice = format!("{info}{info}");
        for (reason, from, to) in [
            ("signature_form", info.as_str(), twice.as_str()),
            (
                "signature_form",
                "</ds:Signature>",
                "<ds:Object/></ds:Signature>",
            ),
            (
                "signature_form",
                "<ds:DigestValue>",
                "<ds:DigestValue><x xmlns=\"urn:x\"/>",
            ),
            ("comment", "<ds:DigestValue>", "<ds:DigestValue><!-- x -->"),
            (
                "signature_form",
                "<ds:SignatureValue>",
                "<ds:SignatureValue><x xmlns=\"urn:x\"/>",
            ),
            (
                "signature_form",
                "<ds:X509Data>",
                "<ds:RetrievalMethod URI=\"http://127.0.0.1:1/\"/><ds:X509Data>",
            ),
            (
                "misplaced_signature",
                "<ds:X509Data>",
                "<ds:Signature/><ds:X509Data>",
            ),
            ("id", "<ds:SignedInfo>", "<ds:SignedInfo Id=\"_a\">"),
        ] {
            let xml = good.replacen(from, to, 1);
            assert_eq!(world.reason(&xml), reason, "{to} {ids:?}");
        }
    }
}

/// A signature elsewhere, though valid, says nothing about the assertion.
#[test]
fn a_signature_beside_the_assertion_is_refused() {
    let mut world = World::start();
    let good = world.signed(&Parts::default(), &["_a"]);
    let start = good.find("<ds:Signature ").expect("signed");
    let end = good.find("</ds:Signature>").expect("signed") + "</ds:Signature>".len();
    let signature = &good[start..end];
    let bare = good.replacen(signature, "", 1);
    for (reason, place) in [
        ("reference", "<samlp:Status>"),
        ("misplaced_signature", "<samlp:StatusCode"),
        ("misplaced_signature", "<saml:NameID"),
        ("misplaced_signature", "<saml:Attribute "),
    ] {
        let moved = bare.replacen(place, &format!("{signature}{place}"), 1);
        assert_eq!(world.reason(&moved), reason, "{place}");
    }
}

/// Canonicalisation fails on a relative namespace name, and the digest of nothing is known.
#[test]
fn void_canonicalisation_is_refused() {
    let mut world = World::start();
    let good = world.signed(&Parts::default(), &["_a"]);
    let empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let start = good.find("<ds:DigestValue>").expect("signed") + "<ds:DigestValue>".len();
    let end = good.find("</ds:DigestValue>").expect("signed");
    let digest = good[start..end].to_owned();
    let xml = world.signer.resign(&good.replace(&digest, empty)).replacen(
        "<saml:Assertion ",
        "<saml:Assertion xmlns:x=\"1\" ",
        1,
    );
    assert_eq!(world.reason(&xml), "relative_namespace");
}

/// The library underneath takes everything when there is no certificate, so there is no metadata without.
#[test]
fn there_is_no_provider_without_certificate() {
    let refused = saml::IdpMetadata::parse(idp_metadata(&[]).as_bytes(), saml::Transport::Https);
    assert_eq!(refused.expect_err("no key").reason(), "no_certificate");
}
