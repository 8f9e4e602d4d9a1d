use std::time::Duration;

use errors::codes;

use crate::world::World;

const LIST: &str = "/v1/conversations";
const KEY: &str = "sbk_live_0123456789";

#[tokio::test]
async fn a_key_is_exchanged_once_and_services_see_a_token() {
    let world = World::start().await;
    world.script.api_key(Some(KEY));
    for _ in 0..5 {
        let answer = world.ask("GET", LIST).bearer(KEY).answer().await;
        assert_eq!(answer.status, 200);
    }
    let exchanges = world.script.seen_of("ExchangeApiKey");
    assert_eq!(exchanges.len(), 1);
    // With the gateway's own token: the access layer in front of identity lets nobody else in.
    assert!(exchanges[0].header("authorization").is_some());
    for seen in world.script.seen_of("ListConversations") {
        let sent = seen.header("authorization").expect("a token");
        assert!(!sent.contains("sbk_"), "the key itself was passed on");
    }
}

#[tokio::test]
async fn requests_that_come_together_wait_for_one_exchange() {
    let world = World::start().await;
    world.script.api_key(Some(KEY));
    let asks = (0..20).map(|_| world.ask("GET", LIST).bearer(KEY).answer());
    for answer in futures::future::join_all(asks).await {
        assert_eq!(answer.status, 200);
    }
    assert_eq!(world.script.seen_of("ExchangeApiKey").len(), 1);
}

#[tokio::test]
async fn a_revoked_key_stops_working_within_the_time_promised() {
    let world = World::with(|config| config.credentials.api_key_ttl_ms = 30_000).await;
    world.script.api_key(Some(KEY));
    assert_eq!(
        world.ask("GET", LIST).bearer(KEY).answer().await.status,
        200
    );
    world.script.api_key(None);
    world.hand.advance(Duration::from_secs(30));
    let answer = world.ask("GET", LIST).bearer(KEY).answer().await;
    answer.problem(401, "auth.unauthenticated");
}

#[tokio::test]
async fn a_wrong_key_is_refused_without_asking_identity_each_time() {
    let world = World::start().await;
    for _ in 0..3 {
        let answer = world.ask("GET", LIST).bearer("sbk_wrong").answer().await;
        answer.problem(401, "auth.unauthenticated");
    }
    assert_eq!(world.script.seen_of("ExchangeApiKey").len(), 1);
    // A key that is created later is not kept out for long.
    world.script.api_key(Some("sbk_wrong"));
    world.hand.advance(Duration::from_secs(5));
    let answer = world.ask("GET", LIST).bearer("sbk_wrong").answer().await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn identity_failing_says_nothing_about_the_key() {
    let world = World::start().await;
    world.script.api_key(Some(KEY));
    for refusal in [
        &codes::UNAVAILABLE,
        // Of the gateway's own token.
        &codes::AUTH_UNAUTHENTICATED,
        &codes::AUTH_FORBIDDEN,
        &codes::NOT_FOUND,
    ] {
        world.script.refuse(errors::status_of(refusal));
        let answer = world.ask("GET", LIST).bearer(KEY).answer().await;
        answer.problem(503, "unavailable");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    let answer = world.ask("GET", LIST).bearer(KEY).answer().await;
    assert_eq!(answer.status, 200);
    // Only a refusal of the gateway's own token makes it ask for another one.
    assert_eq!(world.script.seen_of("IssueServiceToken").len(), 2);
}

#[tokio::test]
async fn what_identity_said_of_a_key_holds_for_one_address() {
    let world = World::start().await;
    world.script.api_key(Some(KEY));
    let from = async |peer: &str| {
        let ask = world.ask("GET", LIST).bearer(KEY).from(peer);
        ask.answer().await.status
    };
    assert_eq!(from("203.0.113.7:1").await, 200);
    assert_eq!(from("203.0.113.7:2").await, 200);
    let exchanges = world.script.seen_of("ExchangeApiKey");
    assert_eq!(exchanges.len(), 1);
    assert!(
        exchanges[0].request.contains("203.0.113.7"),
        "{}",
        exchanges[0].request
    );
    // Identity refuses it from elsewhere, and the neighbour's good answer does not help.
    world
        .script
        .refuse(errors::status_of(&codes::AUTH_API_KEY_INVALID));
    assert_eq!(from("203.0.113.8:1").await, 401);
    assert_eq!(from("203.0.113.7:3").await, 200);
    assert_eq!(world.script.seen_of("ExchangeApiKey").len(), 2);
}
