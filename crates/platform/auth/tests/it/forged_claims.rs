//! J-06 to J-08: claims that a signer of ours would never make, in tokens that are signed all the same.

use errors::Classify;
use serde_json::{Value, json};

use crate::world::{NOW, World, assert_refused, claims};

/// J-06.
#[tokio::test]
async fn a_token_of_or_for_somebody_else_is_refused() {
    let world = World::new();
    let cases = [
        ("aud", json!("billing")),
        ("aud", json!(["switchboard"])),
        ("aud", json!(["switchboard", "other"])),
        ("aud", json!([])),
        ("aud", json!("")),
        ("aud", Value::Null),
        ("iss", json!("https://attacker.example")),
        ("iss", json!("")),
        ("iss", json!("switchboard-identity/")),
    ];
    for (name, value) in cases {
        let mut spoiled = claims();
        spoiled[name] = value.clone();
        let token = world.signed(&world.header().to_string(), &spoiled.to_string());
        assert_refused(&world, &token, &format!("{name} = {value}")).await;
    }
    for typ in ["JWT", "jwt", "id+jwt", "AT+JWT", "application/at+jwt", ""] {
        let mut header = world.header();
        header["typ"] = json!(typ);
        assert_refused(
            &world,
            &world.signed(&header.to_string(), &claims().to_string()),
            typ,
        )
        .await;
    }
}

/// J-07 (CVE-2026-25537: a claim of the wrong type counted as absent).
#[tokio::test]
async fn times_are_integers_and_present() {
    let world = World::new();
    let wrong = [
        json!((NOW + 100).to_string()),
        json!(1_760_000_100.5),
        json!(1e30),
        json!(-1),
        json!(0),
        json!(u64::MAX),
        json!(i64::MAX),
        json!(i64::MIN),
        Value::Null,
        json!(true),
        json!([NOW + 100]),
        json!({}),
    ];
    for name in ["exp", "iat", "nbf"] {
        for value in &wrong {
            let mut spoiled = claims();
            spoiled[name] = value.clone();
            let token = world.signed(&world.header().to_string(), &spoiled.to_string());
            let refused = world.verify(&token).await;
            // An early `iat` makes the life too long; an early `nbf` is in order; an early `exp` has passed.
            let harmless = name == "nbf" && (*value == json!(0) || *value == json!(-1));
            assert_eq!(refused.is_ok(), harmless, "{name} = {value}");
        }
        let mut missing = claims();
        missing.as_object_mut().unwrap().remove(name);
        assert_refused(
            &world,
            &world.signed(&world.header().to_string(), &missing.to_string()),
            name,
        )
        .await;
    }
    // 1e3 is an integer in value and not in form.
    let text = claims()
        .to_string()
        .replace(&format!("{}", NOW + 300), "1.7600003e9");
    assert_refused(
        &world,
        &world.signed(&world.header().to_string(), &text),
        "exponent",
    )
    .await;
}

/// J-08.
#[tokio::test]
async fn a_token_from_the_future_or_for_a_year_is_refused() {
    let world = World::new();
    let with = |iat: i64, nbf: i64, exp: i64| {
        let mut claims = claims();
        claims["iat"] = json!(iat);
        claims["ims"] = json!(iat * 1_000);
        claims["nbf"] = json!(nbf);
        claims["exp"] = json!(exp);
        world.signed(&world.header().to_string(), &claims.to_string())
    };
    assert!(
        world
            .verify(&with(NOW + 5, NOW + 5, NOW + 305))
            .await
            .is_ok(),
        "clocks differ"
    );
    assert_refused(&world, &with(NOW + 6, NOW, NOW + 300), "iat in the future").await;
    assert_refused(&world, &with(NOW, NOW + 6, NOW + 300), "nbf in the future").await;
    assert_refused(&world, &with(NOW, NOW, NOW + 301), "lives too long").await;
    let expired = world
        .verify(&with(NOW - 300, NOW - 300, NOW - 5))
        .await
        .unwrap_err();
    assert_eq!(expired.code().id, "auth.token_expired");
    let mut two_times = claims();
    two_times["ims"] = json!((NOW + 1) * 1_000);
    let token = world.signed(&world.header().to_string(), &two_times.to_string());
    assert_refused(&world, &token, "ims is another second than iat").await;
}

/// The claims must be those of one kind of caller.
#[tokio::test]
async fn claims_that_fit_no_kind_of_caller_are_refused() {
    let world = World::new();
    let cases = [
        ("kind", json!("service")),
        ("kind", json!("api_key")),
        ("kind", json!("root")),
        ("kind", Value::Null),
        ("role", json!("superuser")),
        ("role", Value::Null),
        ("org", Value::Null),
        ("org", json!("org_x")),
        ("sid", Value::Null),
        ("sub", json!("key_00000000000000000000000000")),
        ("sub", json!("")),
        ("scopes", json!("messages.send")),
    ];
    for (name, value) in cases {
        let mut spoiled = claims();
        spoiled[name] = value.clone();
        let token = world.signed(&world.header().to_string(), &spoiled.to_string());
        assert_refused(&world, &token, &format!("{name} = {value}")).await;
    }
}
