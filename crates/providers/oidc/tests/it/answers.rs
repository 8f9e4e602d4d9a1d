//! What comes back through the browser.

use chrono::TimeDelta;
use ids::SsoConnectionId;
use oidc::{Callback, Endpoint, Refusal, Trouble};
use serde_json::json;
use url::Url;

use crate::{
    forge::changed,
    hostile::{Answer, DISCOVERY, TOKEN},
    world::{REDIRECT, World, altered, copied, now, parameter, reason},
};

#[tokio::test]
async fn every_login_has_secrets_of_its_own_and_always_pkce() {
    let world = World::new().await;
    let (_, first) = world.begin().await;
    let (_, second) = world.begin().await;
    for name in ["state", "nonce", "code_challenge"] {
        let one = parameter(&first.url, name).expect("present");
        // 256 bits in base64.
        assert_eq!(one.len(), 43, "{name}");
        assert_ne!(Some(one), parameter(&second.url, name), "{name}");
    }
    let fixed = |name| parameter(&first.url, name).expect("present");
    assert_eq!(fixed("code_challenge_method"), "S256");
    assert_eq!(fixed("response_type"), "code");
    assert_eq!(fixed("client_id"), "us");
    assert_eq!(fixed("redirect_uri"), REDIRECT);
    assert_eq!(fixed("scope"), "openid email profile");
    assert!(first.url.as_str().starts_with(&world.hostile.issuer));
}

#[tokio::test]
async fn the_code_goes_with_its_proof_and_our_credentials_to_the_token_endpoint() {
    let world = World::new().await;
    let (provider, begun) = world.begin().await;
    let callback = World::callback(&begun);
    let stored = serde_json::to_value(&begun.pending).expect("it can be stored");
    let finish = world
        .client
        .finish(&provider, begun.pending, callback, now());
    // Nothing is answered yet: only what was asked matters.
    finish.await.expect_err("no token");
    let asked = world.hostile.received(TOKEN).remove(0);
    assert_eq!(asked.form["grant_type"], "authorization_code");
    assert_eq!(asked.form["code"], "code-1");
    assert_eq!(asked.form["redirect_uri"], REDIRECT);
    assert_eq!(asked.form["code_verifier"], stored["pkce_verifier"]);
    // RFC 6749 section 2.3.1: encoded as in a form before it is encoded again.
    let basic = "Basic dXM6YStzZWNyZXQrJTJGK29mK291cnM=";
    assert_eq!(asked.headers["authorization"], basic);
    assert!(!asked.form.contains_key("client_secret"));
}

#[tokio::test]
async fn the_credentials_go_as_the_provider_wants_them() {
    let mut world = World::new().await;
    let methods = json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]});
    let document = changed(world.hostile.document(), &methods);
    world.hostile.answer(DISCOVERY, Answer::Json(document));
    assert_eq!(
        reason(world.login_with(|_| String::new()).await),
        "id_token_malformed"
    );
    let asked = world.hostile.received(TOKEN).remove(0);
    assert_eq!(asked.form["client_secret"], crate::world::SECRET);
    assert!(!asked.headers.contains_key("authorization"));

    world.settings.client_secret = None;
    assert_eq!(
        reason(world.login_with(|_| String::new()).await),
        "id_token_malformed"
    );
    let asked = world.hostile.received(TOKEN).remove(1);
    assert_eq!(asked.form["client_id"], "us");
    assert!(!asked.form.contains_key("client_secret"));
    assert!(!asked.headers.contains_key("authorization"));
}

#[tokio::test]
async fn an_answer_without_the_right_state_goes_no_further() {
    let world = World::new().await;
    let (provider, begun) = world.begin().await;
    let (_, other) = world.begin().await;
    let state = parameter(&begun.url, "state").expect("a state");
    for (sent, refusal) in [
        (None, "state_missing"),
        (Some(String::new()), "state_mismatch"),
        (Some("forged".to_owned()), "state_mismatch"),
        (parameter(&other.url, "state"), "state_mismatch"),
        (Some(format!("{state}x")), "state_mismatch"),
        (Some(state.to_uppercase()), "state_mismatch"),
    ] {
        let callback = Callback {
            state: sent,
            ..World::callback(&begun)
        };
        let pending = copied(&begun.pending);
        let finish = world.client.finish(&provider, pending, callback, now());
        assert_eq!(reason(finish.await), refusal);
    }
    assert!(world.hostile.received(TOKEN).is_empty());
}

