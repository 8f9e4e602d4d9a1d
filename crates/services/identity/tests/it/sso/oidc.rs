//! Logins at an OpenID provider.

use std::{collections::BTreeMap, time::Duration};

use http::{Method, header};
use outbound::Client;
use proto::identity::v1::{
    CreateSsoConnectionRequest, FinishOidcRequest, FinishSsoResponse, OidcProvider, Role,
    SsoConnection, UpdateSsoConnectionRequest,
};
use serde_json::{Value, json};
use tonic::Status;
use url::Url;

use super::{
    partner::Partner,
    saml::mapping,
    stage::{Begun, PUBLIC, Stage, Tenant, parameter, today},
};
use crate::world::{as_caller, code};

/// A provider where clients register themselves, and an organization that is connected to it.
pub(super) struct Corp {
    pub(super) partner: Partner,
    pub(super) stage: Stage,
    pub(super) tenant: Tenant,
    pub(super) connection: SsoConnection,
}

pub(super) fn connecting(issuer: &str) -> CreateSsoConnectionRequest {
    CreateSsoConnectionRequest {
        name: "Corp".to_owned(),
        oidc: Some(OidcProvider {
            issuer: issuer.to_owned(),
            client_id: "to be registered".to_owned(),
            ..OidcProvider::default()
        }),
        saml: None,
        provisions: true,
        default_role: Role::Unspecified.into(),
        role_mappings: vec![mapping("admins", Role::Admin)],
    }
}

fn http() -> Client {
    Client::new(
        "browser",
        outbound::Config::default(),
        clock::Clock::system(),
    )
    .unwrap()
}

/// Registers the redirect address of a connection with the provider, and enters what the provider gave.
async fn register(
    stage: &Stage,
    tenant: &Tenant,
    issuer: &str,
    created: SsoConnection,
) -> SsoConnection {
    let oidc = created.oidc.unwrap();
    let body = json!({
        "redirect_uris": [oidc.redirect_uri], "grant_types": ["authorization_code"],
        "response_types": ["code"], "token_endpoint_auth_method": "client_secret_basic",
    });
    let url: Url = format!("{issuer}/reg").parse().unwrap();
    let answer = http()
        .request("register", Method::POST, url)
        .json(&body)
        .send()
        .await
        .unwrap();
    let client: Value = answer.json().unwrap();
    let request = UpdateSsoConnectionRequest {
        connection_id: created.id,
        name: created.name,
        enabled: true,
        oidc: Some(OidcProvider {
            client_id: client["client_id"].as_str().unwrap().to_owned(),
            client_secret: client["client_secret"].as_str().unwrap().to_owned(),
            scopes: ["openid", "email", "profile", "groups"]
                .map(str::to_owned)
                .to_vec(),
            redirect_uri: String::new(),
            ..oidc
        }),
        saml: None,
        provisions: true,
        default_role: created.default_role,
        role_mappings: created.role_mappings,
        version: created.version,
    };
    let request = as_caller(request, &tenant.owner);
    stage
        .sso
        .clone()
        .update_sso_connection(request)
        .await
        .unwrap()
        .into_inner()
}

