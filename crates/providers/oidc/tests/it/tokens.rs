//! ID tokens that should not be there.

use oidc::{Endpoint, Kind, Refusal, Trouble};
use serde_json::json;
use uuid::Uuid;

use crate::{
    forge::{Key, access_token_hash, changed, sign_none},
    hostile::{Answer, TOKEN, USERINFO},
    world::{SECRET, World, reason},
};

#[tokio::test]
async fn an_honest_token_says_who_it_is() {
    let mut world = World::new().await;
    world.settings.groups_claim = Some("groups".to_owned());
    let hash = access_token_hash("access-1");
    let claims = json!({"at_hash": hash, "groups": ["sales"]});
    let identity = world.login(&claims).await.expect("a login");
    assert_eq!(identity.issuer, world.hostile.issuer);
    assert_eq!(identity.subject, "user-1");
    assert_eq!(identity.name.as_deref(), Some("Ann"));
    assert_eq!(identity.groups.names, ["sales"]);
    let email = identity.email.expect("an address");
    assert_eq!(email.address, "ann@corp.example");
    assert!(email.verified);
}

#[tokio::test]
async fn claims_of_another_login_are_refused() {
    let world = World::new().await;
    for (changes, refusal) in [
        (json!({"iss": "https://evil.example"}), "issuer_mismatch"),
        (
            json!({"iss": format!("{}/", world.hostile.issuer)}),
            "issuer_mismatch",
        ),
        (json!({"aud": "another-client"}), "audience_mismatch"),
        (json!({"aud": ["us", "them"]}), "authorized_party_mismatch"),
        (
            json!({"azp": "another-client"}),
            "authorized_party_mismatch",
        ),
        (json!({"nonce": null}), "nonce_missing"),
        (json!({"nonce": "of another login"}), "nonce_mismatch"),
        (json!({"exp": 1_799_999_000}), "expired"),
        (json!({"exp": "1800000300"}), "id_token_malformed"),
        (json!({"iat": 1_800_001_000}), "not_yet_valid"),
        (json!({"sub": ""}), "subject_invalid"),
        (
            json!({"at_hash": access_token_hash("another")}),
            "access_token_mismatch",
        ),
        (json!({"at_hash": 7}), "access_token_mismatch"),
    ] {
        assert_eq!(reason(world.login(&changes).await), refusal, "{changes}");
    }
}

#[tokio::test]
async fn a_replayed_token_is_refused_at_the_next_login() {
    let world = World::new().await;
    let mut caught = String::new();
    let first = world.login_with(|claims| {
        caught = world.key.sign(&claims);
        caught.clone()
    });
    first.await.expect("a login");
    let second = world.login_with(|_| caught).await;
    assert_eq!(reason(second), "nonce_mismatch");
}

#[tokio::test]
async fn a_token_without_a_signature_of_the_providers_is_refused() {
    let world = World::new().await;
    for name in ["none", "None", "nOnE", ""] {
        let login = world.login_with(|claims| sign_none(name, &claims)).await;
        assert_eq!(reason(login), "algorithm_refused", "{name}");
    }
    for secret in [None, Some(SECRET), Some("")] {
        let login = world.login_with(|claims| world.key.sign_shared(secret, &claims));
        assert_eq!(reason(login.await), "algorithm_refused", "{secret:?}");
    }
    let evil = Key::new("key-1", 66);
    let login = world.login_with(|claims| evil.sign(&claims)).await;
    assert_eq!(reason(login), "signature_invalid");
    let login = world.login_with(|claims| {
        let token = world.key.sign(&claims);
        let forged = world.key.sign(&changed(claims, &json!({"sub": "admin"})));
        // The claims of one with the signature of the other.
        let (body, _) = forged.rsplit_once('.').expect("a token");
        let (_, signature) = token.rsplit_once('.').expect("a token");
        format!("{body}.{signature}")
    });
    assert_eq!(reason(login.await), "signature_invalid");
}

