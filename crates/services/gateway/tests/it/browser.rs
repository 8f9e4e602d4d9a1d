//! The gateway as a browser sees it: log in, go on, log out.

use std::{
    collections::BTreeMap,
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

use auth::{Principal, Role};
use errors::codes;
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    services::user,
    world::{Answer, Ask, World},
};

const LOG_IN: &str = "/v1/browser/sessions";
const LIST: &str = "/v1/conversations";
const CREDENTIALS: &str = r#"{"email":"ada@example.com","password":"correct horse"}"#;

/// A browser's cookies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Jar(BTreeMap<String, String>);

impl Jar {
    /// Keeps and forgets what an answer says.
    pub(crate) fn take(&mut self, answer: &Answer) {
        for cookie in answer.all("set-cookie") {
            let (name, rest) = cookie.split_once('=').expect("a cookie");
            let value = rest.split(';').next().expect("a value");
            if cookie.contains("Max-Age=0;") {
                self.0.remove(name);
            } else {
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub(crate) fn without(&self, name: &str) -> Self {
        let mut other = self.clone();
        other.0.remove(name);
        other
    }

    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.0.insert(name.to_owned(), value.to_owned());
        other
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A request with the cookies and nothing else.
    pub(crate) fn bare<'w>(&self, world: &'w World, method: &str, path: &str) -> Ask<'w> {
        let cookies: Vec<String> = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        world
            .ask(method, path)
            .header("cookie", &cookies.join("; "))
    }

    /// A request of a page of ours.
    pub(crate) fn ask<'w>(&self, world: &'w World, method: &str, path: &str) -> Ask<'w> {
        self.bare(world, method, path)
            .header("sec-fetch-site", "same-origin")
            .header("x-csrf-token", self.get("__Host-sb_csrf"))
    }
}

/// Whoever logs in is an agent.
pub(crate) async fn world() -> World {
    let world = World::start().await;
    world.script.person(&user(Role::Agent));
    world
}

