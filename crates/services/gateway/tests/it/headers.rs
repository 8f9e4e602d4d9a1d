use crate::world::World;

const SEND: &str = "/v1/conversations/cv_1/messages";

#[tokio::test]
async fn only_listed_headers_reach_a_service() {
    let world = World::start().await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let token = world.agent_token();
    let answer = world
        .ask("GET", "/v1/conversations")
        .bearer(&token)
        .header("x-request-id", "abc-1")
        .header("traceparent", trace)
        .header("accept", "application/json")
        .header("idempotency-key", "k-1")
        .header("cookie", "session=1")
        .header("x-forwarded-for", "10.0.0.1")
        .header("sb-organization-id", "org_00000000000000000000000001")
        .header("x-b3-traceid", "1")
        .header("grpc-timeout", "1n")
        .header("last-event-id", "9")
        .answer()
        .await;
    assert_eq!(answer.status, 200);
    let seen = &world.script.seen_of("ListConversations")[0];
    assert_eq!(
        seen.header("authorization"),
        Some(&*format!("Bearer {token}"))
    );
    assert_eq!(seen.header("x-request-id"), Some("abc-1"));
    assert_eq!(seen.header("idempotency-key"), Some("k-1"));
    assert_eq!(seen.header("accept"), Some("application/json"));
    assert!(
        seen.header("traceparent")
            .is_some_and(|sent| sent[3..35] == trace[3..35])
    );
    for kept in [
        "cookie",
        "x-forwarded-for",
        "sb-organization-id",
        "x-b3-traceid",
        "last-event-id",
    ] {
        assert_eq!(seen.header(kept), None, "{kept} crossed the border");
    }
}

#[tokio::test]
async fn only_listed_metadata_reaches_the_caller() {
    let world = World::start().await;
    world.script.answer_with(&[
        ("etag", "\"7\""),
        ("idempotent-replayed", "true"),
        ("x-database-host", "10.0.0.9"),
        ("set-cookie", "a=b"),
        ("server", "tonic"),
    ]);
    let answer = world.agent("GET", "/v1/conversations").answer().await;
    assert_eq!(answer.header("etag"), Some("\"7\""));
    assert_eq!(answer.header("idempotent-replayed"), Some("true"));
    for kept in ["x-database-host", "set-cookie", "server", "grpc-status"] {
        assert_eq!(answer.header(kept), None, "{kept} crossed the border");
    }
    // Also beside an error.
    world
        .script
        .refuse(errors::status_of(&errors::codes::NOT_FOUND));
    let refused = world.agent("GET", "/v1/conversations").answer().await;
    refused.problem(404, "not_found");
    assert_eq!(refused.header("x-database-host"), None);
}

#[tokio::test]
async fn an_idempotency_key_is_passed_on() {
    let world = World::start().await;
    let answer = world
        .agent("POST", SEND)
        .header("idempotency-key", "order-17")
        .json(r#"{"content":{"text":{"body":"hi"}}}"#)
        .answer()
        .await;
    assert_eq!(answer.status, 200);
    let seen = &world.script.seen_of("SendMessage")[0];
    assert_eq!(seen.header("idempotency-key"), Some("order-17"));
    assert!(seen.request.contains("cv_1"), "{}", seen.request);
}

#[tokio::test]
async fn a_bad_idempotency_key_reaches_no_service() {
    let world = World::start().await;
    for bad in ["", "a b", &"k".repeat(256)] {
        let answer = world
            .agent("POST", SEND)
            .header("idempotency-key", bad)
            .json("{}")
            .answer()
            .await;
        let problem = answer.problem(400, "request.malformed");
        assert_eq!(problem["errors"][0]["field"], "Idempotency-Key");
    }
    assert!(world.script.seen_of("SendMessage").is_empty());
}

#[tokio::test]
async fn a_request_id_comes_back_or_is_made() {
    let world = World::start().await;
    let named = world
        .agent("GET", "/v1/me")
        .header("x-request-id", "mine-1")
        .answer()
        .await;
    assert_eq!(named.header("x-request-id"), Some("mine-1"));
    let made = world.agent("GET", "/v1/me").answer().await;
    let id = made.header("x-request-id").expect("an id");
    let seen = world.script.seen_of("GetCaller");
    assert_eq!(seen[1].header("x-request-id"), Some(id));
    // One that would break a log line is replaced, everywhere.
    let forged = world
        .agent("GET", "/v1/me")
        .header("x-request-id", "a\" b")
        .answer()
        .await;
    assert_ne!(forged.header("x-request-id"), Some("a\" b"));
}