#[tokio::test]
async fn a_key_that_comes_with_the_token_is_not_looked_at() {
    let world = World::new().await;
    let evil = Key::new("evil", 66);
    let bring = |id: &str| {
        json!({
            "alg": "EdDSA", "kid": id, "jwk": evil.jwk(), "x5c": ["AAAA"],
            "jku": format!("{}/evil", world.hostile.issuer),
            "x5u": format!("{}/evil", world.hostile.issuer),
        })
    };
    for (id, refusal) in [
        ("key-1", "signature_invalid"),
        ("evil", "key_unknown"),
        ("", "key_unknown"),
        ("../../dev/null", "key_unknown"),
        ("' or 1=1 --", "key_unknown"),
    ] {
        let login = world.login_with(|claims| evil.sign_with(&bring(id), &claims));
        assert_eq!(reason(login.await), refusal, "{id}");
    }
    assert!(world.hostile.received("/evil").is_empty());
}

#[tokio::test]
async fn another_algorithm_finds_no_key() {
    let world = World::new().await;
    let header = |algorithm: &str| json!({"alg": algorithm, "kid": "key-1"});
    for (algorithm, refusal) in [
        // Announced, but there is no such key.
        ("RS256", "key_unknown"),
        // Acceptable, but not announced.
        ("ES256", "algorithm_refused"),
        ("PS256", "algorithm_refused"),
    ] {
        let login = world.login_with(|claims| world.key.sign_with(&header(algorithm), &claims));
        assert_eq!(reason(login.await), refusal, "{algorithm}");
    }
}

#[tokio::test]
async fn another_kind_of_token_is_no_id_token() {
    let world = World::new().await;
    for kind in ["at+jwt", "logout+jwt", "secevent+jwt"] {
        let header = json!({"alg": "EdDSA", "kid": "key-1", "typ": kind});
        let login = world.login_with(|claims| world.key.sign_with(&header, &claims));
        assert_eq!(reason(login.await), "id_token_malformed", "{kind}");
    }
    let answer = json!({"access_token": "access-1", "token_type": "Bearer"});
    let (provider, begun) = world.begin().await;
    world.hostile.answer(TOKEN, Answer::Json(answer));
    let callback = World::callback(&begun);
    let finish = world
        .client
        .finish(&provider, begun.pending, callback, crate::world::now());
    assert_eq!(reason(finish.await), "id_token_missing");
}

#[tokio::test]
async fn userinfo_fills_in_for_the_same_person_only() {
    let mut world = World::new().await;
    world.settings.userinfo = true;
    let bare = json!({"email": null, "email_verified": null, "name": null});
    let answer = |value| world.hostile.answer(USERINFO, Answer::Json(value));
    answer(json!({"sub": "user-1", "email": "ann@corp.example", "email_verified": true}));
    let identity = world.login(&bare).await.expect("a login");
    assert!(identity.email.expect("an address").verified);
    let asked = world.hostile.received(USERINFO);
    assert_eq!(asked[0].headers["authorization"], "Bearer access-1");

    for other in [
        json!({"sub": "user-2", "email": "admin@corp.example", "email_verified": true}),
        json!({"sub": "user-1 ", "email": "admin@corp.example"}),
        json!({"email": "admin@corp.example", "email_verified": true}),
    ] {
        answer(other);
        assert_eq!(reason(world.login(&bare).await), "userinfo_mismatch");
    }
    world
        .hostile
        .answer(USERINFO, Answer::Text("eyJhbGciOiJub25lIn0.e30."));
    let refusal = world.login(&bare).await.expect_err("refused");
    let trouble = Trouble::Unreadable;
    let endpoint = Endpoint::Userinfo;
    assert_eq!(refusal, Refusal::ProviderFailed { endpoint, trouble });
}

#[tokio::test]
async fn userinfo_does_not_vouch_for_the_tokens_address() {
    let mut world = World::new().await;
    world.settings.userinfo = true;
    let vouches = json!({"sub": "user-1", "email": "other@corp.example", "email_verified": true});
    world.hostile.answer(USERINFO, Answer::Json(vouches));
    let unverified = json!({"email": "ceo@corp.example", "email_verified": null, "name": null});
    let identity = world.login(&unverified).await.expect("a login");
    let email = identity.email.expect("an address");
    assert_eq!(email.address, "ceo@corp.example");
    assert!(!email.verified);
}

#[tokio::test]
async fn only_a_true_truth_value_verifies_an_address() {
    let world = World::new().await;
    for (value, verified) in [
        (json!(true), true),
        (json!(false), false),
        (json!("true"), false),
        (json!(null), false),
    ] {
        let login = world.login(&json!({ "email_verified": value })).await;
        let email = login.expect("a login").email.expect("an address");
        assert_eq!(email.verified, verified, "{value}");
    }
}

