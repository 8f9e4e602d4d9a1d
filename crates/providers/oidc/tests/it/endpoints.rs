//! Endpoints that are too large, too slow, or elsewhere.

use std::{io, net::IpAddr, pin::Pin, sync::Arc, time::Duration};

use clock::Clock;
use oidc::{Client, Config, Endpoint, Limits, Refusal, SetupFault, Trouble};
use outbound::guard::{Lookup, Refused};
use serde_json::json;
use url::Url;

use crate::{
    forge::changed,
    hostile::{Answer, DISCOVERY, KEYS, TOKEN, USERINFO},
    world::{REDIRECT, World, client, config, now},
};

/// What a misbehaving endpoint answers, and what is said of it.
fn misbehaviours(world: &World, limit: usize) -> Vec<(Answer, Trouble)> {
    let elsewhere = format!("{}/elsewhere", world.hostile.issuer);
    vec![
        (Answer::Huge, Trouble::TooLarge(limit)),
        (Answer::Silence, Trouble::TooSlow),
        (Answer::Trickle, Trouble::TooSlow),
        (Answer::Redirect(elsewhere), Trouble::Redirected),
        (Answer::Status(500), Trouble::Status(500)),
        (Answer::Text("<html>"), Trouble::Unreadable),
    ]
}

/// A world whose patience is short enough to wait for.
async fn impatient() -> World {
    let mut world = World::new().await;
    world.client = client(Config {
        limits: Limits {
            deadline: Duration::from_millis(400),
            ..Limits::default()
        },
        ..config(&[world.hostile.port])
    });
    world
}

#[tokio::test]
async fn discovery_gives_up_on_misbehaving_endpoints() {
    let world = impatient().await;
    let limit = Limits::default().document_bytes;
    for (path, endpoint) in [(DISCOVERY, Endpoint::Discovery), (KEYS, Endpoint::Keys)] {
        let document = Answer::Json(world.hostile.document());
        world.hostile.answer(DISCOVERY, document);
        for (answer, trouble) in misbehaviours(&world, limit) {
            world.hostile.answer(path, answer);
            let discover = world
                .client
                .discover(world.connection, &world.settings, now());
            let faults = discover.await.expect_err("faults");
            // A text is no key set, and that is said more exactly.
            let expected = if (endpoint, &trouble) == (Endpoint::Keys, &Trouble::Unreadable) {
                SetupFault::KeysInvalid
            } else {
                SetupFault::Unreadable { endpoint, trouble }
            };
            assert_eq!(faults.all(), [expected]);
        }
    }
    assert!(world.hostile.received("/elsewhere").is_empty());
}

#[tokio::test]
async fn a_login_gives_up_on_misbehaving_endpoints() {
    let mut world = impatient().await;
    world.settings.userinfo = true;
    let limit = Limits::default().answer_bytes;
    for (answer, trouble) in misbehaviours(&world, limit) {
        world.hostile.answer(TOKEN, answer);
        let (provider, begun) = world.begin().await;
        let callback = World::callback(&begun);
        let finish = world
            .client
            .finish(&provider, begun.pending, callback, now());
        let refusal = finish.await.expect_err("refused");
        let endpoint = Endpoint::Token;
        assert_eq!(refusal, Refusal::ProviderFailed { endpoint, trouble });
    }
    for (answer, trouble) in misbehaviours(&world, limit) {
        world.hostile.answer(USERINFO, answer);
        let refusal = world.login(&json!({"email": null})).await;
        let refusal = refusal.expect_err("refused");
        let endpoint = Endpoint::Userinfo;
        assert_eq!(refusal, Refusal::ProviderFailed { endpoint, trouble });
    }
    assert!(world.hostile.received("/elsewhere").is_empty());
}

#[tokio::test]
async fn an_exchange_is_never_repeated() {
    let world = World::new().await;
    world.hostile.answer(TOKEN, Answer::Status(503));
    let (provider, begun) = world.begin().await;
    let callback = World::callback(&begun);
    let finish = world
        .client
        .finish(&provider, begun.pending, callback, now());
    assert!(finish.await.expect_err("refused").is_passing());
    assert_eq!(world.hostile.received(TOKEN).len(), 1);
}

/// Every name leads into a private network.
#[derive(Debug)]
struct Inside;

impl Lookup for Inside {
    fn lookup(
        &self,
        _host: String,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + '_>> {
        Box::pin(async { Ok(vec![IpAddr::from([192, 168, 0, 1])]) })
    }
}

#[tokio::test]
async fn an_endpoint_whose_name_leads_inside_is_not_called() {
    // Names in the document are looked up when they are called, not when the settings are saved.
    let world = World::new().await;
    let inside = json!({"token_endpoint": "https://token.example/"});
    let document = changed(world.hostile.document(), &inside);
    world.hostile.answer(DISCOVERY, Answer::Json(document));
    let config = config(&[world.hostile.port, 443]);
    let client = Client::with_lookup(config, Clock::system(), Arc::new(Inside));
    let client = client.expect("a client");
    let provider = client.provider(world.connection, &world.settings, now());
    let provider = provider.await.expect("a provider");
    let redirect = Url::parse(REDIRECT).expect("a URL");
    let begun = client.begin(&provider, redirect, None, now());
    let callback = World::callback(&begun);
    let finish = client.finish(&provider, begun.pending, callback, now());
    let refusal = finish.await.expect_err("refused");
    let trouble = Trouble::Refused(Refused::Address);
    let endpoint = Endpoint::Token;
    assert_eq!(refusal, Refusal::ProviderFailed { endpoint, trouble });
}