#[tokio::test]
async fn a_login_ends_where_and_while_it_began() {
    let world = World::new().await;
    let (provider, begun) = world.begin().await;
    let finish = async |pending, at| {
        let callback = World::callback(&begun);
        reason(world.client.finish(&provider, pending, callback, at).await)
    };
    let late = begun.pending.expires_at();
    assert_eq!(finish(copied(&begun.pending), late).await, "login_expired");
    let soon = late - TimeDelta::seconds(1);
    assert_eq!(
        finish(copied(&begun.pending), soon).await,
        "provider_failed"
    );

    let elsewhere = SsoConnectionId::generate().to_string();
    let pending = altered(&begun.pending, "/connection", |at| *at = json!(elsewhere));
    assert_eq!(finish(pending, now()).await, "connection_mismatch");
    let pending = altered(&begun.pending, "/issuer", |at| {
        *at = json!("https://x.example");
    });
    assert_eq!(finish(pending, now()).await, "connection_mismatch");
    assert_eq!(world.hostile.received(TOKEN).len(), 1);
}

#[tokio::test]
async fn the_issuer_in_the_answer_is_the_one_we_went_to() {
    for announced in [false, true] {
        let world = World::new().await;
        let says = json!({"authorization_response_iss_parameter_supported": announced});
        let document = changed(world.hostile.document(), &says);
        world.hostile.answer(DISCOVERY, Answer::Json(document));
        let own = world.hostile.issuer.clone();
        let absent = if announced {
            "issuer_parameter_missing"
        } else {
            "provider_failed"
        };
        for (iss, outcome) in [
            (None, absent),
            (Some(own.clone()), "provider_failed"),
            (Some(format!("{own}/")), "issuer_parameter_mismatch"),
            (Some(String::new()), "issuer_parameter_mismatch"),
            (
                Some("https://evil.example".to_owned()),
                "issuer_parameter_mismatch",
            ),
        ] {
            let (provider, begun) = world.begin().await;
            let callback = Callback {
                iss: iss.clone(),
                ..World::callback(&begun)
            };
            let finish = world
                .client
                .finish(&provider, begun.pending, callback, now());
            assert_eq!(reason(finish.await), outcome, "{announced} {iss:?}");
        }
    }
}

#[tokio::test]
async fn an_error_is_passed_on_in_short_plain_words() {
    let world = World::new().await;
    let (provider, begun) = world.begin().await;
    let callback = Callback {
        code: None,
        error: Some("access_denied".to_owned()),
        error_description: Some(format!("<script>\u{1b}[31m{}", "x".repeat(5_000))),
        ..World::callback(&begun)
    };
    let finish = world
        .client
        .finish(&provider, begun.pending, callback, now());
    let refusal = finish.await.expect_err("refused");
    assert_eq!(refusal.reason(), "denied");
    let text = refusal.to_string();
    assert!(text.contains("access_denied") && text.len() < 200, "{text}");
    assert!(!text.contains('<') && !text.contains('\u{1b}'), "{text}");
    assert!(!format!("{refusal:?}").contains("xxx"));
    assert!(world.hostile.received(TOKEN).is_empty());
}

#[tokio::test]
async fn an_answer_without_a_usable_code_is_refused() {
    let world = World::new().await;
    for code in [None, Some(String::new()), Some("x".repeat(9_000))] {
        let (provider, begun) = world.begin().await;
        let callback = Callback {
            code,
            ..World::callback(&begun)
        };
        let finish = world
            .client
            .finish(&provider, begun.pending, callback, now());
        assert_eq!(reason(finish.await), "code_missing");
    }
    assert!(world.hostile.received(TOKEN).is_empty());
}

