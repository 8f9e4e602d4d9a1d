use std::time::Duration;

use axum::{Extension, Router, body::Body, extract::Request, response::Response, routing::get};
use errors::codes;
use http::StatusCode;
use http_body_util::BodyExt;
use sb_http::{Border, ForeignError, ProblemResponse, RequestId};
use serde_json::Value;
use tower::ServiceExt;

fn router() -> Router {
    Router::new()
        .route(
            "/ok",
            get(|id: axum::Extension<RequestId>| async move { id.to_string() }),
        )
        .route(
            "/busy",
            get(|| async {
                ProblemResponse::new(&codes::RATE_LIMITED).with_retry_after(Duration::from_secs(3))
            }),
        )
        .route("/panic", get(panics))
        .route(
            "/foreign",
            get(|| async {
                let kind = [("content-type", "application/scim+json")];
                (
                    StatusCode::CONFLICT,
                    kind,
                    Extension(ForeignError),
                    r#"{"status":"409"}"#,
                )
            }),
        )
        .route(
            "/plain",
            get(|| async { (StatusCode::BAD_GATEWAY, "upstream said 'secret'") }),
        )
        .layer(Border)
}

async fn panics() -> &'static str {
    tokio::task::yield_now().await;
    panic!("the secret is 42")
}

async fn ask(method: &str, path: &str, id: Option<&str>) -> Response {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(id) = id {
        request = request.header("x-request-id", id);
    }
    let request = request.body(Body::empty()).expect("a request");
    router().oneshot(request).await.expect("infallible")
}

async fn problem(response: Response) -> Value {
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let id = response.headers()["x-request-id"].clone();
    let body = response.into_body().collect().await.expect("a body");
    let problem: Value = serde_json::from_slice(&body.to_bytes()).expect("JSON");
    assert_eq!(
        problem["request_id"].as_str().map(str::as_bytes),
        Some(id.as_bytes())
    );
    problem
}

#[tokio::test]
async fn the_callers_request_id_comes_back_and_reaches_the_handler() {
    let response = ask("GET", "/ok", Some("abc-1")).await;
    assert_eq!(response.headers()["x-request-id"], "abc-1");
    let body = response.into_body().collect().await.expect("a body");
    assert_eq!(body.to_bytes(), "abc-1");
}

#[tokio::test]
async fn a_handlers_problem_gets_the_request_id_and_keeps_its_headers() {
    let response = ask("GET", "/busy", Some("abc-2")).await;
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "3");
    let problem = problem(response).await;
    assert_eq!(problem["code"], "rate_limited");
    assert_eq!(problem["retry_after"], 3);
}

#[tokio::test]
async fn what_the_router_refuses_is_a_problem_too() {
    let unknown = ask("GET", "/nothing", None).await;
    assert_eq!(unknown.status(), 404);
    assert_eq!(problem(unknown).await["code"], "request.route_unknown");

    let method = ask("DELETE", "/ok", None).await;
    assert_eq!(method.status(), 405);
    assert_eq!(method.headers()["allow"], "GET,HEAD");
    assert_eq!(problem(method).await["code"], "request.method_not_allowed");
}

#[tokio::test]
async fn a_panic_is_an_internal_error_that_says_nothing() {
    let response = ask("GET", "/panic", Some("abc-3")).await;
    assert_eq!(response.status(), 500);
    let problem = problem(response).await;
    assert_eq!(problem["code"], "internal");
    assert!(!problem.to_string().contains("42"));
}

#[tokio::test]
async fn an_error_without_a_document_gets_one_and_loses_its_words() {
    let response = ask("GET", "/plain", None).await;
    assert_eq!(response.status(), 502);
    let problem = problem(response).await;
    assert_eq!(problem["status"], 502);
    assert!(!problem.to_string().contains("secret"));
}

#[tokio::test]
async fn an_error_of_another_protocol_stays_as_it_is() {
    let response = ask("GET", "/foreign", Some("abc-4")).await;
    assert_eq!(response.status(), 409);
    assert_eq!(response.headers()["content-type"], "application/scim+json");
    assert_eq!(response.headers()["x-request-id"], "abc-4");
    let body = response.into_body().collect().await.expect("a body");
    assert_eq!(body.to_bytes(), r#"{"status":"409"}"#);
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let transport = "max-age=63072000; includeSubDomains; preload";
    for path in ["/ok", "/busy", "/panic", "/plain", "/foreign", "/nothing"] {
        let response = ask("GET", path, None).await;
        for (name, value) in [
            ("strict-transport-security", transport),
            ("content-security-policy", policy),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(response.headers()[name], value, "{name} of {path}");
        }
    }
}
