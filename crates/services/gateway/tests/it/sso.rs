//! Single sign-on as a browser sees it: to the provider and back.

use auth::Role;
use errors::codes;
use ids::SsoConnectionId;
use proto::identity::v1::{BeginSsoRequest, FinishOidcRequest, FinishSamlRequest};
use url::{Url, form_urlencoded};

use crate::{
    browser::Jar,
    services::user,
    world::{Answer, Ask, World},
};

const PROVIDER: &str = "https://idp.example/authorize?client_id=x&state=";
const FORM: &str = "application/x-www-form-urlencoded";

async fn world() -> World {
    with(|_| {}).await
}

async fn with(change: impl FnOnce(&mut gateway::Config)) -> World {
    let world = World::strict(change).await;
    world.script.person(&user(Role::Agent));
    world
}

/// A browser that was sent to the provider, which will send it back with this state.
async fn begun(world: &World, jar: &mut Jar, state: &str) -> Answer {
    let redirect_url = format!("{PROVIDER}{state}");
    world.script.begin_sso_with(&redirect_url, state);
    let answer = jar.bare(world, "GET", "/sso/sso_1").answer().await;
    assert_eq!(answer.header("location"), Some(&*redirect_url));
    jar.take(&answer);
    answer
}

fn callback<'w>(world: &'w World, jar: &Jar, query: &str) -> Ask<'w> {
    let path = format!("/sso/oidc/sso_1/callback?{query}");
    jar.bare(world, "GET", &path)
        .header("sec-fetch-site", "cross-site")
}

fn post<'w>(world: &'w World, jar: &Jar, form: &str) -> Ask<'w> {
    jar.bare(world, "POST", "/sso/saml/sso_1/acs")
        .header("sec-fetch-site", "cross-site")
        .header("origin", "https://idp.example")
        .header("content-type", FORM)
        .body(form.to_owned())
}

/// A redirect that nobody keeps; where to.
fn redirected(answer: &Answer) -> &str {
    assert_eq!(
        answer.status,
        303,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), None);
    assert!(answer.body.is_empty());
    answer.header("location").expect("an address")
}

/// The names and values of the address of a login page.
fn told(answer: &Answer) -> Vec<(String, String)> {
    let base = Url::parse("https://gateway.example").expect("an address");
    let page = base.join(redirected(answer)).expect("an address");
    assert_eq!(page.path(), "/login");
    page.query_pairs().into_owned().collect()
}

/// Only the code and the sentence are told.
fn refused(answer: &Answer, code: &str) -> String {
    let told = told(answer);
    let names: Vec<&str> = told.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["error", "detail"]);
    assert_eq!(told[0].1, code);
    told[1].1.clone()
}

fn names(answer: &Answer) -> Vec<String> {
    let cookies = answer.all("set-cookie").into_iter();
    let name = |cookie: String| cookie.split('=').next().map(str::to_owned);
    cookies.filter_map(name).collect()
}

#[tokio::test]
async fn a_login_is_begun_with_a_redirect_and_a_cookie_of_its_own() {
    for (insecure, name, flags) in [
        (
            false,
            "__Host-sb_flow_",
            "Path=/; Max-Age=600; HttpOnly; SameSite=None; Secure",
        ),
        (
            true,
            "sb_flow_",
            "Path=/; Max-Age=600; HttpOnly; SameSite=Lax",
        ),
    ] {
        let world = with(|config| config.browser.insecure = insecure).await;
        let answer = begun(&world, &mut Jar::default(), "st").await;
        redirected(&answer);
        let cookies = answer.all("set-cookie");
        let [cookie] = &cookies[..] else {
            panic!("one cookie: {cookies:?}")
        };
        let (pair, set) = cookie.split_once("; ").expect("flags");
        assert!(pair.starts_with(name), "{cookie}");
        assert!(pair.ends_with("=secret-of-st"), "{cookie}");
        assert_eq!(set, flags);
    }
}

