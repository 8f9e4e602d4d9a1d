//! Whole logins at a real provider.

use chrono::{DateTime, TimeDelta, Utc};
use clock::Clock;
use ids::SsoConnectionId;
use oidc::{Begun, Client, Identity, Kind, Provider, Refusal, Settings};
use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;

use crate::{
    browser::visit,
    forge::changed,
    partner::Partner,
    world::{REDIRECT, altered, client, config, copied, parameter, reason},
};

const SECRET: &str = "a long secret: 100% (of ours) & more";

struct Login {
    partner: Partner,
    client: Client,
    connection: SsoConnectionId,
    settings: Settings,
}

fn now() -> DateTime<Utc> {
    Clock::system().now()
}

/// A provider with a client of these properties.
async fn at(changes: Value) -> Login {
    let us = json!({
        "client_id": "us", "client_secret": SECRET, "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code"], "response_types": ["code"],
    });
    let them = json!({
        "client_id": "them", "client_secret": SECRET,
        "redirect_uris": ["https://them.example/callback"],
    });
    let configuration = json!({
        "clients": [changed(us, &changes), them],
        "accounts": {
            "ann": {
                "email": "ann@corp.example", "email_verified": true, "name": "Ann Example",
                "groups": ["sales", "admins"],
            },
            "bob": {"email": "bob@corp.example", "email_verified": "true"},
        },
        "deny": changes["client_name"] == "denied",
    });
    let partner = Partner::start(configuration).await;
    let secret = (!changes["token_endpoint_auth_method"].eq("none")).then(|| SECRET.into());
    let mut settings = Settings::new(Kind::Generic, partner.issuer.as_str(), "us", secret);
    settings.scopes.push("groups".to_owned());
    settings.groups_claim = Some("groups".to_owned());
    Login {
        client: client(config(&[partner.port()])),
        connection: SsoConnectionId::generate(),
        settings,
        partner,
    }
}

impl Login {
    async fn begin(&self, hint: Option<&str>) -> (Provider, Begun) {
        let provider = self
            .client
            .provider(self.connection, &self.settings, now())
            .await
            .expect("a sound provider");
        let redirect = Url::parse(REDIRECT).expect("a URL");
        let begun = self.client.begin(&provider, redirect, hint, now());
        (provider, begun)
    }

    async fn run(&self, hint: Option<&str>) -> Result<Identity, Refusal> {
        let (provider, begun) = self.begin(hint).await;
        let callback = visit(&begun.url, REDIRECT).await.expect("an answer");
        let finish = self
            .client
            .finish(&provider, begun.pending, callback, now());
        finish.await
    }
}

#[tokio::test]
async fn a_person_logs_in() {
    let login = at(json!({})).await;
    let identity = login.run(None).await.expect("a login");
    assert_eq!(identity.issuer, login.partner.issuer);
    assert_eq!(identity.subject, "ann");
    assert_eq!(identity.name.as_deref(), Some("Ann Example"));
    assert_eq!(identity.groups.names, ["sales", "admins"]);
    let email = identity.email.expect("an address");
    assert_eq!(email.address, "ann@corp.example");
    assert!(email.verified);
    let bob = login.run(Some("bob")).await.expect("a login");
    assert_eq!(bob.subject, "bob");
    // The provider says it in a text, which is not its word.
    assert!(!bob.email.expect("an address").verified);
}

#[tokio::test]
async fn every_accepted_algorithm_is_verified() {
    for algorithm in ["RS256", "PS256", "ES256", "EdDSA"] {
        let login = at(json!({"id_token_signed_response_alg": algorithm})).await;
        let identity = login.run(None).await.expect(algorithm);
        assert_eq!(identity.subject, "ann", "{algorithm}");
    }
}

#[tokio::test]
async fn a_shared_secret_signs_nobody_in() {
    let login = at(json!({"id_token_signed_response_alg": "HS256"})).await;
    assert_eq!(reason(login.run(None).await), "algorithm_refused");
}

#[tokio::test]
async fn each_client_authentication_works() {
    for method in ["client_secret_basic", "none"] {
        let login = at(json!({"token_endpoint_auth_method": method})).await;
        login.run(None).await.expect(method);
    }
    let mut login = at(json!({})).await;
    login.settings.client_secret = Some(SecretString::from("wrong"));
    let refusal = login.run(None).await.expect_err("refused");
    assert_eq!(refusal.reason(), "code_refused");
    assert!(refusal.to_string().contains("invalid_client"), "{refusal}");
}

