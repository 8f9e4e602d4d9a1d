//! `/scim/v2` as a directory sees it.

use errors::codes;
use proto::identity::v1::{ServeScimRequest, ServeScimResponse};
use serde_json::json;

use crate::world::{Answer, World};

const USERS: &str = "/scim/v2/Users";
const JSON: &str = "application/scim+json";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

async fn strict() -> World {
    World::strict(|_| {}).await
}

/// The error document, checked for its form; its detail.
fn refused(answer: &Answer, status: u16) -> String {
    let body = String::from_utf8_lossy(&answer.body);
    assert_eq!(answer.status, status, "{body}");
    assert_eq!(answer.header("content-type"), Some(JSON), "{body}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let document = answer.json();
    assert_eq!(document["schemas"], json!([ERROR]));
    assert_eq!(document["status"], status.to_string());
    let members = document.as_object().expect("a document");
    assert_eq!(members.len(), 3, "{body}");
    document["detail"].as_str().expect("a sentence").to_owned()
}

/// What identity was asked, as it prints.
fn asked(world: &World) -> String {
    let seen = world.script.seen_of("ServeScim");
    seen.last().expect("a call").request.clone()
}

#[tokio::test]
async fn a_request_reaches_identity_as_it_came() {
    let world = World::strict(|config| {
        config.api.public_url = "https://api.example.com/".parse().expect("an address");
    })
    .await;
    world.script.answer_scim(ServeScimResponse {
        status: 204,
        ..ServeScimResponse::default()
    });
    let body = r#"{"Operations":[]}"#;
    let answer = world
        .ask(
            "PATCH",
            "/scim/v2/Users/usr_1?attributes=userName%20active&x=+",
        )
        .bearer("sbd_token")
        .header("if-match", "W/\"3\"")
        .header("if-match", "W/\"4\"")
        .header("content-type", JSON)
        .body(body)
        .answer()
        .await;
    assert_eq!(answer.status, 204);
    let expected = ServeScimRequest {
        token: "sbd_token".to_owned(),
        method: "PATCH".to_owned(),
        path: "/Users/usr_1".to_owned(),
        query: "attributes=userName%20active&x=+".to_owned(),
        body: body.as_bytes().to_vec(),
        if_match: "W/\"3\", W/\"4\"".to_owned(),
        base_url: "https://api.example.com/scim/v2".to_owned(),
    };
    assert_eq!(asked(&world), format!("{expected:?}"));
    let seen = world.script.seen_of("ServeScim");
    let sent = seen[0].header("authorization").expect("our own token");
    assert!(!sent.contains("sbd_token"));
}

#[tokio::test]
async fn identitys_refusals_keep_status_type_and_body() {
    let world = strict().await;
    for status in [400, 401, 403, 404, 405, 409, 412, 413, 501] {
        let body = format!(r#"{{"status":"{status}","scimType":"uniqueness"}}"#);
        world.script.answer_scim(ServeScimResponse {
            status,
            content_type: JSON.to_owned(),
            body: body.clone().into_bytes(),
            ..ServeScimResponse::default()
        });
        let answer = world.ask("POST", USERS).bearer("t").answer().await;
        assert_eq!(u32::from(answer.status), status);
        assert_eq!(answer.header("content-type"), Some(JSON));
        assert_eq!(String::from_utf8_lossy(&answer.body), body);
        let challenge = answer.header("www-authenticate");
        assert_eq!(challenge.is_some(), status == 401, "{status}");
    }
}

#[tokio::test]
async fn a_created_user_has_its_address_and_version() {
    let world = strict().await;
    let location = "https://api.example.com/scim/v2/Users/usr_1";
    world.script.answer_scim(ServeScimResponse {
        status: 201,
        content_type: JSON.to_owned(),
        location: location.to_owned(),
        etag: "W/\"1\"".to_owned(),
        body: b"{}".to_vec(),
    });
    let answer = world
        .ask("POST", USERS)
        .bearer("t")
        .body("{}")
        .answer()
        .await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("location"), Some(location));
    assert_eq!(answer.header("etag"), Some("W/\"1\""));
    assert_eq!(answer.body, b"{}");
}

#[tokio::test]
async fn a_removed_user_has_neither_body_nor_type() {
    let world = strict().await;
    world.script.answer_scim(ServeScimResponse {
        status: 204,
        ..ServeScimResponse::default()
    });
    let answer = world.ask("DELETE", USERS).bearer("t").answer().await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("content-type"), None);
    assert!(answer.body.is_empty());
}

#[tokio::test]
async fn an_identity_that_is_down_is_told_in_scim() {
    let mut world = strict().await;
    world.kill_identity().await;
    let answer = world.ask("GET", USERS).bearer("t").answer().await;
    let detail = refused(&answer, 503);
    assert!(!detail.contains("127.0.0.1"), "{detail}");
    assert_eq!(answer.header("www-authenticate"), None);
}

#[tokio::test]
async fn an_identity_that_does_not_answer_is_told_in_scim() {
    let world = World::strict(|config| {
        config.identity.connect_timeout_ms = 100;
        config.identity.timeout_ms = 100;
    })
    .await;
    world.script.hang();
    let answer = world.ask("GET", USERS).bearer("t").answer().await;
    refused(&answer, 504);
}