#[tokio::test]
async fn what_a_login_is_begun_with_reaches_identity_unless_it_is_too_long() {
    let world = world().await;
    let long = format!("/{}", "a".repeat(1_000));
    for (return_to, hint, expected) in [
        (
            "/inbox?a=%2Fb",
            "ada@corp.example",
            ("/inbox?a=%2Fb", "ada@corp.example"),
        ),
        (&long, &long[..255], ("", "")),
        (&long[..1_000], &long[..254], (&long[..1_000], &long[..254])),
    ] {
        world.script.begin_sso_with(PROVIDER, "st");
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("return_to", return_to)
            .append_pair("login_hint", hint)
            .finish();
        let path = format!("/sso/sso_1?{query}");
        let answer = world.ask("GET", &path).answer().await;
        assert_eq!(redirected(&answer), PROVIDER);
        let expected = BeginSsoRequest {
            connection_id: "sso_1".to_owned(),
            return_to: expected.0.to_owned(),
            login_hint: expected.1.to_owned(),
        };
        let seen = world.script.seen_of("BeginSso");
        let seen = &seen.last().expect("a call").request;
        assert_eq!(*seen, format!("{expected:?}"));
    }
}

#[tokio::test]
async fn a_page_of_another_site_begins_no_login() {
    let world = with(|config| {
        config.browser.login_page = "https://app.example.com/login?lang=de".to_owned();
    })
    .await;
    let id = SsoConnectionId::generate();
    let path = format!("/sso/{id}?return_to=/inbox&login_hint=eve@evil.example");
    world.script.begin_sso_with(PROVIDER, "st");
    let begin = |site: Option<&str>| {
        let ask = world.ask("GET", &path);
        match site {
            Some(site) => ask.header("sec-fetch-site", site),
            None => ask,
        }
    };
    let answer = begin(Some("cross-site")).answer().await;
    let page = format!("https://app.example.com/login?lang=de&sso={id}");
    assert_eq!(redirected(&answer), page);
    assert!(answer.all("set-cookie").is_empty());
    assert!(world.script.seen_of("BeginSso").is_empty());
    for site in [Some("same-origin"), Some("same-site"), Some("none"), None] {
        let answer = begin(site).answer().await;
        assert_eq!(redirected(&answer), PROVIDER, "{site:?}");
    }
}

#[tokio::test]
async fn only_the_id_of_a_connection_gets_into_the_login_page() {
    let world = world().await;
    for path in ["/sso/..%2Fv1%2Fme", "/sso/sso_1", "/sso/usr_1%0d%0ax:y"] {
        let ask = world.ask("GET", path);
        let answer = ask.header("sec-fetch-site", "cross-site").answer().await;
        refused(&answer, codes::NOT_FOUND.id);
    }
}

#[tokio::test]
async fn an_openid_providers_answer_is_handed_over_whole() {
    let world = world().await;
    let mut jar = Jar::default();
    begun(&world, &mut jar, "st").await;
    let code = "c".repeat(8_192);
    let query = format!(
        "code={code}&state=st&iss=https%3A%2F%2Fidp.example&error=e&error_description={}",
        "d".repeat(3_000)
    );
    let answer = callback(&world, &jar, &query).answer().await;
    assert_eq!(redirected(&answer), "/inbox?view=mine");
    let expected = FinishOidcRequest {
        connection_id: "sso_1".to_owned(),
        code,
        state: "st".to_owned(),
        iss: "https://idp.example".to_owned(),
        error: "e".to_owned(),
        error_description: "d".repeat(2_000),
        browser_secret: "secret-of-st".to_owned(),
    };
    let seen = world.script.seen_of("FinishOidc");
    assert_eq!(seen[0].request, format!("{expected:?}"));
}

#[tokio::test]
async fn a_field_that_comes_twice_counts_as_none() {
    let world = world().await;
    let mut jar = Jar::default();
    begun(&world, &mut jar, "st").await;
    let query = "code=a&code=b&state=st&state=other";
    callback(&world, &jar, query).answer().await;
    let expected = FinishOidcRequest {
        connection_id: "sso_1".to_owned(),
        ..FinishOidcRequest::default()
    };
    let seen = world.script.seen_of("FinishOidc");
    assert_eq!(seen[0].request, format!("{expected:?}"));
}

