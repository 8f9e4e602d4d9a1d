//! What services are told about where a call comes from.

use crate::{services::Seen, world::World};

const LIST: &str = "/v1/conversations";

fn told(seen: &Seen) -> (Option<&str>, Option<&str>) {
    let of = |name| seen.header(name);
    (
        of(auth::metadata::CLIENT_ADDRESS),
        of(auth::metadata::CLIENT_AGENT),
    )
}

#[tokio::test]
async fn the_peer_is_the_caller_whatever_it_says_of_itself() {
    let world = World::start().await;
    world
        .agent("GET", LIST)
        .from("203.0.113.7:4711")
        .header("user-agent", "Firefox/1")
        .header("x-forwarded-for", "198.51.100.1")
        .header(auth::metadata::CLIENT_ADDRESS, "198.51.100.2")
        .header(auth::metadata::CLIENT_AGENT, "forged")
        .answer()
        .await;
    let seen = world.script.seen_of("ListConversations");
    assert_eq!(told(&seen[0]), (Some("203.0.113.7"), Some("Firefox/1")));
}

#[tokio::test]
async fn without_a_peer_nothing_from_outside_takes_its_place() {
    let world = World::start().await;
    world
        .agent("GET", LIST)
        .header("x-forwarded-for", "198.51.100.1")
        .header(auth::metadata::CLIENT_ADDRESS, "198.51.100.2")
        .header(auth::metadata::CLIENT_AGENT, "forged")
        .answer()
        .await;
    let seen = world.script.seen_of("ListConversations");
    assert_eq!(told(&seen[0]), (None, None));
}

#[tokio::test]
async fn a_proxy_of_ours_is_believed_also_for_public_calls_and_streams() {
    let world = World::with(|config| {
        config.api.trusted_proxies = vec!["10.0.0.0/8".parse().expect("a network")];
    })
    .await;
    let forwarded = "192.0.2.66, 198.51.100.1, 10.0.0.2";
    world
        .ask("POST", "/v1/sessions")
        .from("10.0.0.1:1")
        .header("x-forwarded-for", forwarded)
        .json(r#"{"email":"a@b.de","password":"x"}"#)
        .answer()
        .await;
    drop(
        world
            .agent("GET", "/v1/events")
            .from("10.0.0.1:1")
            .header("x-forwarded-for", forwarded)
            .send()
            .await,
    );
    for method in ["LogIn", "WatchEvents"] {
        let seen = world.script.seen_of(method);
        assert_eq!(told(&seen[0]).0, Some("198.51.100.1"), "{method}");
    }
}

#[tokio::test]
async fn a_long_agent_is_cut_and_a_strange_one_left_out() {
    let world = World::start().await;
    for (sent, expected) in [
        ("a".repeat(1_000), Some("a".repeat(256))),
        ("bröwser".to_owned(), None),
    ] {
        let answer = world
            .agent("GET", LIST)
            .header("user-agent", &sent)
            .answer()
            .await;
        assert_eq!(answer.status, 200);
        let seen = world.script.seen_of("ListConversations");
        let last = seen.last().expect("a call");
        assert_eq!(told(last).1, expected.as_deref());
    }
}
