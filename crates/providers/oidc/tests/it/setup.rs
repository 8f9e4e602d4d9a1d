//! What an administrator is told when the settings are saved.

use std::{io, net::IpAddr, pin::Pin, sync::Arc};

use clock::Clock;
use ids::SsoConnectionId;
use oidc::{Client, Config, Endpoint, Kind, Settings, SetupFault, Trouble};
use outbound::guard::{Lookup, Refused};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    forge::changed,
    hostile::{Answer, DISCOVERY, KEYS},
    world::{World, client, config, install_tls, now},
};

async fn faults(client: &Client, settings: &Settings) -> Vec<SetupFault> {
    let discover = client.discover(SsoConnectionId::generate(), settings, now());
    match discover.await {
        Ok(_) => Vec::new(),
        Err(faults) => faults.all().to_vec(),
    }
}

/// What is found wrong with a provider whose document has these changes.
async fn faults_of(changes: &Value) -> Vec<SetupFault> {
    let world = World::new().await;
    let document = changed(world.hostile.document(), changes);
    world.hostile.answer(DISCOVERY, Answer::Json(document));
    faults(&world.client, &world.settings).await
}

#[tokio::test]
async fn a_sound_provider_has_no_faults() {
    assert_eq!(faults_of(&json!({})).await, []);
}

#[tokio::test]
async fn a_document_of_another_issuer_is_refused() {
    for issuer in ["https://evil.example", "", "http://127.0.0.1:1/"] {
        let found = faults_of(&json!({ "issuer": issuer })).await;
        assert!(
            matches!(found[..], [SetupFault::IssuerMismatch { .. }]),
            "{found:?}"
        );
    }
    let mut world = World::new().await;
    world.settings.issuer.push('/');
    let found = faults(&world.client, &world.settings).await;
    assert!(
        matches!(found[..], [SetupFault::IssuerMismatch { .. }]),
        "{found:?}"
    );
}

#[tokio::test]
async fn what_the_provider_must_be_able_to_do_is_checked() {
    let no = |fault| vec![fault];
    for (changes, expected) in [
        (
            json!({"code_challenge_methods_supported": ["plain"]}),
            no(SetupFault::NoPkce),
        ),
        (
            json!({"code_challenge_methods_supported": null}),
            no(SetupFault::NoPkce),
        ),
        (
            json!({"response_types_supported": ["id_token"]}),
            no(SetupFault::NoCodeFlow),
        ),
        (
            json!({"response_types_supported": null}),
            no(SetupFault::NoCodeFlow),
        ),
        (
            json!({"grant_types_supported": ["implicit"]}),
            no(SetupFault::NoCodeFlow),
        ),
        (
            json!({"grant_types_supported": ["authorization_code"]}),
            vec![],
        ),
        (
            json!({"id_token_signing_alg_values_supported": ["HS256", "none"]}),
            no(SetupFault::NoAlgorithm),
        ),
        (
            json!({"id_token_signing_alg_values_supported": null}),
            no(SetupFault::NoAlgorithm),
        ),
        (
            json!({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}),
            no(SetupFault::NoClientAuthentication),
        ),
        (
            json!({"token_endpoint": null}),
            no(SetupFault::EndpointMissing(Endpoint::Token)),
        ),
        (
            json!({"jwks_uri": null}),
            no(SetupFault::EndpointMissing(Endpoint::Keys)),
        ),
        (json!({"userinfo_endpoint": null}), vec![]),
        (
            json!({"authorization_endpoint": "javascript:alert(1)"}),
            no(SetupFault::EndpointInvalid(Endpoint::Authorization)),
        ),
        // All at once.
        (
            json!({"code_challenge_methods_supported": [], "response_types_supported": [], "token_endpoint": null}),
            vec![
                SetupFault::NoCodeFlow,
                SetupFault::NoPkce,
                SetupFault::EndpointMissing(Endpoint::Token),
            ],
        ),
    ] {
        assert_eq!(faults_of(&changes).await, expected, "{changes}");
    }
}

#[tokio::test]
async fn endpoints_are_secure_and_public() {
    let not_https = |endpoint| vec![SetupFault::EndpointNotHttps(endpoint)];
    let refused = |endpoint, refused| vec![SetupFault::EndpointRefused { endpoint, refused }];
    for (changes, expected) in [
        (
            json!({"authorization_endpoint": "http://idp.example/authorize"}),
            not_https(Endpoint::Authorization),
        ),
        // Plain HTTP is for this machine only, not for every address that may be called.
        (
            json!({"token_endpoint": "http://idp.example/token"}),
            not_https(Endpoint::Token),
        ),
        (
            json!({"userinfo_endpoint": "ftp://idp.example/me"}),
            vec![SetupFault::EndpointInvalid(Endpoint::Userinfo)],
        ),
        (
            json!({"jwks_uri": "http://169.254.169.254/latest/meta-data"}),
            not_https(Endpoint::Keys),
        ),
        (
            json!({"token_endpoint": "https://user:pw@idp.example/token"}),
            refused(Endpoint::Token, Refused::Userinfo),
        ),
    ] {
        assert_eq!(faults_of(&changes).await, expected, "{changes}");
    }
    // Behind HTTPS the network guard looks at the address.
    let world = World::new().await;
    let client = client(config(&[443, world.hostile.port]));
    for address in [
        "10.0.0.8",
        "169.254.169.254",
        "[fd00::1]",
        "[::ffff:10.0.0.8]",
    ] {
        let keys = json!({"jwks_uri": format!("https://{address}/keys")});
        let document = changed(world.hostile.document(), &keys);
        world.hostile.answer(DISCOVERY, Answer::Json(document));
        let found = faults(&client, &world.settings).await;
        assert_eq!(
            found,
            refused(Endpoint::Keys, Refused::Address),
            "{address}"
        );
    }
}