#[tokio::test]
async fn a_login_that_ends_well_is_a_session_in_the_application() {
    let world = with(|config| {
        config.browser.app_url = Some("https://app.example.com".parse().expect("an origin"));
    })
    .await;
    let mut jar = Jar::default();
    begun(&world, &mut jar, "st").await;
    let answer = callback(&world, &jar, "code=a&state=st").answer().await;
    assert_eq!(
        redirected(&answer),
        "https://app.example.com/inbox?view=mine"
    );
    let cookies = answer.all("set-cookie");
    for (cookie, name) in cookies.iter().zip([
        "__Host-sb_session=1.",
        "__Host-sb_access=ey",
        "__Host-sb_csrf=",
        "__Host-sb_flow_",
    ]) {
        assert!(cookie.starts_with(name), "{cookie}");
        let is_flow = name.contains("flow");
        assert_eq!(cookie.contains("SameSite=Strict"), !is_flow, "{cookie}");
        assert_eq!(cookie.contains("Max-Age=0;"), is_flow, "{cookie}");
    }
    assert_eq!(cookies.len(), 4);
    jar.take(&answer);
    let read = jar.ask(&world, "GET", "/v1/conversations").answer().await;
    assert_eq!(read.status, 200);
    assert_eq!(world.script.sessions().len(), 1);
}

#[tokio::test]
async fn logins_in_two_tabs_do_not_disturb_each_other() {
    let world = world().await;
    let mut jar = Jar::default();
    begun(&world, &mut jar, "one").await;
    begun(&world, &mut jar, "two").await;
    let refusal = errors::status_of(&codes::AUTH_SSO_FAILED);
    world.script.refuse(refusal);
    let failed = callback(&world, &jar, "error=x&state=two").answer().await;
    refused(&failed, codes::AUTH_SSO_FAILED.id);
    assert_eq!(names(&failed).len(), 1);
    jar.take(&failed);
    let answer = callback(&world, &jar, "code=a&state=one").answer().await;
    assert_eq!(redirected(&answer), "/inbox?view=mine");
    let seen = world.script.seen_of("FinishOidc");
    let secrets = ["secret-of-two", "secret-of-one"];
    for (seen, secret) in seen.iter().zip(secrets) {
        assert!(seen.request.contains(secret), "{}", seen.request);
    }
}

#[tokio::test]
async fn a_login_that_fails_tells_its_code_and_a_sentence() {
    let world = world().await;
    let mut jar = Jar::default();
    begun(&world, &mut jar, "st").await;
    let refusal = errors::status_of(&codes::AUTH_SSO_FAILED);
    world.script.refuse(refusal);
    let answer = callback(&world, &jar, "code=the-code&state=st")
        .answer()
        .await;
    let detail = refused(&answer, codes::AUTH_SSO_FAILED.id);
    assert_eq!(detail, codes::AUTH_SSO_FAILED.title);
    let names = names(&answer);
    assert!(
        names.len() == 1 && names[0].starts_with("__Host-sb_flow_"),
        "{names:?}"
    );
}