impl Corp {
    pub(super) async fn start() -> Self {
        Self::with(|_| ()).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut identity::Config)) -> Self {
        let configuration = json!({
            "clients": [],
            "accounts": {
                "ann": {
                    "email": "ann@corp.example", "email_verified": true, "name": "Ann Example",
                    "groups": ["sales", "admins"],
                },
                "bob": {"email": "bob@corp.example", "email_verified": "true"},
                "eve": {"email": "owner@corp.example", "email_verified": false},
            },
            "features": {
                "features": {"registration": {"enabled": true}, "devInteractions": {"enabled": false}},
            },
        });
        let partner = Partner::start(configuration).await;
        let port = partner.port();
        let stage = Stage::start(today(), |config| {
            config.sso.loopback_ports = vec![port];
            change(config);
        })
        .await;
        let tenant = stage.tenant("owner@corp.example").await;
        stage.own_domain(&tenant, "corp.example").await;
        let created = stage
            .connect(&tenant, connecting(&partner.issuer))
            .await
            .unwrap();
        let connection = register(&stage, &tenant, &partner.issuer, created).await;
        Self {
            partner,
            stage,
            tenant,
            connection,
        }
    }

    async fn begin(&self, person: &str) -> Begun {
        let mut begun = self
            .stage
            .begin(&self.connection, "/inbox?mine=1")
            .await
            .unwrap();
        begun
            .url
            .query_pairs_mut()
            .append_pair("login_hint", person);
        begun
    }

    /// To the provider and back.
    pub(super) async fn visit(&self, person: &str) -> (Begun, FinishOidcRequest) {
        let begun = self.begin(person).await;
        let back = back(&self.connection, &begun).await;
        (begun, back)
    }

    async fn finish(&self, request: FinishOidcRequest) -> Result<FinishSsoResponse, Status> {
        let request = as_caller(request, &self.stage.service);
        Ok(self
            .stage
            .sso
            .clone()
            .finish_oidc(request)
            .await?
            .into_inner())
    }

    pub(super) async fn refusal(&self, outcome: Result<FinishSsoResponse, Status>) -> String {
        self.stage
            .refusal(&self.tenant, &self.connection, outcome)
            .await
    }
}

/// What the gateway would hand over after the provider sent the browser back.
async fn back(connection: &SsoConnection, begun: &Begun) -> FinishOidcRequest {
    let redirect_uri = &connection.oidc.as_ref().unwrap().redirect_uri;
    let at = follow(begun.url.clone(), redirect_uri).await;
    FinishOidcRequest {
        connection_id: connection.id.clone(),
        code: parameter(&at, "code"),
        state: parameter(&at, "state"),
        iss: parameter(&at, "iss"),
        error: parameter(&at, "error"),
        error_description: parameter(&at, "error_description"),
        browser_secret: begun.secret.clone(),
    }
}

/// Follows redirects with cookies until our address.
async fn follow(mut at: Url, until: &str) -> Url {
    let client = http();
    let mut cookies: BTreeMap<String, String> = BTreeMap::new();
    for _ in 0..10 {
        let sent: Vec<String> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = client
            .request("visit", Method::GET, at.clone())
            .header(header::COOKIE, &sent.join("; "));
        let response = request.send().await.unwrap();
        for set in response.headers().get_all(header::SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            cookies.insert(name.to_owned(), value.to_owned());
        }
        let location = response.header("location").unwrap();
        at = at.join(location).unwrap();
        if at.as_str().starts_with(until) {
            return at;
        }
    }
    panic!("too many redirects");
}

#[tokio::test]
async fn a_person_logs_in_through_an_openid_provider() {
    let corp = Corp::start().await;
    let expected = format!("{PUBLIC}/sso/oidc/{}/callback", corp.connection.id);
    assert_eq!(
        corp.connection.oidc.as_ref().unwrap().redirect_uri,
        expected
    );
    let (_, back) = corp.visit("ann").await;
    let first = corp.finish(back).await.unwrap();
    assert_eq!(first.return_to, "/inbox?mine=1");
    let login = first.login.unwrap();
    assert_eq!(login.role(), Role::Admin);
    let user = login.user.unwrap();
    assert_eq!(
        (user.email.as_str(), user.name.as_str()),
        ("ann@corp.example", "Ann Example")
    );
    let (_, back) = corp.visit("ann").await;
    let second = corp.finish(back).await.unwrap().login.unwrap();
    assert_eq!(second.user.unwrap().id, user.id);
    let dump = corp.stage.world.dump().await;
    assert!(dump.contains("{oidc}"), "the session says how it began");
    assert!(!dump.contains(&login.tokens.unwrap().access_token));
}

