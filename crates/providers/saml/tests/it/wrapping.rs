//! Signature wrapping: the signed element is kept somewhere, and another is put where it is looked for. The numbers
//! are those of SAML Raider, where XSW1 and 2 are about signed responses and the others about signed assertions.

use crate::documents::Parts;
use crate::world::World;

/// The first `<name …>…</name>` of a document.
fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let start = xml.find(&format!("<{name} ")).expect("it is there");
    let close = format!("</{name}>");
    let end = xml[start..].find(&close).expect("it ends") + close.len();
    &xml[start..start + end]
}

/// The attacker's words under new ids.
fn evil(xml: &str) -> String {
    xml.replace("ada@corp.example", "eve@corp.example")
        .replace("ID=\"_a\"", "ID=\"_evil_a\"")
        .replace("ID=\"_r\"", "ID=\"_evil_r\"")
}

fn without(xml: &str, part: &str) -> String {
    xml.replacen(part, "", 1)
}

fn before(xml: &str, mark: &str, added: &str) -> String {
    xml.replacen(mark, &format!("{added}{mark}"), 1)
}

type Attack = (&'static str, String);

fn on_a_signed_response(response: &str) -> Vec<Attack> {
    let signature = element(response, "ds:Signature");
    let bare = without(response, signature);
    let evil_response = evil(&bare);
    let inside = before(signature, "</ds:Signature>", &bare);
    let beside = bare + signature;
    vec![
        ("XSW1", before(&evil_response, "<samlp:Status>", &inside)),
        ("XSW2", before(&evil_response, "<samlp:Status>", &beside)),
        ("other words", response.replace("ada@", "eve@")),
    ]
}

/// A response with one signed assertion, taken apart.
struct Signed<'a> {
    response: &'a str,
    assertion: &'a str,
    signature: &'a str,
    bare: String,
    evil: String,
}

impl<'a> Signed<'a> {
    fn new(response: &'a str) -> Self {
        let assertion = element(response, "saml:Assertion");
        let signature = element(assertion, "ds:Signature");
        let bare = without(assertion, signature);
        Self {
            response,
            assertion,
            signature,
            evil: evil(&bare),
            bare,
        }
    }

    fn replaced(&self, by: &str) -> String {
        self.response.replacen(self.assertion, by, 1)
    }

    fn beside(&self, added: &str) -> String {
        before(self.response, self.assertion, added)
    }

    /// The attacker's assertion around the signed one.
    fn around(&self, original: &str) -> String {
        self.replaced(&before(&self.evil, "</saml:Assertion>", original))
    }

    /// The attacker's assertion with a signature where the good one has it.
    fn evil_with(&self, signature: &str) -> String {
        before(&self.evil, "<saml:Subject>", signature)
    }

    fn known_attacks(&self) -> Vec<Attack> {
        let in_signature = before(self.signature, "</ds:Signature>", &self.bare);
        let object = format!("<ds:Object>{}</ds:Object>", self.bare);
        let in_object = before(self.signature, "</ds:Signature>", &object);
        let extensions = format!("<samlp:Extensions>{}</samlp:Extensions>", self.evil);
        let behind = self.evil_with(self.signature) + &self.bare;
        vec![
            ("XSW3", self.beside(&self.evil)),
            ("XSW4", self.around(self.assertion)),
            ("XSW5", self.replaced(&behind)),
            ("XSW6", self.replaced(&self.evil_with(&in_signature))),
            ("XSW7", self.beside(&extensions)),
            ("XSW8", self.replaced(&self.evil_with(&in_object))),
        ]
    }

    fn more_attacks(&self) -> Vec<Attack> {
        let other_case = self.evil.replace("saml:Assertion", "saml:assertion");
        let other_namespace = self
            .evil
            .replace("<saml:Assertion", "<saml:Assertion xmlns:saml=\"urn:x\"");
        let in_advice = format!("<saml:Advice>{}</saml:Advice>", self.assertion);
        let in_status = format!(
            "<samlp:StatusDetail>{}</samlp:StatusDetail>",
            self.assertion
        );
        let alone = self.replaced(&self.evil);
        vec![
            (
                "behind",
                before(self.response, "</samlp:Response>", &self.evil),
            ),
            ("the signed one in an advice", self.around(&in_advice)),
            (
                "the signed one in the status",
                before(&alone, "</samlp:Status>", &in_status),
            ),
            ("another case", self.beside(&other_case)),
            ("another namespace", self.beside(&other_namespace)),
            (
                "the same id",
                self.beside(&self.evil.replace("_evil_a", "_a")),
            ),
            ("other words", self.response.replace("ada@", "eve@")),
        ]
    }
}