#[tokio::test]
async fn nothing_that_goes_wrong_shows_a_browser_a_document() {
    let mut world = world().await;
    let jar = Jar::default();
    // Fields that identity does not take.
    let long = format!("code={}&state=st", "c".repeat(8_193));
    let answer = callback(&world, &jar, &long).answer().await;
    refused(&answer, codes::REQUEST_INVALID.id);
    // A form that is not read.
    let answer = post(&world, &jar, &"x".repeat(384 * 1024 + 1))
        .answer()
        .await;
    refused(&answer, codes::REQUEST_TOO_LARGE.id);
    assert!(answer.all("set-cookie").is_empty());
    // A gateway that identity does not accept: the person can do nothing about that.
    world
        .script
        .refuse(errors::status_of(&codes::AUTH_TOKEN_EXPIRED));
    let answer = callback(&world, &jar, "code=a&state=st").answer().await;
    refused(&answer, codes::UNAVAILABLE.id);
    // An identity that breaks, and one that is down.
    world
        .script
        .keep_refusing(Some(tonic::Status::internal("secret")));
    let answer = world.ask("GET", "/sso/sso_1").answer().await;
    let detail = refused(&answer, codes::INTERNAL.id);
    assert!(!detail.contains("secret"));
    world.script.keep_refusing(None);
    world.kill_identity().await;
    for answer in [
        world.ask("GET", "/sso/sso_1").answer().await,
        callback(&world, &jar, "code=a&state=st").answer().await,
        post(&world, &jar, "SAMLResponse=a&RelayState=st")
            .answer()
            .await,
    ] {
        refused(&answer, codes::UNAVAILABLE.id);
    }
}

#[tokio::test]
async fn a_gateway_without_a_token_of_its_own_says_so_on_the_login_page() {
    let mut world = world().await;
    world.kill_identity().await;
    let answer = world.ask("GET", "/sso/sso_1").answer().await;
    refused(&answer, codes::UNAVAILABLE.id);
    assert!(world.script.seen_of("IssueServiceToken").is_empty());
}

#[tokio::test]
async fn an_answer_without_tokens_is_no_login() {
    let world = World::strict(|_| {}).await;
    let answer = callback(&world, &Jar::default(), "code=a&state=st")
        .answer()
        .await;
    refused(&answer, codes::INTERNAL.id);
}

#[tokio::test]
async fn a_saml_providers_page_posts_from_another_site() {
    let world = with(|config| {
        config.cors.origins = vec!["https://app.example.com".parse().expect("an origin")];
    })
    .await;
    let mut jar = Jar::default();
    begun(&world, &mut jar, "st").await;
    let answer = post(
        &world,
        &jar,
        "SAMLResponse=PHg%2BPC94Pg%3D%3D&RelayState=st",
    )
    .answer()
    .await;
    assert_eq!(redirected(&answer), "/inbox?view=mine");
    assert_eq!(answer.header("access-control-allow-origin"), None);
    let expected = FinishSamlRequest {
        connection_id: "sso_1".to_owned(),
        saml_response: "PHg+PC94Pg==".to_owned(),
        relay_state: "st".to_owned(),
        browser_secret: "secret-of-st".to_owned(),
    };
    let seen = world.script.seen_of("FinishSaml");
    assert_eq!(seen[0].request, format!("{expected:?}"));
}

#[tokio::test]
async fn the_longest_form_is_taken() {
    let world = world().await;
    let start = "RelayState=st&SAMLResponse=";
    let form = format!("{start}{}", "A".repeat(384 * 1024 - start.len()));
    let answer = post(&world, &Jar::default(), &form).answer().await;
    assert_eq!(redirected(&answer), "/inbox?view=mine");
}

#[tokio::test]
async fn the_metadata_is_a_document() {
    let world = world().await;
    let path = "/sso/saml/sso_1/metadata";
    let answer = world.ask("GET", path).answer().await;
    assert_eq!(answer.status, 200);
    let kind = answer.header("content-type");
    assert_eq!(kind, Some("application/samlmetadata+xml"));
    assert_eq!(answer.body, b"<EntityDescriptor/>");
    world.script.refuse(errors::status_of(&codes::NOT_FOUND));
    let answer = world.ask("GET", path).answer().await;
    answer.problem(404, codes::NOT_FOUND.id);
}

#[tokio::test]
async fn a_login_page_may_have_a_query() {
    let world = with(|config| config.browser.login_page = "/login?lang=de".to_owned()).await;
    world
        .script
        .refuse(errors::status_of(&codes::AUTH_SSO_FAILED));
    let answer = callback(&world, &Jar::default(), "state=st").answer().await;
    let address = redirected(&answer);
    let start = "/login?lang=de&error=auth.sso_failed&detail=";
    assert!(address.starts_with(start), "{address}");
}