#[tokio::test]
async fn a_person_of_entra_is_known_by_directory_and_object() {
    let tenant = Uuid::from_u128(7);
    let mut world = World::of_kind(Kind::Entra {
        tenant_ids: vec![tenant],
    })
    .await;
    // A shared authority: one document for every directory, whose issuer has a placeholder.
    world.settings.issuer = format!("{}/organizations/v2.0", world.hostile.issuer);
    let template = format!("{}/{{tenantid}}/v2.0", world.hostile.issuer);
    let document = changed(
        world.hostile.document(),
        &json!({"issuer": template, "code_challenge_methods_supported": null}),
    );
    world.hostile.answer(
        "/organizations/v2.0/.well-known/openid-configuration",
        Answer::Json(document),
    );
    let issuer = format!("{}/{tenant}/v2.0", world.hostile.issuer);
    let object = Uuid::from_u128(9);
    let entra = json!({
        "iss": issuer, "tid": tenant.to_string(), "oid": object.to_string(),
        "sub": "pairwise", "xms_edov": "1",
    });
    let identity = world.login(&entra).await.expect("a login");
    assert_eq!(identity.issuer, issuer);
    assert_eq!(identity.subject, format!("{tenant}.{object}"));
    assert_eq!(identity.tenant_id, Some(tenant));
    assert!(identity.email.expect("an address").verified);

    for (changes, refusal) in [
        (json!({"oid": null}), "object_id_missing"),
        (json!({"tid": null}), "tenant_missing"),
        (
            json!({"tid": Uuid::from_u128(8).to_string()}),
            "tenant_refused",
        ),
        (json!({"iss": template}), "issuer_mismatch"),
    ] {
        let claims = changed(entra.clone(), &changes);
        assert_eq!(reason(world.login(&claims).await), refusal, "{changes}");
    }
}

#[tokio::test]
async fn a_key_of_entra_for_another_directory_does_not_count() {
    let tenant = Uuid::from_u128(7);
    let mut world = World::of_kind(Kind::Entra {
        tenant_ids: vec![tenant],
    })
    .await;
    world.settings.issuer = format!("{}/{tenant}/v2.0", world.hostile.issuer);
    let document = changed(
        world.hostile.document(),
        &json!({"issuer": world.settings.issuer}),
    );
    let path = format!("/{tenant}/v2.0{}", crate::hostile::DISCOVERY);
    world.hostile.answer(path.leak(), Answer::Json(document));
    let claims = json!({
        "iss": world.settings.issuer, "tid": tenant.to_string(),
        "oid": Uuid::from_u128(9).to_string(),
    });
    for (issuer, outcome) in [
        (format!("{}/{{tenantid}}/v2.0", world.hostile.issuer), None),
        (world.settings.issuer.clone(), None),
        (
            format!("{}/{}/v2.0", world.hostile.issuer, Uuid::from_u128(8)),
            Some("key_unknown"),
        ),
    ] {
        let key = changed(world.key.jwk(), &json!({ "issuer": issuer }));
        let keys = json!({ "keys": [key] });
        world
            .hostile
            .answer(crate::hostile::KEYS, Answer::Json(keys));
        world.client.forget(world.connection).await;
        let login = world.login(&claims).await;
        assert_eq!(
            login.err().map(|refusal| refusal.reason()),
            outcome,
            "{issuer}"
        );
    }
}

#[tokio::test]
async fn a_person_of_google_comes_from_an_admitted_domain() {
    let world = World::of_kind(Kind::Google {
        hosted_domains: vec!["corp.example".to_owned()],
    })
    .await;
    let (_, begun) = world.begin().await;
    assert_eq!(
        crate::world::parameter(&begun.url, "hd").as_deref(),
        Some("corp.example")
    );
    let bare = world.hostile.issuer.trim_start_matches("http://");
    let google = json!({"iss": bare, "hd": "corp.example"});
    let identity = world.login(&google).await.expect("a login");
    assert_eq!(
        identity.issuer, world.hostile.issuer,
        "one account for both spellings"
    );
    assert_eq!(identity.hosted_domain.as_deref(), Some("corp.example"));
    for changes in [json!({}), json!({"hd": "evil.example"})] {
        assert_eq!(reason(world.login(&changes).await), "hosted_domain_refused");
    }
}
