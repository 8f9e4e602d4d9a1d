use serde_json::json;

use super::*;

fn verified(kind: &Kind, claims: &Value) -> Option<bool> {
    email(kind, &Object::of(claims)).map(|email| email.verified)
}

#[test]
fn only_the_truth_value_verifies_an_address() {
    for kind in [Kind::Generic, Kind::Okta] {
        for (value, outcome) in [
            (json!(true), true),
            (json!(false), false),
            (json!("true"), false),
            (json!("True"), false),
            (json!(1), false),
            (json!([true]), false),
            (json!(null), false),
        ] {
            let claims = json!({"email": "ann@corp.example", "email_verified": value});
            assert_eq!(verified(&kind, &claims), Some(outcome), "{claims}");
        }
        let silent = json!({"email": "ann@corp.example"});
        assert_eq!(verified(&kind, &silent), Some(false));
        // Another provider's word for it means nothing here.
        let borrowed = json!({"email": "ann@corp.example", "xms_edov": true, "hd": "corp.example"});
        assert_eq!(verified(&kind, &borrowed), Some(false));
    }
}

#[test]
fn google_vouches_for_its_own_mailboxes_only() {
    let kind = Kind::Google {
        hosted_domains: Vec::new(),
    };
    for (claims, outcome) in [
        (
            json!({"email": "a@corp.example", "email_verified": true, "hd": "corp.example"}),
            true,
        ),
        (
            json!({"email": "a@gmail.com", "email_verified": true}),
            true,
        ),
        (
            json!({"email": "a@GoogleMail.com", "email_verified": true}),
            true,
        ),
        (
            json!({"email": "a@corp.example", "email_verified": true}),
            false,
        ),
        (
            json!({"email": "a@corp.example", "email_verified": true, "hd": ""}),
            false,
        ),
        (
            json!({"email": "a@notgmail.com", "email_verified": true}),
            false,
        ),
        (
            json!({"email": "a@gmail.com.evil.example", "email_verified": true}),
            false,
        ),
        (
            json!({"email": "a@gmail.com", "email_verified": "true"}),
            false,
        ),
        (json!({"email": "a@gmail.com"}), false),
    ] {
        assert_eq!(verified(&kind, &claims), Some(outcome), "{claims}");
    }
}

#[test]
fn google_domains_are_checked_in_the_token() {
    let admitted = ["corp.example".to_owned()];
    let check = |claims: Value, admitted: &[String]| {
        hosted_domain(&Object::of(&claims), admitted).map_err(|refusal| refusal.reason())
    };
    let corp = Ok(Some("corp.example".to_owned()));
    let refused = Err("hosted_domain_refused");
    assert_eq!(check(json!({"hd": "Corp.example"}), &admitted), corp);
    assert_eq!(check(json!({"hd": "corp.example"}), &[]), corp);
    assert_eq!(check(json!({}), &[]), Ok(None));
    for claims in [
        json!({}),
        json!({"hd": ""}),
        json!({"hd": "evil.example"}),
        json!({"hd": "sub.corp.example"}),
        json!({"hd": ["corp.example"]}),
        json!({"email": "a@corp.example"}),
    ] {
        assert_eq!(check(claims.clone(), &admitted), refused, "{claims}");
    }
}

#[test]
fn entra_vouches_by_its_optional_claim_in_all_its_forms() {
    let kind = Kind::Entra {
        tenant_ids: Vec::new(),
    };
    for (value, outcome) in [
        (json!(true), true),
        (json!("true"), true),
        (json!(1), true),
        (json!("1"), true),
        (json!(false), false),
        (json!("false"), false),
        (json!(0), false),
        (json!("0"), false),
        (json!(2), false),
        (json!(1.5), false),
        (json!(""), false),
        (json!([true]), false),
        (json!(null), false),
    ] {
        let claims = json!({"email": "a@corp.example", "xms_edov": value});
        assert_eq!(verified(&kind, &claims), Some(outcome), "{claims}");
    }
    // The claim every other provider uses says nothing here.
    let claims = json!({"email": "a@corp.example", "email_verified": true});
    assert_eq!(verified(&kind, &claims), Some(false));
    let shown = json!({"preferred_username": "a@corp.example", "xms_edov": true});
    assert_eq!(verified(&kind, &shown), None);
}

#[test]
fn what_is_no_address_is_left_out() {
    for text in [
        "",
        "ann",
        "@",
        "ann@",
        "@corp",
        "a@b@c",
        "a b@c",
        "a@c\r\nBcc: x",
        "a@\u{0}c",
    ] {
        let claims = json!({"email": text, "email_verified": true});
        assert_eq!(verified(&Kind::Generic, &claims), None, "{text:?}");
    }
    let long = format!("{}@corp.example", "a".repeat(MAX_EMAIL));
    assert_eq!(verified(&Kind::Generic, &json!({ "email": long })), None);
    assert_eq!(verified(&Kind::Generic, &json!({"email": ["a@b"]})), None);
}

#[test]
fn groups_are_read_from_one_or_many_and_say_when_they_are_not_all() {
    let read = |claims: Value| {
        let claims = Object::of(&claims);
        Groups::read(claims.get("groups"), &claims, "groups")
    };
    let all = |names: &[&str]| Groups {
        names: names.iter().map(|&name| name.to_owned()).collect(),
        incomplete: false,
    };
    assert_eq!(read(json!({"groups": ["a", "b"]})), all(&["a", "b"]));
    assert_eq!(read(json!({"groups": "a"})), all(&["a"]));
    assert_eq!(read(json!({})), all(&[]));
    assert_eq!(read(json!({"groups": {"a": 1}})), all(&[]));
    let overage = read(json!({"_claim_names": {"groups": "src1"}}));
    assert!(overage.names.is_empty() && overage.incomplete);
    let many: Vec<String> = (0..=MAX_GROUPS).map(|n| n.to_string()).collect();
    let cut = read(json!({ "groups": many }));
    assert!(cut.names.len() == MAX_GROUPS && cut.incomplete);
    assert!(read(json!({"groups": ["x".repeat(MAX_GROUP + 1)]})).incomplete);
}

#[test]
fn nothing_personal_is_debugged() {
    let identity = Identity {
        issuer: "https://idp.example".to_owned(),
        subject: "subject-1".to_owned(),
        email: Some(Email {
            address: "ann@corp.example".to_owned(),
            verified: true,
        }),
        name: Some("Ann Example".to_owned()),
        groups: Groups {
            names: vec!["sales".to_owned()],
            incomplete: false,
        },
        hosted_domain: None,
        tenant_id: None,
    };
    let debugged = format!("{identity:?} {:?} {:?}", identity.email, identity.groups);
    for secret in ["subject-1", "ann", "Ann", "sales"] {
        assert!(!debugged.contains(secret), "{debugged}");
    }
}
