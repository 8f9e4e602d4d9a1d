//! From whom, to whom, in answer to what.

use saml::{Expectation, Flow};

use crate::documents::{ACS, ENTITY_ID, IDP, Parts, restriction};
use crate::world::{SIGNED, World, requested};

#[test]
fn assertions_for_other_audiences_are_refused() {
    let mut world = World::start();
    for audience in [
        "https://other.example/sp".to_owned(),
        "https://switchboard.example/saml/con_2".to_owned(),
        format!("{ENTITY_ID}2"),
        ENTITY_ID[..ENTITY_ID.len() - 1].to_owned(),
        ENTITY_ID.to_uppercase(),
    ] {
        let parts = Parts::with(|parts| parts.audience = restriction(&[&audience]));
        world.assert_refused("audience", &audience, &parts);
    }
    let both_ways = restriction(&[ENTITY_ID]) + &restriction(&["https://other.example/sp"]);
    world.assert_refused(
        "audience",
        "every restriction must allow it",
        &Parts::with(|parts| parts.audience.clone_from(&both_ways)),
    );
    for missing in [String::new(), restriction(&[]), restriction(&[""])] {
        let parts = Parts::with(|parts| parts.audience.clone_from(&missing));
        world.assert_refused("audience_missing", &missing, &parts);
    }
    let one_of_two = restriction(&["https://other.example/sp", ENTITY_ID]);
    world.assert_accepted(
        "one of two audiences",
        &Parts::with(|parts| parts.audience.clone_from(&one_of_two)),
    );
}

#[test]
fn conditions_nobody_knows_are_refused() {
    let mut world = World::start();
    for (reason, condition) in [
        ("unknown_condition", "<saml:Condition/>"),
        ("unknown_condition", "<x:OneTimeUse xmlns:x=\"urn:x\"/>"),
        ("accepted", "<saml:OneTimeUse/>"),
    ] {
        let parts = Parts::with(|parts| parts.audience.push_str(condition));
        let xml = world.signed(&parts, &["_a"]);
        assert_eq!(world.reason(&xml), reason, "{condition}");
    }
    let bare = Parts::default();
    let start = bare.xml().find("<saml:Conditions").expect("it is there");
    let end = bare.xml().find("</saml:Conditions>").expect("it ends") + "</saml:Conditions>".len();
    let xml = format!("{}{}", &bare.xml()[..start], &bare.xml()[end..]);
    let xml = world.signed_text(&xml, &["_r"]);
    assert_eq!(world.reason(&xml), "conditions_missing");
}

#[test]
fn messages_to_other_addresses_are_refused() {
    let mut world = World::start();
    for address in [
        "https://switchboard.example/saml/con_2/acs",
        "https://evil.example/saml/con_1/acs",
        "https://switchboard.example/saml/con_1/acs/",
        "https://switchboard.example/saml/con_1/acs?x",
        "",
    ] {
        world.assert_refused(
            "destination",
            address,
            &Parts::with(|parts| parts.destination = Some(address.to_owned())),
        );
        world.assert_refused(
            "recipient",
            address,
            &Parts::with(|parts| parts.recipient = Some(address.to_owned())),
        );
    }
    world.assert_refused(
        "recipient_missing",
        "no recipient",
        &Parts::with(|parts| parts.recipient = None),
    );
    let nowhere = Parts::with(|parts| parts.destination = None);
    for ids in &SIGNED[1..] {
        let xml = world.signed(&nowhere, ids);
        assert_eq!(world.reason(&xml), "destination_missing", "{ids:?}");
    }
}

#[test]
fn other_issuers_are_refused() {
    let mut world = World::start();
    let other = format!("{IDP}/");
    world.assert_refused(
        "issuer",
        "the assertion's",
        &Parts::with(|parts| parts.issuer = Some(other.clone())),
    );
    world.assert_refused(
        "issuer",
        "the response's",
        &Parts::with(|parts| parts.response_issuer = Some(other.clone())),
    );
    world.assert_refused(
        "issuer_missing",
        "none",
        &Parts::with(|parts| parts.issuer = None),
    );
}

