//! What is remembered of a provider, for how long, and for whom.

use chrono::TimeDelta;
use ids::SsoConnectionId;
use oidc::{Identity, Refusal};
use serde_json::json;
use url::Url;

use crate::{
    forge::Key,
    hostile::{Answer, DISCOVERY, KEYS},
    world::{NOW, REDIRECT, World, now, parameter, reason},
};

/// A login some time after the first, with a token signed by this key.
async fn login_after(
    world: &World,
    connection: SsoConnectionId,
    key: &Key,
    after: TimeDelta,
) -> Result<Identity, Refusal> {
    let at = now() + after;
    let provider = world.client.provider(connection, &world.settings, at);
    let provider = provider.await.expect("a provider");
    let redirect = Url::parse(REDIRECT).expect("a URL");
    let begun = world.client.begin(&provider, redirect, None, at);
    let mut claims = world.claims(&parameter(&begun.url, "nonce").expect("a nonce"));
    claims["exp"] = json!(NOW + after.num_seconds() + 300);
    world.issue(&key.sign(&claims));
    let callback = World::callback(&begun);
    let finish = world.client.finish(&provider, begun.pending, callback, at);
    finish.await
}

fn publish(world: &World, keys: &[&Key]) {
    let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
    world
        .hostile
        .answer(KEYS, Answer::Json(json!({ "keys": keys })));
}

#[tokio::test]
async fn a_provider_is_asked_once_an_hour() {
    let world = World::new().await;
    for (minutes, asked) in [(0, 1), (1, 1), (59, 1), (60, 2), (61, 2)] {
        let after = TimeDelta::minutes(minutes);
        let login = login_after(&world, world.connection, &world.key, after);
        login.await.expect("a login");
        assert_eq!(world.hostile.received(DISCOVERY).len(), asked, "{minutes}");
        assert_eq!(world.hostile.received(KEYS).len(), asked, "{minutes}");
    }
}

#[tokio::test]
async fn logins_at_the_same_time_share_one_fetch() {
    let world = World::new().await;
    let many = (0..8).map(|_| world.provider());
    futures::future::join_all(many).await;
    assert_eq!(world.hostile.received(DISCOVERY).len(), 1);
}

#[tokio::test]
async fn a_new_key_is_found_at_the_first_login_that_needs_it() {
    let world = World::new().await;
    let next = Key::new("key-2", 2);
    let login = async |key: &Key, seconds| {
        login_after(&world, world.connection, key, TimeDelta::seconds(seconds)).await
    };
    login(&world.key, 0).await.expect("a login");
    publish(&world, &[&world.key, &next]);
    login(&next, 10).await.expect("a login");
    // Both are known now, until the old one is withdrawn and the hour is over.
    login(&world.key, 11).await.expect("a login");
    assert_eq!(world.hostile.received(KEYS).len(), 2);
    publish(&world, &[&next]);
    assert_eq!(reason(login(&world.key, 3_600).await), "key_unknown");
    login(&next, 3_601).await.expect("a login");
}

#[tokio::test]
async fn logins_under_way_share_a_new_key() {
    let world = World::new().await;
    let next = Key::new("key-2", 2);
    let (first, second) = (world.begin().await, world.begin().await);
    publish(&world, &[&next]);
    for (provider, begun) in [first, second] {
        let claims = world.claims(&parameter(&begun.url, "nonce").expect("a nonce"));
        world.issue(&next.sign(&claims));
        let callback = World::callback(&begun);
        let finish = world
            .client
            .finish(&provider, begun.pending, callback, now());
        finish.await.expect("a login");
    }
    assert_eq!(world.hostile.received(KEYS).len(), 2);
}

#[tokio::test]
async fn unknown_keys_make_one_call_a_minute_at_most() {
    let world = World::new().await;
    let evil = Key::new("evil", 66);
    for (seconds, asked) in [
        (0, 2),
        (1, 2),
        (30, 2),
        (59, 2),
        (60, 3),
        (61, 3),
        (119, 3),
        (120, 4),
    ] {
        let after = TimeDelta::seconds(seconds);
        let login = login_after(&world, world.connection, &evil, after).await;
        assert_eq!(reason(login), "key_unknown");
        assert_eq!(world.hostile.received(KEYS).len(), asked, "{seconds}");
    }
    // They don't make the document any younger either.
    let after = TimeDelta::minutes(60);
    let login = login_after(&world, world.connection, &world.key, after);
    login.await.expect("a login");
    assert_eq!(world.hostile.received(DISCOVERY).len(), 2);
}

