use serde_json::json;

use super::*;

const NOW: i64 = 1_800_000_000;
const TENANT: Uuid = Uuid::from_u128(0xAAAA_BBBB_CCCC_DDDD_EEEE_FFFF_0000_1111);

fn good() -> Value {
    json!({
        "iss": "https://idp.example", "sub": "user-1", "aud": "us", "nonce": "fresh",
        "exp": NOW + 300, "iat": NOW,
    })
}

fn checked(settings: &Settings, claims: &Value) -> Result<Verified, Refusal> {
    let issuer = Issuer::new(&settings.kind, &settings.issuer);
    let now = DateTime::from_timestamp(NOW, 0).expect("a time");
    let nonce = SecretString::from("fresh");
    check(settings, &issuer, Object::of(claims), &nonce, now)
}

/// What comes of the good claims with these in their place; `null` takes one out.
fn with(changes: &Value) -> Option<&'static str> {
    let settings = Settings::new(Kind::Generic, "https://idp.example", "us", None);
    let claims = changed(good(), changes);
    checked(&settings, &claims)
        .err()
        .map(|refusal| refusal.reason())
}

fn changed(mut claims: Value, changes: &Value) -> Value {
    let all = claims.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        if value.is_null() {
            all.remove(name);
        } else {
            all.insert(name.clone(), value.clone());
        }
    }
    claims
}

#[test]
fn good_claims_pass() {
    assert_eq!(with(&json!({})), None);
}

#[test]
fn a_token_for_somebody_else_is_refused() {
    let audience = Some("audience_mismatch");
    let party = Some("authorized_party_mismatch");
    for (changes, outcome) in [
        (json!({"aud": ["us"]}), None),
        (json!({"aud": "us", "azp": "us"}), None),
        (json!({"aud": ["us", "them"], "azp": "us"}), None),
        (json!({"aud": null}), audience),
        (json!({"aud": "them"}), audience),
        (json!({"aud": "US"}), audience),
        (json!({"aud": "us "}), audience),
        (json!({"aud": "us,them"}), audience),
        (json!({"aud": []}), audience),
        (json!({"aud": ["them"]}), audience),
        (json!({"aud": ["us", 7]}), audience),
        (json!({"aud": {"us": true}}), audience),
        (json!({"aud": ["us", "them"]}), party),
        (json!({"aud": ["us", "us"]}), party),
        (json!({"aud": ["us", "them"], "azp": "them"}), party),
        (json!({"aud": "us", "azp": "them"}), party),
        (json!({"aud": "us", "azp": ["us"]}), party),
    ] {
        assert_eq!(with(&changes), outcome, "{changes}");
    }
}

#[test]
fn times_have_a_minute_of_grace_and_one_type() {
    let malformed = Some("id_token_malformed");
    for (changes, outcome) in [
        (json!({"exp": NOW - 59}), None),
        (json!({"exp": NOW - 60}), Some("expired")),
        (json!({"exp": 0}), Some("expired")),
        (json!({"iat": NOW + 60}), None),
        (json!({"iat": NOW + 61}), Some("not_yet_valid")),
        (json!({"nbf": NOW + 60}), None),
        (json!({"nbf": NOW + 61}), Some("not_yet_valid")),
        (json!({"exp": null}), malformed),
        (json!({"iat": null}), malformed),
        (json!({"exp": (NOW + 300).to_string()}), malformed),
        (json!({"exp": 1_800_000_300.0}), malformed),
        (json!({"exp": 1e30}), malformed),
        (json!({"exp": i64::MAX}), malformed),
        (json!({"exp": -1}), malformed),
        (json!({"exp": true}), malformed),
        (json!({"iat": "now"}), malformed),
        (json!({"nbf": "now"}), malformed),
    ] {
        assert_eq!(with(&changes), outcome, "{changes}");
    }
}

#[test]
fn nonce_subject_and_issuer_are_required_and_exact() {
    for (changes, outcome) in [
        (json!({"nonce": null}), "nonce_missing"),
        (json!({"nonce": ["fresh"]}), "nonce_missing"),
        (json!({"nonce": ""}), "nonce_mismatch"),
        (json!({"nonce": "stale"}), "nonce_mismatch"),
        (json!({"nonce": "fresh2"}), "nonce_mismatch"),
        (json!({"sub": null}), "subject_invalid"),
        (json!({"sub": ""}), "subject_invalid"),
        (json!({"sub": 7}), "subject_invalid"),
        (json!({"sub": "a\u{0}b"}), "subject_invalid"),
        (json!({"sub": "x".repeat(256)}), "subject_invalid"),
        (json!({"iss": null}), "id_token_malformed"),
        (json!({"iss": "https://idp.example/"}), "issuer_mismatch"),
        (json!({"iss": "https://evil.example"}), "issuer_mismatch"),
        (json!({"iss": "idp.example"}), "issuer_mismatch"),
    ] {
        assert_eq!(with(&changes), Some(outcome), "{changes}");
    }
}

#[test]
fn entra_admits_the_listed_directories_under_their_own_names() {
    let host = "https://login.microsoftonline.com";
    let own = format!("{host}/{TENANT}/v2.0");
    let foreign = Uuid::max().to_string();
    let shared = format!("{host}/organizations/v2.0");
    for authority in [own.as_str(), shared.as_str()] {
        let kind = Kind::Entra {
            tenant_ids: vec![TENANT],
        };
        let settings = Settings::new(kind, authority, "us", None);
        for (changes, outcome) in [
            (json!({"iss": own, "tid": TENANT.to_string()}), None),
            (
                json!({"iss": own, "tid": TENANT.to_string().to_uppercase()}),
                None,
            ),
            (json!({"iss": own}), Some("tenant_missing")),
            (json!({"iss": own, "tid": "common"}), Some("tenant_missing")),
            (json!({"iss": own, "tid": foreign}), Some("tenant_refused")),
            (
                json!({"iss": own, "tid": "9188040d-6c67-4c5b-b112-36a304b66dad"}),
                Some("tenant_refused"),
            ),
            // The directory is an admitted one and the issuer another's.
            (
                json!({"iss": format!("{host}/{foreign}/v2.0"), "tid": TENANT.to_string()}),
                Some("issuer_mismatch"),
            ),
            (
                json!({"iss": format!("{host}/{{tenantid}}/v2.0"), "tid": TENANT.to_string()}),
                Some("issuer_mismatch"),
            ),
            (
                json!({"iss": format!("https://sts.windows.net/{TENANT}/"), "tid": TENANT.to_string()}),
                Some("issuer_mismatch"),
            ),
        ] {
            let refusal = checked(&settings, &changed(good(), &changes)).err();
            assert_eq!(
                refusal.map(|refusal| refusal.reason()),
                outcome,
                "{authority} {changes}"
            );
        }
    }
}

#[test]
fn google_may_leave_out_the_scheme() {
    let kind = Kind::Google {
        hosted_domains: Vec::new(),
    };
    let settings = Settings::new(kind, "https://accounts.google.com", "us", None);
    for (issuer, passes) in [
        ("https://accounts.google.com", true),
        ("accounts.google.com", true),
        ("http://accounts.google.com", false),
        ("accounts.google.com.evil.example", false),
    ] {
        let claims = changed(good(), &json!({ "iss": issuer }));
        assert_eq!(checked(&settings, &claims).is_ok(), passes, "{issuer}");
    }
}