#[tokio::test]
async fn what_the_token_endpoint_refuses_is_told_apart() {
    let world = World::new().await;
    let endpoint = Endpoint::Token;
    let says = |error: &str| json!({"error": error, "error_description": "AADSTS1: no"});
    for (answer, passing) in [
        (Answer::Error(400, says("invalid_grant")), false),
        (Answer::Error(401, says("invalid_client")), false),
        (Answer::Error(400, says("a_word_of_their_own")), false),
    ] {
        world.hostile.answer(TOKEN, answer.clone());
        let (provider, begun) = world.begin().await;
        let callback = World::callback(&begun);
        let finish = world
            .client
            .finish(&provider, begun.pending, callback, now());
        let refusal = finish.await.expect_err("refused");
        assert_eq!(refusal.reason(), "code_refused", "{answer:?}");
        assert!(refusal.to_string().contains("AADSTS1: no"), "{refusal}");
        assert_eq!(refusal.is_passing(), passing);
    }
    for (answer, trouble) in [
        (Answer::Error(400, json!("nonsense")), Trouble::Unreadable),
        (
            Answer::Json(json!({"token_type": "Bearer"})),
            Trouble::Unreadable,
        ),
        (
            Answer::Json(json!({"access_token": "a", "token_type": "mac", "id_token": "x"})),
            Trouble::Unreadable,
        ),
        (Answer::Status(503), Trouble::Status(503)),
        (Answer::Status(204), Trouble::Status(204)),
    ] {
        world.hostile.answer(TOKEN, answer.clone());
        let (provider, begun) = world.begin().await;
        let callback = World::callback(&begun);
        let finish = world
            .client
            .finish(&provider, begun.pending, callback, now());
        let refusal = finish.await.expect_err("refused");
        assert_eq!(
            refusal,
            Refusal::ProviderFailed { endpoint, trouble },
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_mixed_up_answer_never_takes_the_code_to_the_attacker() {
    // A person begins at the attacker's provider, which sends the browser on to the honest one
    // with the state of this login. The honest one's answer, with its code, comes to us as the
    // answer of the attacker's.
    let honest = World::new().await;
    let attacker = World::new().await;
    let (provider, begun) = attacker.begin().await;
    let callback = Callback {
        iss: Some(honest.hostile.issuer.clone()),
        ..World::callback(&begun)
    };
    let finish = attacker
        .client
        .finish(&provider, begun.pending, callback, now());
    assert_eq!(reason(finish.await), "issuer_parameter_mismatch");
    assert!(attacker.hostile.received(TOKEN).is_empty());
}

#[tokio::test]
async fn nothing_secret_is_debugged() {
    let world = World::new().await;
    let (provider, begun) = world.begin().await;
    let callback = World::callback(&begun);
    let stored = serde_json::to_value(&begun.pending).expect("it can be stored");
    let debugged = format!(
        "{:?} {callback:?} {provider:?} {:?}",
        begun.pending, world.client
    );
    for name in ["state", "nonce", "pkce_verifier"] {
        let secret = stored[name].as_str().expect("text");
        assert!(!debugged.contains(secret), "{name}: {debugged}");
    }
    assert!(!debugged.contains("code-1") && !debugged.contains(crate::world::SECRET));
}

#[tokio::test]
async fn a_login_hint_is_passed_on_if_it_can_be_one() {
    let world = World::new().await;
    let provider = world.provider().await;
    let begin = |hint: &str| {
        let redirect = Url::parse(REDIRECT).expect("a URL");
        world
            .client
            .begin(&provider, redirect, Some(hint), now())
            .url
    };
    let hint = "ann+x@corp.example&prompt=none";
    assert_eq!(parameter(&begin(hint), "login_hint").as_deref(), Some(hint));
    assert_eq!(parameter(&begin(hint), "prompt"), None);
    assert_eq!(parameter(&begin(&"x".repeat(400)), "login_hint"), None);
}
