//! Pages of other sites: with a person's cookies, and without.

use auth::Role;

use crate::{
    browser::{Jar, log_in, world},
    services::user,
    world::World,
};

const LIST: &str = "/v1/conversations";
const SEND: &str = "/v1/conversations/cv_1/messages";
const BODY: &str = r#"{"content":{"text":{"body":"hi"}}}"#;
const APP: &str = "https://app.example.com";

async fn with_app() -> World {
    let world = World::with(|config| {
        config.cors.origins = vec![APP.parse().expect("an origin")];
    })
    .await;
    world.script.person(&user(Role::Agent));
    world
}

/// What a change with these headers is answered.
async fn change(world: &World, jar: &Jar, headers: &[(&str, &str)]) -> u16 {
    let mut ask = jar.bare(world, "POST", SEND).json(BODY);
    for (name, value) in headers {
        ask = ask.header(name, value);
    }
    let answer = ask.answer().await;
    if answer.status != 200 {
        answer.problem(403, "auth.cross_site");
    }
    answer.status
}

#[tokio::test]
async fn a_change_needs_the_right_page_and_the_right_token() {
    let world = with_app().await;
    let mut jar = Jar::default();
    let login = jar
        .bare(&world, "POST", "/v1/browser/sessions")
        .header("sec-fetch-site", "same-site")
        .header("origin", APP)
        .json(r#"{"email":"a@b.de","password":"x"}"#)
        .answer()
        .await;
    jar.take(&login);
    let mut other = Jar::default();
    log_in(&world, &mut other).await;
    let token = jar.get("__Host-sb_csrf").to_owned();
    let foreign = other.get("__Host-sb_csrf").to_owned();
    let site = |site| ("sec-fetch-site", site);
    let origin = |origin| ("origin", origin);
    let csrf = ("x-csrf-token", token.as_str());

    for good in [
        vec![site("same-origin"), csrf],
        vec![site("same-site"), origin(APP), csrf],
        vec![origin(APP), csrf],
    ] {
        assert_eq!(change(&world, &jar, &good).await, 200, "{good:?}");
    }
    let sent = world.script.seen_of("SendMessage").len();
    for bad in [
        vec![],
        vec![csrf],
        vec![site("same-origin")],
        vec![site("same-origin"), ("x-csrf-token", "")],
        vec![site("same-origin"), ("x-csrf-token", foreign.as_str())],
        vec![site("same-origin"), csrf, csrf],
        vec![site("none"), csrf],
        vec![site("same-site"), csrf],
        vec![site("same-site"), origin("https://other.example.com"), csrf],
        vec![site("cross-site"), csrf],
        vec![site("cross-site"), origin(APP), csrf],
        vec![origin("https://app.example.com.evil"), csrf],
        vec![origin("https://evilapp.example.com"), csrf],
        vec![origin("http://app.example.com"), csrf],
        vec![origin("null"), csrf],
        vec![origin(APP)],
    ] {
        assert_eq!(change(&world, &jar, &bad).await, 403, "{bad:?}");
    }
    assert_eq!(world.script.seen_of("SendMessage").len(), sent);
}

#[tokio::test]
async fn the_token_is_checked_against_its_cookie_and_its_session() {
    let world = world().await;
    let (mut jar, mut other) = (Jar::default(), Jar::default());
    log_in(&world, &mut jar).await;
    log_in(&world, &mut other).await;
    let foreign = other.get("__Host-sb_csrf").to_owned();
    let token = jar.get("__Host-sb_csrf").to_owned();
    let headers = |token| [("sec-fetch-site", "same-origin"), ("x-csrf-token", token)];
    // Whoever can plant the readable cookie has not the session's secret.
    let planted = jar.with("__Host-sb_csrf", &foreign);
    assert_eq!(change(&world, &planted, &headers(&foreign)).await, 403);
    assert_eq!(change(&world, &planted, &headers(&token)).await, 403);
    let missing = jar.without("__Host-sb_csrf");
    assert_eq!(change(&world, &missing, &headers(&token)).await, 403);
    assert_eq!(change(&world, &jar, &headers(&token)).await, 200);
}

#[tokio::test]
async fn nobody_is_logged_in_by_another_site() {
    let world = world().await;
    for headers in [
        vec![],
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "none")],
        vec![("origin", "https://evil.example")],
    ] {
        let mut ask = world
            .ask("POST", "/v1/browser/sessions")
            .json(r#"{"email":"a@b.de","password":"x"}"#);
        for (name, value) in &headers {
            ask = ask.header(name, value);
        }
        let answer = ask.answer().await;
        answer.problem(403, "auth.cross_site");
        assert!(answer.all("set-cookie").is_empty());
    }
    assert!(world.script.seen_of("LogIn").is_empty());
}

