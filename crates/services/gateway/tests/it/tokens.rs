use std::time::Duration;

use auth::{Role, TokenKey};
use secrecy::ExposeSecret;

use crate::{services::user, world::World};

const LIST: &str = "/v1/conversations";

#[tokio::test]
async fn a_valid_token_is_passed_on_as_it_is() {
    let world = World::start().await;
    let token = world.agent_token();
    for _ in 0..3 {
        let answer = world.ask("GET", LIST).bearer(&token).answer().await;
        assert_eq!(answer.status, 200);
    }
    for seen in world.script.seen_of("ListConversations") {
        assert_eq!(
            seen.header("authorization"),
            Some(&*format!("Bearer {token}"))
        );
    }
    assert_eq!(world.script.seen_of("GetJwks").len(), 1);
}

#[tokio::test]
async fn a_token_stops_working_when_it_expires_also_if_it_is_remembered() {
    let world = World::start().await;
    let token = world.agent_token();
    assert_eq!(
        world.ask("GET", LIST).bearer(&token).answer().await.status,
        200
    );
    world.hand.advance(Duration::from_secs(306));
    let answer = world.ask("GET", LIST).bearer(&token).answer().await;
    answer.problem(401, "auth.token_expired");
    let challenge = answer.header("www-authenticate").expect("a challenge");
    assert!(challenge.contains("invalid_token"), "{challenge}");
}

#[tokio::test]
async fn tokens_of_others_are_refused_and_nothing_is_called() {
    let world = World::start().await;
    let stranger = TokenKey::generate()
        .sign(
            &user(Role::Owner),
            world.script.clock.now(),
            Duration::from_mins(1),
        )
        .expect("a token")
        .expose_secret()
        .to_owned();
    let good = world.agent_token();
    let cut = &good[..good.len() - 4];
    for bad in [stranger.as_str(), cut, "abc", "a.b.c", &"x".repeat(10_000)] {
        let answer = world.ask("GET", LIST).bearer(bad).answer().await;
        let problem = answer.problem(401, "auth.unauthenticated");
        assert!(!problem.to_string().contains("signature"), "{problem}");
    }
    for malformed in ["Basic YTpi", "Bearer", "Bearer a b", &good] {
        let answer = world
            .ask("GET", LIST)
            .header("authorization", malformed)
            .answer()
            .await;
        answer.problem(401, "auth.unauthenticated");
    }
    let twice = world
        .ask("GET", LIST)
        .bearer(&good)
        .bearer(&good)
        .answer()
        .await;
    twice.problem(401, "auth.unauthenticated");
    assert!(world.script.seen_of("ListConversations").is_empty());
}

#[tokio::test]
async fn a_role_that_does_not_allow_it_is_forbidden() {
    let world = World::start().await;
    let viewer = world.script.token(&user(Role::Viewer));
    assert_eq!(
        world.ask("GET", LIST).bearer(&viewer).answer().await.status,
        200
    );
    let answer = world
        .ask("POST", "/v1/conversations/cv_1/messages")
        .bearer(&viewer)
        .json(r#"{"content":{"text":{"body":"hi"}}}"#)
        .answer()
        .await;
    let problem = answer.problem(403, "auth.forbidden");
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|text| text.contains("messages.send"))
    );
    assert!(world.script.seen_of("SendMessage").is_empty());
}

#[tokio::test]
async fn a_public_operation_does_not_look_at_credentials() {
    let world = World::start().await;
    let answer = world
        .ask("POST", "/v1/sessions/refresh")
        .bearer("expired-or-nonsense")
        .json(r#"{"refreshToken":"r"}"#)
        .answer()
        .await;
    assert_eq!(answer.status, 200);
    let seen = &world.script.seen_of("RefreshSession")[0];
    assert_eq!(seen.header("authorization"), None);
}

#[tokio::test]
async fn without_the_signing_keys_callers_are_asked_to_come_back() {
    // Nobody listens there.
    let nowhere = chassis::ChannelConfig::to("http://127.0.0.1:1");
    let world = World::with(|config| config.identity = nowhere).await;
    let answer = world.agent("GET", LIST).answer().await;
    answer.problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn a_revoked_session_is_refused_within_a_second_also_if_its_token_is_remembered() {
    let world = World::start().await;
    let person = user(Role::Agent);
    let token = world
        .script
        .key
        .sign(&person, world.script.clock.now(), auth::LIFETIME);
    let token = token.expect("a token").expose_secret().to_owned();
    let ask = async || world.ask("GET", LIST).bearer(&token).answer().await;
    assert_eq!(ask().await.status, 200);
    world.script.revoke(&person);
    world.hand.advance(Duration::from_millis(900));
    ask().await.problem(401, "auth.revoked");
    assert_eq!(world.script.seen_of("ListConversations").len(), 1);
}