/// Every name is somewhere inside.
#[derive(Debug)]
struct Inside;

impl Lookup for Inside {
    fn lookup(
        &self,
        _host: String,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + '_>> {
        Box::pin(async { Ok(vec![IpAddr::from([10, 0, 0, 8])]) })
    }
}

#[tokio::test]
async fn an_issuer_whose_name_leads_inside_is_not_called() {
    install_tls();
    let client = Client::with_lookup(Config::default(), Clock::system(), Arc::new(Inside));
    let client = client.expect("a client");
    let settings = Settings::new(Kind::Generic, "https://intranet.example", "us", None);
    let expected = SetupFault::Unreadable {
        endpoint: Endpoint::Discovery,
        trouble: Trouble::Refused(Refused::Address),
    };
    assert_eq!(faults(&client, &settings).await, [expected]);
}

#[tokio::test]
async fn settings_that_cannot_be_right_are_refused_without_a_call() {
    let client = client(Config::default());
    let settings = |issuer: &str| Settings::new(Kind::Generic, issuer, "us", None);
    for (issuer, fault) in [
        ("", SetupFault::IssuerInvalid),
        ("idp.example", SetupFault::IssuerInvalid),
        ("file:///etc/passwd", SetupFault::IssuerInvalid),
        ("https://idp.example?x=1", SetupFault::IssuerInvalid),
        ("https://idp.example#x", SetupFault::IssuerInvalid),
        ("http://idp.example", SetupFault::IssuerNotHttps),
        ("http://127.0.0.1", SetupFault::IssuerNotHttps),
        (
            "https://127.0.0.1",
            SetupFault::IssuerRefused(Refused::Address),
        ),
        ("https://[::1]", SetupFault::IssuerRefused(Refused::Address)),
        (
            "https://idp.example:22",
            SetupFault::IssuerRefused(Refused::Port(22)),
        ),
        (
            "https://a:b@idp.example",
            SetupFault::IssuerRefused(Refused::Userinfo),
        ),
    ] {
        assert_eq!(
            faults(&client, &settings(issuer)).await,
            [fault],
            "{issuer}"
        );
    }
    let mut nameless = settings("http://idp.example");
    nameless.client_id = " ".to_owned();
    let expected = [SetupFault::ClientIdMissing, SetupFault::IssuerNotHttps];
    assert_eq!(faults(&client, &nameless).await, expected);
    let google = Kind::Google {
        hosted_domains: Vec::new(),
    };
    let borrowed = Settings::new(google, "https://evil.example", "us", None);
    assert_eq!(
        faults(&client, &borrowed).await,
        [SetupFault::IssuerNotGoogle]
    );
    let tenant_ids = vec![Uuid::from_u128(1)];
    let borrowed = Settings::new(
        Kind::Entra { tenant_ids },
        "https://evil.example/common/v2.0",
        "us",
        None,
    );
    assert_eq!(
        faults(&client, &borrowed).await,
        [SetupFault::IssuerNotEntra]
    );
}

#[tokio::test]
async fn key_sets_that_give_the_key_away_are_refused() {
    let world = World::new().await;
    let mut private = world.key.jwk();
    private["d"] = json!("AAAA");
    let many: Vec<Value> = vec![json!({}); 10_000];
    for (keys, fault) in [
        (json!([]), SetupFault::NoKeys),
        (
            json!([world.key.jwk(), {"kty": "oct", "k": "c2VjcmV0"}]),
            SetupFault::SymmetricKey,
        ),
        (json!([private]), SetupFault::PrivateKey),
        (json!(many), SetupFault::TooManyKeys(100)),
        (json!("none"), SetupFault::KeysInvalid),
    ] {
        world
            .hostile
            .answer(KEYS, Answer::Json(json!({ "keys": keys })));
        assert_eq!(faults(&world.client, &world.settings).await, [fault]);
    }
}

#[tokio::test]
async fn every_fault_is_a_sentence() {
    let found = faults_of(&json!({"token_endpoint": "http://idp.example", "jwks_uri": null})).await;
    let sentences: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        sentences,
        [
            "The token endpoint in the discovery document must begin with https://.",
            "The discovery document names no key set.",
        ]
    );
}