#[tokio::test]
async fn a_state_works_once_and_in_its_browser() {
    let mut corp = Corp::start().await;
    let (_, victim) = corp.visit("ann").await;
    let (_, attacker) = corp.visit("bob").await;
    // The attacker's answer in the victim's browser.
    let foreign = FinishOidcRequest {
        browser_secret: victim.browser_secret.clone(),
        ..attacker.clone()
    };
    assert_eq!(
        corp.refusal(corp.finish(foreign).await).await,
        "browser_mismatch"
    );
    for state in ["", "AAAA"] {
        let forged = FinishOidcRequest {
            state: state.to_owned(),
            ..victim.clone()
        };
        let outcome = corp.finish(forged).await;
        corp.stage
            .refused_without_a_trace(&corp.tenant, &corp.connection, outcome)
            .await;
    }
    corp.finish(victim.clone()).await.unwrap();
    assert_eq!(corp.refusal(corp.finish(victim).await).await, "flow_used");
    let (_, late) = corp.visit("ann").await;
    corp.stage
        .wait(&mut corp.tenant, Duration::from_mins(10))
        .await;
    assert_eq!(corp.refusal(corp.finish(late).await).await, "flow_expired");
}

#[tokio::test]
async fn an_answer_of_one_connection_is_worth_nothing_at_another() {
    let corp = Corp::start().await;
    let other = corp.stage.tenant("owner@other.example").await;
    let created = corp
        .stage
        .connect(&other, connecting(&corp.partner.issuer))
        .await
        .unwrap();
    let connection = register(&corp.stage, &other, &corp.partner.issuer, created).await;
    let (_, answer) = corp.visit("ann").await;
    let moved = FinishOidcRequest {
        connection_id: connection.id.clone(),
        ..answer.clone()
    };
    let outcome = corp.finish(moved).await;
    corp.stage
        .refused_without_a_trace(&other, &connection, outcome)
        .await;
    // An answer in another provider's name.
    let mixed = FinishOidcRequest {
        iss: "https://evil.example".to_owned(),
        ..answer
    };
    assert_eq!(
        corp.refusal(corp.finish(mixed).await).await,
        "issuer_parameter_mismatch"
    );
}

#[tokio::test]
async fn an_address_that_the_provider_does_not_vouch_for_links_nobody() {
    let corp = Corp::start().await;
    // A text is no word of the provider, and `false` is the opposite of one; the owner's address is in reach of neither.
    for person in ["bob", "eve"] {
        let (_, back) = corp.visit(person).await;
        assert_eq!(
            corp.refusal(corp.finish(back).await).await,
            "email_not_verified",
            "{person}"
        );
    }
}

#[tokio::test]
async fn the_way_back_leads_into_the_application() {
    let corp = Corp::start().await;
    for return_to in [
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "https://evil.example",
    ] {
        let begun = corp.stage.begin(&corp.connection, return_to).await.unwrap();
        let back = back(&corp.connection, &begun).await;
        assert_eq!(
            corp.finish(back).await.unwrap().return_to,
            "/",
            "{return_to}"
        );
    }
}

#[tokio::test]
async fn a_broken_configuration_is_refused_when_it_is_saved() {
    let corp = Corp::start().await;
    let issuer = &corp.partner.issuer;
    for (wrong, words) in [
        (format!("{issuer}/"), "issuer"),
        (format!("{issuer}/nothing-here"), "could not be read"),
        ("http://127.0.0.1:1".to_owned(), "port 1 is not allowed"),
        ("http://idp.example".to_owned(), "https"),
        ("https://169.254.169.254".to_owned(), "address"),
        ("https://accounts.google.com".to_owned(), "kind Google"),
        (
            "https://login.microsoftonline.com/common/v2.0".to_owned(),
            "kind Entra",
        ),
    ] {
        let refused = corp
            .stage
            .connect(&corp.tenant, connecting(&wrong))
            .await
            .unwrap_err();
        assert_eq!(code(&refused), "sso.provider_unusable", "{wrong}");
        let problem = errors::Problem::from_status(&refused);
        assert!(
            problem.detail.contains(words),
            "{wrong}: {}",
            problem.detail
        );
        assert_eq!(problem.errors[0].field, "oidc.issuer");
    }
}