#[tokio::test]
async fn a_wait_that_identity_names_is_told_in_scim() {
    let world = strict().await;
    let status = errors::to_status(&crate::failures::Refused(&codes::RATE_LIMITED));
    world.script.refuse(status);
    let answer = world.ask("GET", USERS).bearer("t").answer().await;
    refused(&answer, 429);
    assert_eq!(answer.header("retry-after"), Some("3"));
}

/// A directory that is told 401 is switched off by its makers.
#[tokio::test]
async fn the_gateways_own_token_is_no_business_of_the_directory() {
    let world = strict().await;
    for code in [&codes::AUTH_UNAUTHENTICATED, &codes::AUTH_FORBIDDEN] {
        world.script.refuse(errors::status_of(code));
        let answer = world.ask("GET", USERS).bearer("t").answer().await;
        refused(&answer, 503);
    }
    // It was asked for another each time.
    world.script.answer_scim(ServeScimResponse {
        status: 200,
        ..ServeScimResponse::default()
    });
    let answer = world.ask("GET", USERS).bearer("t").answer().await;
    assert_eq!(answer.status, 200);
    assert_eq!(world.script.seen_of("IssueServiceToken").len(), 3);
}

#[tokio::test]
async fn bodies_that_are_not_read_are_refused_in_scim() {
    let world = strict().await;
    let encoded = world
        .ask("POST", USERS)
        .header("content-encoding", "gzip")
        .body("x")
        .answer()
        .await;
    refused(&encoded, 415);
    let long = world.ask("POST", USERS).body("x".repeat(1024 * 1024 + 1));
    refused(&long.answer().await, 413);
    assert!(world.script.seen_of("ServeScim").is_empty());
    let longest = world.ask("POST", USERS).body("x".repeat(1024 * 1024));
    world.script.answer_scim(ServeScimResponse {
        status: 200,
        ..ServeScimResponse::default()
    });
    assert_eq!(longest.answer().await.status, 200);
}

#[tokio::test]
async fn fields_over_identitys_limits_are_refused_in_scim() {
    let world = strict().await;
    let query = format!("{USERS}?filter={}", "a".repeat(17_000));
    let detail = refused(&world.ask("GET", &query).answer().await, 400);
    assert!(detail.contains("query"), "{detail}");
    let path = format!("{USERS}/{}", "a".repeat(2_100));
    let detail = refused(&world.ask("GET", &path).answer().await, 400);
    assert!(detail.contains("path"), "{detail}");
}

#[tokio::test]
async fn a_path_is_decoded_once_and_keeps_its_segments() {
    let world = strict().await;
    world.script.answer_scim(ServeScimResponse {
        status: 200,
        ..ServeScimResponse::default()
    });
    let urn = "urn%3Aietf%3Aparams%3Ascim%3Aschemas%3Acore%3A2.0%3AUser";
    for (path, expected) in [
        (
            format!("/scim/v2/Schemas/{urn}"),
            "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User",
        ),
        ("/scim/v2/Users/%252F".to_owned(), "/Users/%2F"),
        ("/scim/v2/".to_owned(), "/"),
        ("/scim/v2".to_owned(), ""),
    ] {
        assert_eq!(world.ask("GET", &path).answer().await.status, 200, "{path}");
        let expected = format!("path: {expected:?}");
        assert!(asked(&world).contains(&expected), "{}", asked(&world));
    }
    let before = world.script.seen_of("ServeScim").len();
    for path in [
        "/scim/v2/Users/%FF",
        "/scim/v2/Users%2Fusr_1",
        "/scim/v2/Users/a%2f",
    ] {
        refused(&world.ask("GET", path).answer().await, 404);
    }
    assert_eq!(world.script.seen_of("ServeScim").len(), before);
}

#[tokio::test]
async fn two_credentials_are_none() {
    let world = strict().await;
    world.script.answer_scim(ServeScimResponse {
        status: 401,
        ..ServeScimResponse::default()
    });
    let answer = world
        .ask("GET", USERS)
        .bearer("one")
        .bearer("two")
        .answer()
        .await;
    assert_eq!(answer.status, 401);
    assert!(asked(&world).contains(r#"token: """#), "{}", asked(&world));
}

/// Taken for none, it would let the change through whatever somebody else has changed.
#[tokio::test]
async fn a_version_that_cannot_be_read_is_not_taken_for_none() {
    let world = strict().await;
    let answer = world
        .ask("PUT", USERS)
        .bearer("t")
        .header("if-match", "W/\"\u{e9}\"")
        .answer()
        .await;
    refused(&answer, 400);
    assert!(world.script.seen_of("ServeScim").is_empty());
}

#[tokio::test]
async fn an_answer_that_is_none_is_an_internal_error_in_scim() {
    let world = strict().await;
    for (status, etag) in [(0, ""), (99, ""), (200, "a\nb")] {
        world.script.answer_scim(ServeScimResponse {
            status,
            etag: etag.to_owned(),
            ..ServeScimResponse::default()
        });
        let answer = world.ask("GET", USERS).bearer("t").answer().await;
        refused(&answer, 500);
    }
}