#[tokio::test]
async fn a_code_works_once_and_only_with_its_proof() {
    let login = at(json!({})).await;
    let (provider, begun) = login.begin(None).await;
    let callback = async |begun: &Begun| visit(&begun.url, REDIRECT).await.expect("an answer");
    let answer = callback(&begun).await;
    let again = oidc::Callback {
        code: answer.code.clone(),
        state: answer.state.clone(),
        iss: answer.iss.clone(),
        ..oidc::Callback::default()
    };
    let stolen = copied(&begun.pending);
    let first = login.client.finish(&provider, begun.pending, answer, now());
    first.await.expect("a login");
    let second = login.client.finish(&provider, stolen, again, now());
    assert_eq!(reason(second.await), "code_refused");

    let (provider, begun) = login.begin(None).await;
    let pending = altered(&begun.pending, "/pkce_verifier", |at| {
        *at = json!("x".repeat(43));
    });
    let answer = callback(&begun).await;
    let finish = login.client.finish(&provider, pending, answer, now());
    assert_eq!(reason(finish.await), "code_refused");

    // Injected into the attacker's own login.
    let (_, victims) = login.begin(None).await;
    let (provider, begun) = login.begin(None).await;
    let injected = oidc::Callback {
        state: parameter(&begun.url, "state"),
        ..callback(&victims).await
    };
    let finish = login
        .client
        .finish(&provider, begun.pending, injected, now());
    assert_eq!(reason(finish.await), "code_refused");
}

#[tokio::test]
async fn a_code_of_another_client_is_refused() {
    let login = at(json!({})).await;
    let (provider, begun) = login.begin(None).await;
    // The same proof, so that only the client differs.
    let mut theirs = begun.url.clone();
    let pairs: Vec<(String, String)> = begun
        .url
        .query_pairs()
        .map(|(name, value)| match &*name {
            "client_id" => (name.into_owned(), "them".to_owned()),
            "redirect_uri" => (
                name.into_owned(),
                "https://them.example/callback".to_owned(),
            ),
            _ => (name.into_owned(), value.into_owned()),
        })
        .collect();
    theirs.query_pairs_mut().clear().extend_pairs(pairs);
    let answer = visit(&theirs, "https://them.example/callback").await;
    let answer = answer.expect("an answer");
    assert!(answer.code.is_some());
    let finish = login.client.finish(&provider, begun.pending, answer, now());
    assert_eq!(reason(finish.await), "code_refused");
}

#[tokio::test]
async fn the_provider_holds_us_to_the_exact_redirect_address() {
    let login = at(json!({})).await;
    let (provider, _) = login.begin(None).await;
    for wrong in [
        "https://app.example/sso/sso_1/callback/",
        "https://app.example/sso/sso_1/callback?x=1",
        "https://app.example/sso/sso_1",
        "https://app.example.evil.example/sso/sso_1/callback",
    ] {
        let redirect = Url::parse(wrong).expect("a URL");
        let begun = login.client.begin(&provider, redirect, None, now());
        assert_eq!(visit(&begun.url, wrong).await.err(), Some(400), "{wrong}");
    }
}

#[tokio::test]
async fn a_person_who_says_no_is_told_apart() {
    let login = at(json!({"client_name": "denied"})).await;
    let refusal = login.run(None).await.expect_err("refused");
    assert_eq!(refusal.reason(), "denied");
    assert!(refusal.to_string().contains("access_denied"), "{refusal}");
    assert!(!refusal.is_passing());
}

#[tokio::test]
async fn the_issuer_the_provider_names_is_required() {
    let login = at(json!({})).await;
    for (iss, refusal) in [
        (None, "issuer_parameter_missing"),
        (Some("https://evil.example"), "issuer_parameter_mismatch"),
    ] {
        let (provider, begun) = login.begin(None).await;
        let mut answer = visit(&begun.url, REDIRECT).await.expect("an answer");
        assert_eq!(answer.iss.as_ref(), Some(&login.partner.issuer));
        answer.iss = iss.map(str::to_owned);
        let finish = login.client.finish(&provider, begun.pending, answer, now());
        assert_eq!(reason(finish.await), refusal);
    }
}

#[tokio::test]
async fn a_token_is_not_believed_after_its_time() {
    let login = at(json!({})).await;
    let (provider, begun) = login.begin(None).await;
    let answer = visit(&begun.url, REDIRECT).await.expect("an answer");
    // The provider's tokens live ten minutes; the login itself may take longer.
    let late = now() + TimeDelta::minutes(12);
    let finish = login.client.finish(&provider, begun.pending, answer, late);
    assert_eq!(reason(finish.await), "expired");
}
