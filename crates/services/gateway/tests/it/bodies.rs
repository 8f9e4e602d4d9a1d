use axum::body::Body;
use bytes::Bytes;

use crate::world::World;

const SEND: &str = "/v1/conversations/cv_1/messages";

#[tokio::test]
async fn json_that_breaks_off_names_the_field() {
    let world = World::start().await;
    let answer = world
        .agent("POST", SEND)
        .json(r#"{"content":{"text":{"body":"hel"#)
        .answer()
        .await;
    let problem = answer.problem(400, "request.malformed");
    assert_eq!(problem["errors"][0]["field"], "content.text.body");
    assert!(world.script.seen_of("SendMessage").is_empty());
}

#[tokio::test]
async fn an_unknown_field_is_refused_by_name() {
    let world = World::start().await;
    for (body, field) in [
        (r#"{"nonsense":1}"#, "nonsense"),
        (
            r#"{"content":{"text":{"boddy":"x"}}}"#,
            "content.text.boddy",
        ),
    ] {
        let answer = world.agent("POST", SEND).json(body).answer().await;
        let problem = answer.problem(400, "request.malformed");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        let message = problem["errors"][0]["message"].as_str().expect("words");
        assert!(message.contains("no such field"), "{message}");
    }
}

#[tokio::test]
async fn a_value_of_the_wrong_type_names_the_field() {
    let world = World::start().await;
    let answer = world
        .agent("POST", SEND)
        .json("{\"content\":\n {\"text\": {\"body\": 5}}}")
        .answer()
        .await;
    let problem = answer.problem(400, "request.malformed");
    assert_eq!(problem["errors"][0]["field"], "content.text.body");
    assert_eq!(
        problem["errors"][0]["message"],
        "Expected a string, not a number."
    );

    for (body, shown) in [("[]", "list"), ("null", "null"), ("7", "number")] {
        let answer = world.agent("POST", SEND).json(body).answer().await;
        let problem = answer.problem(400, "request.malformed");
        let detail = problem["detail"].as_str().expect("words");
        assert!(detail.contains(shown), "{body}: {detail}");
        assert!(!detail.contains("switchboard."), "{detail}");
    }
}

#[tokio::test]
async fn an_enum_value_that_does_not_exist_is_named() {
    let world = World::start().await;
    let admin = world
        .script
        .token(&crate::services::user(auth::Role::Admin));
    let answer = world
        .ask("POST", "/v1/api-keys")
        .bearer(&admin)
        .json(r#"{"name":"x","role":"ROLE_KING"}"#)
        .answer()
        .await;
    let problem = answer.problem(400, "request.malformed");
    assert_eq!(problem["errors"][0]["field"], "role");
    let message = problem["errors"][0]["message"].as_str().expect("words");
    assert!(message.contains("ROLE_OWNER"), "{message}");
}

#[tokio::test]
async fn a_wrong_query_parameter_is_named() {
    let world = World::start().await;
    for (query, field) in [
        ("pageSize=many", "pageSize"),
        ("page_token=x&pageSize=-1", "pageSize"),
        ("limit=5", "limit"),
        ("pageSize=1&status=SOMETHING", "status"),
        ("pageSize=1&page_size=2", "pageSize"),
    ] {
        let path = format!("/v1/conversations?{query}");
        let answer = world.agent("GET", &path).answer().await;
        let problem = answer.problem(400, "request.malformed");
        assert_eq!(problem["errors"][0]["field"], field, "{query}: {problem}");
    }
    assert!(world.script.seen_of("ListConversations").is_empty());
}

#[tokio::test]
async fn an_address_that_cannot_be_decoded_is_refused() {
    let world = World::start().await;
    let many = "p=1&".repeat(200);
    for path in [
        "/v1/channels/%zz".to_owned(),
        format!("/v1/conversations?{many}"),
    ] {
        let answer = world.agent("GET", &path).answer().await;
        answer.problem(400, "request.malformed");
    }
    assert!(world.script.seen_of("GetChannel").is_empty());
}

#[tokio::test]
async fn a_body_is_blamed_also_beside_good_parameters() {
    let world = World::start().await;
    let path = format!("{SEND}?conversation_id=cv_1");
    let answer = world
        .agent("POST", &path)
        .json(r#"{"content":{"text":{"body":5}}}"#)
        .answer()
        .await;
    let problem = answer.problem(400, "request.malformed");
    assert_eq!(problem["errors"][0]["field"], "content.text.body");
}

#[tokio::test]
async fn good_query_parameters_reach_the_service() {
    let world = World::start().await;
    let path = "/v1/conversations?pageSize=10&page_token=a%2Bb&status=CONVERSATION_STATUS_OPEN";
    assert_eq!(world.agent("GET", path).answer().await.status, 200);
    let seen = world.script.seen_of("ListConversations");
    for part in ["page_size: 10", r#"page_token: "a+b""#, "status: Open"] {
        assert!(seen[0].request.contains(part), "{}", seen[0].request);
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_however_it_comes() {
    let world = World::with(|config| config.api.max_body_bytes = 100).await;
    let long = format!(r#"{{"content":"{}"}}"#, "x".repeat(200));
    let announced = world
        .agent("POST", SEND)
        .header("content-length", &long.len().to_string())
        .json(&long)
        .answer()
        .await;
    announced.problem(413, "request.too_large");

    let pieces = (0..10).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 50])));
    let pieces = futures::stream::iter(pieces);
    let chunked = world
        .agent("POST", SEND)
        .header("content-type", "application/json")
        .body(Body::from_stream(pieces))
        .answer()
        .await;
    chunked.problem(413, "request.too_large");
    assert!(world.script.seen_of("SendMessage").is_empty());
}

#[tokio::test]
async fn a_body_that_stalls_is_given_up() {
    let world = World::with(|config| config.api.body_timeout_ms = 50).await;
    let stalled = futures::stream::pending::<Result<Bytes, std::io::Error>>();
    let answer = world
        .agent("POST", SEND)
        .header("content-type", "application/json")
        .body(Body::from_stream(stalled))
        .answer()
        .await;
    answer.problem(408, "request.too_slow");
}

#[tokio::test]
async fn only_plain_json_is_read() {
    let world = World::start().await;
    let form = world
        .agent("POST", SEND)
        .header("content-type", "application/x-www-form-urlencoded")
        .body("a=b")
        .answer()
        .await;
    form.problem(415, "request.media_type_unsupported");
    let compressed = world
        .agent("POST", SEND)
        .header("content-encoding", "gzip")
        .json("{}")
        .answer()
        .await;
    compressed.problem(415, "request.media_type_unsupported");
}