#[test]
fn answers_to_other_questions_are_refused() {
    let mut world = World::start();
    for (reason, response, confirmation) in [
        (
            "in_response_to",
            Some("_other".to_owned()),
            Some("_request".to_owned()),
        ),
        (
            "in_response_to",
            Some("_request".to_owned()),
            Some("_other".to_owned()),
        ),
        (
            "in_response_to",
            Some("_request2".to_owned()),
            Some("_request2".to_owned()),
        ),
        ("in_response_to", Some(String::new()), Some(String::new())),
        ("in_response_to_missing", None, Some("_request".to_owned())),
        ("in_response_to_missing", Some("_request".to_owned()), None),
        ("in_response_to_missing", None, None),
    ] {
        let what = format!("{response:?} {confirmation:?}");
        let parts = Parts::with(|parts| {
            parts.response_answers = response;
            parts.confirmation_answers = confirmation;
        });
        world.assert_refused(reason, &what, &parts);
    }
}

/// The question of another browser, one that was answered already, and none at all look the same: not ours.
#[test]
fn a_good_answer_is_refused_by_whoever_asked_something_else() {
    let mut world = World::start();
    let answer = world.signed(&Parts::default(), &["_r"]);
    let unasked = world.signed(&Parts::unsolicited(), &["_r"]);
    let reason = |xml: &str, flow| {
        let expected = Expectation {
            flow,
            ..requested()
        };
        world
            .verify_with(xml, &expected)
            .map_or_else(|refusal| refusal.reason(), |_| "accepted")
    };
    assert_eq!(reason(&answer, Flow::Requested("_other")), "in_response_to");
    assert_eq!(reason(&answer, Flow::Requested("")), "in_response_to");
    assert_eq!(reason(&answer, Flow::Unsolicited), "not_unsolicited");
    assert_eq!(
        reason(&unasked, Flow::Requested("_request")),
        "in_response_to_missing"
    );
}

#[test]
fn only_success_is_success() {
    let mut world = World::start();
    let code = |value: &str, inner: &str| {
        format!(
            "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:{value}\">{inner}</samlp:StatusCode>"
        )
    };
    for status in [
        code("Responder", ""),
        code("Requester", &code("Success", "")),
        code("success", ""),
        code("Success", "") + &code("Success", ""),
        String::new(),
        "<samlp:StatusCode/>".to_owned(),
    ] {
        let parts = Parts::with(|parts| parts.status.clone_from(&status));
        world.assert_refused("status", &status, &parts);
    }
    // Providers do not sign a refusal; its reason is what the administrator needs.
    let refused = Parts::with(|parts| {
        parts.status = code("Responder", &code("AuthnFailed", ""));
    });
    let xml = refused.xml().replace(&refused.assertion(), "");
    let refusal = world.verify(&xml).expect_err("no success");
    assert!(
        refusal.to_string().contains("Responder/AuthnFailed"),
        "{refusal}"
    );
}

#[test]
fn what_a_refusal_shows_is_short_and_harmless() {
    let mut world = World::start();
    let hostile = format!("https://x/&lt;script&gt;\u{202e}&#10;{}", "a".repeat(500));
    let parts = Parts::with(|parts| parts.destination = Some(hostile));
    let xml = world.signed(&parts, &["_a"]);
    let shown = world.verify(&xml).expect_err("another address").to_string();
    assert!(shown.is_ascii() && shown.len() < 300, "{shown}");
    assert!(!shown.contains(['<', '>', '\n']), "{shown}");
    assert!(shown.contains(ACS), "{shown}");
}

#[test]
fn only_bearers_with_a_name_that_stays_are_let_in() {
    let mut world = World::start();
    let holder = Parts::with(|parts| {
        parts.method = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key";
    });
    world.assert_refused("subject_confirmation", "another method", &holder);
    let transient = Parts::with(|parts| {
        parts.name_id_format = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient".to_owned();
    });
    world.assert_refused("transient_name_id", "a name for one login", &transient);
    for (reason, name) in [
        ("name_id_missing", String::new()),
        ("name_id_missing", " \n ".to_owned()),
        ("name_id_form", "ada\u{85}x".to_owned()),
        ("name_id_form", "a".repeat(513)),
    ] {
        let parts = Parts::with(|parts| parts.name_id.clone_from(&name));
        world.assert_refused(reason, &name, &parts);
    }
    let nobody = Parts::default().xml();
    let start = nobody.find("<saml:Subject>").expect("it is there");
    let end = nobody.find("</saml:Subject>").expect("it ends") + "</saml:Subject>".len();
    let nobody = format!("{}{}", &nobody[..start], &nobody[end..]);
    let xml = world.signed_text(&nobody, &["_r"]);
    assert_eq!(world.reason(&xml), "name_id_missing");
    let old = Parts::with(|parts| parts.version = "1.1");
    world.assert_refused("version", "SAML 1.1", &old);
}