#[test]
fn wrapped_signatures_are_refused() {
    let mut world = World::start();
    let response = world.signed(&Parts::default(), &["_r"]);
    let assertion = world.signed(&Parts::default(), &["_a"]);
    let signed = Signed::new(&assertion);
    let mut attacks = on_a_signed_response(&response);
    attacks.extend(signed.known_attacks());
    attacks.extend(signed.more_attacks());
    assert_eq!(attacks.len(), 16);
    for (name, xml) in attacks {
        assert!(xml.contains("eve@"), "{name}");
        let refusal = world.verify(&xml).expect_err(name);
        // Refused for what it is, and not because the test wrote broken XML.
        assert_ne!(refusal.reason(), "not_well_formed", "{name}");
    }
}

#[test]
fn two_signed_assertions_for_two_people_are_refused() {
    let mut world = World::start();
    let second = Parts::with(|parts| {
        parts.assertion_id = "_b";
        parts.name_id = "eve@corp.example".to_owned();
    });
    let both = Parts::with(|parts| parts.before_assertion = second.assertion());
    let xml = world.signed(&both, &["_a", "_b"]);
    assert_eq!(world.reason(&xml), "several_assertions");
    let xml = world.signed(&both, &["_r"]);
    assert_eq!(world.reason(&xml), "several_assertions");
}

#[test]
fn elements_that_could_hide_something_are_refused_even_signed() {
    let mut world = World::start();
    let extensions = "<samlp:Extensions><x xmlns=\"urn:x\"/></samlp:Extensions>";
    world.assert_refused(
        "unexpected_element",
        "extensions",
        &Parts::with(|parts| parts.before_assertion = extensions.to_owned()),
    );
    world.assert_refused(
        "unexpected_element",
        "advice",
        &Parts::with(|parts| parts.in_assertion = "<saml:Advice/>".to_owned()),
    );
    world.assert_refused(
        "unexpected_element",
        "a second subject",
        &Parts::with(|parts| parts.in_assertion = "<saml:Subject/>".to_owned()),
    );
}

#[test]
fn ids_are_unique_plain_and_at_their_places() {
    let mut world = World::start();
    for decoy in [
        "<x xmlns=\"urn:x\" ID=\"_x\"/>",
        "<x xmlns=\"urn:x\" Id=\"_x\"/>",
        "<x xmlns=\"urn:x\" id=\"_x\"/>",
        "<x xmlns=\"urn:x\" xmlns:y=\"urn:y\" y:ID=\"_x\"/>",
    ] {
        let value = format!("<saml:AttributeValue>{decoy}</saml:AttributeValue>");
        let parts = Parts::with(|parts| {
            parts.attributes = format!("<saml:Attribute Name=\"x\">{value}</saml:Attribute>");
        });
        world.assert_refused("id", decoy, &parts);
    }
    let good = world.signed(&Parts::default(), &["_a"]);
    let twice = good.replace("ID=\"_r\"", "ID=\"_a\"");
    assert_eq!(world.reason(&twice), "id");
    let spaced = good.replace("ID=\"_r\"", "ID=\"a b\"");
    assert_eq!(world.reason(&spaced), "id");
    let none = good.replace(" ID=\"_r\"", "");
    assert_eq!(world.reason(&none), "id");
}

#[test]
fn encrypted_parts_are_refused_alike() {
    let mut world = World::start();
    let data = "<xenc:EncryptedData xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\"/>";
    let encrypted = format!("<saml:EncryptedAssertion>{data}</saml:EncryptedAssertion>");
    let beside = Parts::with(|parts| parts.before_assertion.clone_from(&encrypted));
    world.assert_refused("encrypted", "beside a good one", &beside);
    let parts = Parts::default();
    let alone = parts.xml().replace(&parts.assertion(), &encrypted);
    let alone = world.signed_text(&alone, &["_r"]);
    assert_eq!(world.reason(&alone), "encrypted");
    let name =
        Parts::with(|parts| parts.name_id = format!("<saml:EncryptedID>{data}</saml:EncryptedID>"));
    world.assert_refused("encrypted", "a name", &name);
}