#[tokio::test]
async fn a_key_set_that_turns_bad_changes_nothing() {
    let world = World::new().await;
    let evil = Key::new("evil", 66);
    let login = async |key: &Key, seconds| {
        login_after(&world, world.connection, key, TimeDelta::seconds(seconds)).await
    };
    login(&world.key, 0).await.expect("a login");
    let keys = json!({"keys": [evil.jwk(), {"kty": "oct", "k": "c2VjcmV0"}]});
    world.hostile.answer(KEYS, Answer::Json(keys));
    assert_eq!(reason(login(&evil, 1).await), "key_unknown");
    login(&world.key, 2).await.expect("a login");
}

#[tokio::test]
async fn a_provider_that_is_away_is_still_known_for_a_day() {
    let world = World::new().await;
    let login = async |hours| {
        let after = TimeDelta::hours(hours);
        login_after(&world, world.connection, &world.key, after).await
    };
    login(0).await.expect("a login");
    world.hostile.answer(DISCOVERY, Answer::Status(503));
    login(2).await.expect("a login");
    login(23).await.expect("a login");
    let provider = async |after| {
        let at = now() + after;
        let provider = world.client.provider(world.connection, &world.settings, at);
        provider.await.map(|_| ())
    };
    let day = TimeDelta::hours(24);
    assert!(provider(day).await.expect_err("faults").is_passing());
    // It is not asked again at once.
    let asked = world.hostile.received(DISCOVERY).len();
    let soon = day + TimeDelta::seconds(9);
    provider(soon).await.expect_err("faults");
    assert_eq!(world.hostile.received(DISCOVERY).len(), asked);
    let later = day + TimeDelta::seconds(10);
    world
        .hostile
        .answer(DISCOVERY, Answer::Json(world.hostile.document()));
    provider(later).await.expect("a provider");
}

#[tokio::test]
async fn a_provider_that_becomes_another_is_not_believed() {
    let world = World::new().await;
    world.provider().await;
    let mut document = world.hostile.document();
    document["issuer"] = json!("https://evil.example");
    world.hostile.answer(DISCOVERY, Answer::Json(document));
    let at = now() + TimeDelta::hours(2);
    let provider = world.client.provider(world.connection, &world.settings, at);
    assert!(!provider.await.expect_err("faults").is_passing());
}

#[tokio::test]
async fn changed_settings_are_checked_at_once() {
    let mut world = World::new().await;
    world.provider().await;
    let issuer = std::mem::replace(&mut world.settings.issuer, "https://x.invalid".to_owned());
    let provider = world
        .client
        .provider(world.connection, &world.settings, now());
    provider.await.expect_err("another issuer");
    world.settings.issuer = issuer;
    world.provider().await;
    assert_eq!(world.hostile.received(DISCOVERY).len(), 1);
}

#[tokio::test]
async fn tenants_share_nothing_even_at_the_same_issuer() {
    let world = World::new().await;
    let (first, second) = (world.connection, SsoConnectionId::generate());
    let poison = Key::new("poison", 66);
    let at_once = TimeDelta::zero();
    publish(&world, &[&poison]);
    let login = login_after(&world, first, &poison, at_once).await;
    login.expect("a login");
    // What the issuer published to the first connection is not believed of the second's.
    publish(&world, &[&world.key]);
    let login = login_after(&world, second, &world.key, at_once).await;
    login.expect("a login");
    let login = login_after(&world, second, &poison, at_once).await;
    assert_eq!(reason(login), "key_unknown");
    let login = login_after(&world, first, &poison, at_once).await;
    login.expect("a login");
    assert_eq!(world.hostile.received(DISCOVERY).len(), 2);
}

#[tokio::test]
async fn what_is_saved_is_fetched_again_and_forgotten_with_the_connection() {
    let world = World::new().await;
    let discover = || {
        world
            .client
            .discover(world.connection, &world.settings, now())
    };
    discover().await.expect("a provider");
    discover().await.expect("a provider");
    world.provider().await;
    assert_eq!(world.hostile.received(DISCOVERY).len(), 2);
    world.client.forget(world.connection).await;
    world.provider().await;
    assert_eq!(world.hostile.received(DISCOVERY).len(), 3);
}