#[tokio::test]
async fn a_form_of_another_kind_is_no_way_in() {
    let world = world().await;
    let mut jar = Jar::default();
    log_in(&world, &mut jar).await;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ] {
        let answer = jar
            .ask(&world, "POST", SEND)
            .header("content-type", kind)
            .body(BODY)
            .answer()
            .await;
        answer.problem(415, "request.media_type_unsupported");
    }
    assert!(world.script.seen_of("SendMessage").is_empty());
}

#[tokio::test]
async fn reading_from_another_site_is_refused_too() {
    let world = world().await;
    let mut jar = Jar::default();
    log_in(&world, &mut jar).await;
    for (site, status) in [
        (Some("same-origin"), 200),
        (Some("none"), 200),
        (None, 200),
        (Some("same-site"), 403),
        (Some("cross-site"), 403),
    ] {
        let mut ask = jar.bare(&world, "GET", LIST);
        if let Some(site) = site {
            ask = ask.header("sec-fetch-site", site);
        }
        assert_eq!(ask.answer().await.status, status, "{site:?}");
    }
}

#[tokio::test]
async fn a_program_with_a_bearer_is_no_page() {
    let world = World::start().await;
    let answer = world
        .agent("POST", SEND)
        .header("sec-fetch-site", "cross-site")
        .header("origin", "https://evil.example")
        .json(BODY)
        .answer()
        .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn without_configured_origins_no_page_elsewhere_reads_anything() {
    let world = World::start().await;
    let asked = world
        .ask("OPTIONS", LIST)
        .header("origin", APP)
        .header("access-control-request-method", "GET")
        .answer()
        .await;
    asked.problem(405, "request.method_not_allowed");
    let read = world
        .agent("GET", LIST)
        .header("origin", APP)
        .answer()
        .await;
    for answer in [asked, read] {
        assert_eq!(answer.header("access-control-allow-origin"), None);
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
}

#[tokio::test]
async fn a_configured_origin_and_no_other_reads_with_cookies() {
    let world = with_app().await;
    let preflight = world
        .ask("OPTIONS", SEND)
        .header("origin", APP)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "x-csrf-token")
        .answer()
        .await;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("access-control-allow-origin"), Some(APP));
    let headers = preflight.header("access-control-allow-headers");
    assert!(headers.is_some_and(|names| names.contains("x-csrf-token")));
    let answer = world
        .agent("GET", LIST)
        .header("origin", APP)
        .answer()
        .await;
    assert_eq!(answer.header("access-control-allow-origin"), Some(APP));
    assert_eq!(
        answer.header("access-control-allow-credentials"),
        Some("true")
    );
    assert_eq!(answer.header("vary"), Some("origin"));
    // Beside errors, too, or a page could not tell why.
    let refused = world.ask("GET", LIST).header("origin", APP).answer().await;
    refused.problem(401, "auth.unauthenticated");
    assert_eq!(refused.header("access-control-allow-origin"), Some(APP));
    for stranger in [
        "null",
        "https://app.example.com.evil",
        "https://evilapp.example.com",
        "http://app.example.com",
        "https://APP.example.com",
    ] {
        let answer = world
            .agent("GET", LIST)
            .header("origin", stranger)
            .answer()
            .await;
        assert_eq!(
            answer.header("access-control-allow-origin"),
            None,
            "{stranger}"
        );
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert_eq!(answer.header("vary"), Some("origin"));
    }
}