pub(crate) async fn log_in(world: &World, jar: &mut Jar) -> Answer {
    let answer = jar
        .bare(world, "POST", LOG_IN)
        .header("sec-fetch-site", "same-origin")
        .json(CREDENTIALS)
        .answer()
        .await;
    assert_eq!(
        answer.status,
        200,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
    jar.take(&answer);
    answer
}

/// The token that the services saw last.
fn last_token(world: &World) -> String {
    let seen = world.script.seen_of("ListConversations");
    let sent = seen.last().and_then(|seen| seen.header("authorization"));
    sent.expect("a token").to_owned()
}

#[tokio::test]
async fn a_login_answers_cookies_and_no_token() {
    let world = world().await;
    let answer = log_in(&world, &mut Jar::default()).await;
    assert_eq!(answer.json().get("tokens"), None, "{}", answer.json());
    let cookies = answer.all("set-cookie");
    assert_eq!(cookies.len(), 3);
    for (name, max_age, http_only) in [
        ("__Host-sb_session=1.", "Max-Age=2592000", true),
        ("__Host-sb_access=ey", "Max-Age=300", true),
        ("__Host-sb_csrf=", "Max-Age=2592000", false),
    ] {
        let cookie = cookies.iter().find(|cookie| cookie.starts_with(name));
        let cookie = cookie.unwrap_or_else(|| panic!("{name} in {cookies:?}"));
        let flags: Vec<&str> = cookie.split("; ").skip(1).collect();
        assert!(flags.contains(&"Path=/"), "{cookie}");
        assert!(flags.contains(&max_age), "{cookie}");
        assert!(flags.contains(&"SameSite=Strict"), "{cookie}");
        assert!(flags.contains(&"Secure"), "{cookie}");
        assert_eq!(flags.contains(&"HttpOnly"), http_only, "{cookie}");
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn the_cookies_stand_for_the_person_and_stay_at_the_gateway() {
    let world = world().await;
    let mut jar = Jar::default();
    log_in(&world, &mut jar).await;
    let answer = jar.ask(&world, "GET", LIST).answer().await;
    assert_eq!(answer.status, 200);
    assert!(answer.all("set-cookie").is_empty(), "nothing changed");
    assert_eq!(
        answer.header("x-csrf-token"),
        Some(jar.get("__Host-sb_csrf"))
    );
    assert_eq!(
        last_token(&world),
        format!("Bearer {}", jar.get("__Host-sb_access"))
    );
    let seen = &world.script.seen_of("ListConversations")[0];
    assert_eq!(seen.header("cookie"), None);
    assert_eq!(seen.header("x-csrf-token"), None);
}

#[tokio::test]
async fn without_tls_the_cookies_have_other_names_and_only_where_it_is_set() {
    let world = World::with(|config| config.browser.insecure = true).await;
    world.script.person(&user(Role::Agent));
    let mut jar = Jar::default();
    let answer = log_in(&world, &mut jar).await;
    for cookie in answer.all("set-cookie") {
        assert!(cookie.starts_with("sb_"), "{cookie}");
        assert!(!cookie.contains("Secure"), "{cookie}");
    }
    let again = jar
        .bare(&world, "GET", LIST)
        .header("sec-fetch-site", "same-origin");
    assert_eq!(again.answer().await.status, 200);
    // A gateway behind TLS takes none of these.
    let secure = self::world().await;
    let refused = jar.bare(&secure, "GET", LIST).answer().await;
    refused.problem(401, "auth.unauthenticated");
}

#[tokio::test]
async fn what_a_browser_had_before_a_login_is_worth_nothing_after_it() {
    let world = world().await;
    let mut jar = Jar::default();
    log_in(&world, &mut jar).await;
    let before = jar.clone();
    log_in(&world, &mut jar).await;
    for name in ["__Host-sb_session", "__Host-sb_access", "__Host-sb_csrf"] {
        assert_ne!(before.get(name), jar.get(name), "{name}");
    }
    let secret = |jar: &Jar| {
        let session = jar.get("__Host-sb_session").to_owned();
        session.split('.').nth(1).expect("a secret").to_owned()
    };
    assert_ne!(secret(&before), secret(&jar));
    // The former session is ended with its own token.
    let ended = world.script.seen_of("LogOut");
    assert_eq!(ended.len(), 1);
    assert_eq!(
        ended[0].header("authorization"),
        Some(&*format!("Bearer {}", before.get("__Host-sb_access")))
    );
}

#[tokio::test]
async fn a_switch_to_another_organization_ends_the_session_it_came_from() {
    let world = world().await;
    let mut jar = Jar::default();
    log_in(&world, &mut jar).await;
    let before = jar.clone();
    let switched = jar
        .ask(&world, "POST", "/v1/sessions/switch")
        .json(r#"{"organizationId":"org"}"#)
        .answer()
        .await;
    assert_eq!(switched.status, 200);
    jar.take(&switched);
    assert_ne!(
        before.get("__Host-sb_session"),
        jar.get("__Host-sb_session")
    );
    let ended = world.script.seen_of("LogOut");
    assert_eq!(ended.len(), 1);
    assert_eq!(
        ended[0].header("authorization"),
        Some(&*format!("Bearer {}", before.get("__Host-sb_access")))
    );
    assert_eq!(jar.ask(&world, "GET", LIST).answer().await.status, 200);
    assert_eq!(world.script.seen_of("LogOut").len(), 1);
}

#[tokio::test]
async fn a_planted_cookie_does_not_survive_the_login() {
    let world = world().await;
    let mut jar = Jar::default().with("__Host-sb_session", "1.planted.x.y");
    log_in(&world, &mut jar).await;
    assert!(!jar.get("__Host-sb_session").contains("planted"));
    assert!(world.script.seen_of("LogOut").is_empty());
    assert_eq!(jar.ask(&world, "GET", LIST).answer().await.status, 200);
}

#[tokio::test]
async fn cookies_of_two_sessions_do_not_mix() {
    let world = world().await;
    let (mut one, mut other) = (Jar::default(), Jar::default());
    log_in(&world, &mut one).await;
    log_in(&world, &mut other).await;
    // The access token of another session is not used: the session's own is fetched.
    let mixed = one.with("__Host-sb_access", other.get("__Host-sb_access"));
    let answer = mixed.ask(&world, "GET", LIST).answer().await;
    assert_eq!(answer.status, 200);
    assert_eq!(world.script.seen_of("RefreshSession").len(), 1);
    let foreign = format!("Bearer {}", other.get("__Host-sb_access"));
    assert_ne!(last_token(&world), foreign);
}

#[tokio::test]
async fn a_second_factor_completes_the_login_in_cookies() {
    let world = World::start().await;
    let mut jar = Jar::default();
    // The password alone answers no tokens.
    let answer = log_in(&world, &mut jar).await;
    assert!(answer.all("set-cookie").is_empty());
    world.script.person(&user(Role::Agent));
    let completed = jar
        .bare(&world, "POST", "/v1/browser/sessions/complete")
        .header("sec-fetch-site", "same-origin")
        .json(r#"{"challengeToken":"c"}"#)
        .answer()
        .await;
    assert_eq!(completed.status, 200);
    assert_eq!(completed.json().get("tokens"), None);
    jar.take(&completed);
    assert_eq!(jar.ask(&world, "GET", LIST).answer().await.status, 200);
}

#[tokio::test]
async fn a_refused_login_sets_nothing() {
    let world = world().await;
    world
        .script
        .refuse(errors::status_of(&codes::AUTH_CREDENTIALS_WRONG));
    let answer = world
        .ask("POST", LOG_IN)
        .header("sec-fetch-site", "same-origin")
        .json(CREDENTIALS)
        .answer()
        .await;
    answer.problem(401, "auth.credentials_wrong");
    assert!(answer.all("set-cookie").is_empty());
}

#[tokio::test]
async fn twenty_requests_at_once_renew_the_session_once() {
    let world = world().await;
    let mut jar = Jar::default();
    log_in(&world, &mut jar).await;
    world.hand.advance(Duration::from_mins(10));
    let asks = (0..20).map(|_| jar.ask(&world, "GET", LIST).answer());
    let mut renewed = Vec::new();
    for answer in futures::future::join_all(asks).await {
        assert_eq!(answer.status, 200);
        renewed.push(answer.all("set-cookie"));
    }
    assert_eq!(world.script.seen_of("RefreshSession").len(), 1);
    assert!(renewed.iter().all(|cookies| *cookies == renewed[0]));
    assert_eq!(renewed[0].len(), 3);
}

#[tokio::test]
async fn replicas_that_share_nothing_renew_to_the_same_session() {
    let mut world = world().await;
    let mut jar = Jar::default();
    log_in(&world, &mut jar).await;
    world.hand.advance(Duration::from_mins(10));
    let first = jar.ask(&world, "GET", LIST).answer().await;
    world.replace_gateway().await;
    let second = jar.ask(&world, "GET", LIST).answer().await;
    assert_eq!((first.status, second.status), (200, 200));
    assert_eq!(first.all("set-cookie"), second.all("set-cookie"));
    assert_eq!(world.script.seen_of("RefreshSession").len(), 2);
    // The other replica goes on with what the first one set, and asks nobody.
    jar.take(&first);
    assert_eq!(jar.ask(&world, "GET", LIST).answer().await.status, 200);
    assert_eq!(world.script.seen_of("RefreshSession").len(), 2);
}

#[tokio::test]
async fn a_session_goes_on_for_as_long_as_identity_renews_it() {
    let world = world().await;
    let mut jar = Jar::default();
    log_in(&world, &mut jar).await;
    let csrf = jar.get("__Host-sb_csrf").to_owned();
    for _ in 0..5 {
        // Before its end, too: the call it is for may take some of what is left.
        world.hand.advance(Duration::from_secs(245));
        let answer = jar.ask(&world, "GET", LIST).answer().await;
        assert_eq!(answer.status, 200);
        jar.take(&answer);
        assert_eq!(jar.get("__Host-sb_csrf"), csrf, "open pages go on");
    }
    assert_eq!(world.script.seen_of("RefreshSession").len(), 5);
    world.script.end_sessions();
    world.hand.advance(Duration::from_secs(245));
    let over = jar.ask(&world, "GET", LIST).answer().await;
    over.problem(401, "auth.revoked");
    jar.take(&over);
    assert!(jar.is_empty(), "{jar:?}");
}

#[tokio::test]
async fn a_token_with_time_left_is_used_while_identity_is_away() {
    let mut world = world().await;
    let mut jar = Jar::default();
    log_in(&world, &mut jar).await;
    assert_eq!(jar.ask(&world, "GET", LIST).answer().await.status, 200);
    world.kill_identity().await;
    world.hand.advance(Duration::from_secs(250));
    assert_eq!(jar.ask(&world, "GET", LIST).answer().await.status, 200);
    world.hand.advance(Duration::from_mins(1));
    let away = jar.ask(&world, "GET", LIST).answer().await;
    away.problem(503, "unavailable");
    assert!(
        away.all("set-cookie").is_empty(),
        "nobody is logged out by an outage"
    );
}

#[tokio::test]
async fn logging_out_forgets_the_cookies() {
    let world = world().await;
    let mut jar = Jar::default();
    log_in(&world, &mut jar).await;
    let answer = jar
        .ask(&world, "DELETE", "/v1/sessions/current")
        .answer()
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.all("set-cookie").len(), 3);
    jar.take(&answer);
    assert!(jar.is_empty(), "{jar:?}");
    assert_eq!(world.script.seen_of("LogOut").len(), 1);
}

#[tokio::test]
async fn a_revoked_session_forgets_the_cookies_within_a_second() {
    let world = world().await;
    let mut jar = Jar::default();
    log_in(&world, &mut jar).await;
    assert_eq!(jar.ask(&world, "GET", LIST).answer().await.status, 200);
    let [session] = &world.script.sessions()[..] else {
        panic!("one session")
    };
    assert!(matches!(session, Principal::User { .. }));
    world.script.revoke(session);
    world.script.end_sessions();
    world.hand.advance(Duration::from_millis(900));
    let answer = jar.ask(&world, "GET", LIST).answer().await;
    answer.problem(401, "auth.revoked");
    jar.take(&answer);
    assert!(jar.is_empty(), "{jar:?}");
}

#[tokio::test]
async fn rights_that_changed_take_effect_and_the_session_goes_on() {
    let world = world().await;
    let mut jar = Jar::default();
    log_in(&world, &mut jar).await;
    assert_eq!(jar.ask(&world, "GET", LIST).answer().await.status, 200);
    let before = last_token(&world);
    // Tokens issued until now are void; identity makes new ones with the new rights.
    world.script.revoke(&world.script.sessions()[0]);
    world.hand.advance(Duration::from_secs(1));
    let answer = jar.ask(&world, "GET", LIST).answer().await;
    assert_eq!(answer.status, 200);
    assert_ne!(last_token(&world), before);
}

#[tokio::test]
async fn nonsense_in_the_cookie_is_forgotten() {
    let world = world().await;
    for planted in ["", "x", "1.a.b.c", "1.a.b.c; __Host-sb_session=1.a.b.d"] {
        let jar = Jar::default().with("__Host-sb_session", planted);
        let answer = jar.ask(&world, "GET", LIST).answer().await;
        answer.problem(401, "auth.revoked");
        assert_eq!(answer.all("set-cookie").len(), 3);
    }
    assert!(world.script.seen_of("RefreshSession").is_empty());
}

#[tokio::test]
async fn a_bearer_never_looks_at_cookies_and_both_together_are_refused() {
    let world = world().await;
    let mut jar = Jar::default();
    log_in(&world, &mut jar).await;
    let both = jar
        .ask(&world, "GET", LIST)
        .bearer(&world.agent_token())
        .answer()
        .await;
    let problem = both.problem(400, "request.malformed");
    assert_eq!(problem["errors"][0]["field"], "Authorization");
    assert!(world.script.seen_of("ListConversations").is_empty());
    let other = world
        .agent("GET", LIST)
        .header("cookie", "theme=dark")
        .answer()
        .await;
    assert_eq!(other.status, 200);
    assert!(other.all("set-cookie").is_empty());
    assert_eq!(other.header("x-csrf-token"), None);
}

#[tokio::test]
async fn an_event_stream_takes_the_cookie() {
    let world = world().await;
    let mut jar = Jar::default();
    log_in(&world, &mut jar).await;
    let response = jar.ask(&world, "GET", "/v1/events").send().await;
    assert_eq!(response.status(), 200);
    let strange = jar
        .bare(&world, "GET", "/v1/events")
        .header("sec-fetch-site", "cross-site")
        .answer()
        .await;
    strange.problem(403, "auth.cross_site");
    jar.bare(&world, "GET", "/v1/events")
        .answer()
        .await
        .problem(403, "auth.cross_site");
}

/// Everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_token_is_in_an_address_a_body_or_a_log_line() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(log.clone())
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let world = world().await;
    let mut jar = Jar::default();
    let mut answers = vec![log_in(&world, &mut jar).await];
    let mut secrets: Vec<String> = jar.0.values().cloned().collect();
    world.hand.advance(Duration::from_mins(10));
    answers.push(jar.ask(&world, "GET", LIST).answer().await);
    jar.take(&answers[1]);
    secrets.extend(jar.0.values().cloned());
    answers.push(jar.bare(&world, "POST", LIST).answer().await);
    answers.push(
        jar.ask(&world, "DELETE", "/v1/sessions/current")
            .answer()
            .await,
    );
    tracing::info!("the log is read");
    let logged = String::from_utf8(log.0.lock().expect("the log").clone()).expect("text");
    assert!(logged.contains("the log is read"));
    let refresh = secrets
        .iter()
        .filter_map(|secret| Some(secret.split_once("sbr_")?.1.to_owned()));
    let refresh: Vec<String> = refresh.collect();
    assert_eq!(refresh.len(), 2);
    for secret in secrets.iter().chain(&refresh) {
        assert!(!logged.contains(secret), "a secret was logged");
        for answer in &answers {
            let body = String::from_utf8_lossy(&answer.body);
            assert!(!body.contains(secret), "{body}");
            assert_eq!(answer.header("location"), None);
        }
    }
}
