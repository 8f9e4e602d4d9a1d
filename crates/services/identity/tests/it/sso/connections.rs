//! What administrators do with connections.

use std::time::Duration;

use chrono::TimeDelta;
use proto::identity::v1::{
    DeleteSsoConnectionRequest, GetSsoConnectionRequest, OidcProvider, SamlProvider, SsoConnection,
    UpdateSsoConnectionRequest,
};
use testkit::eventually;
use tonic::Status;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::path};

use super::{
    documents::{idp_metadata, now},
    saml::{Corp, Idp, connecting},
    signer::Signer,
    stage::{PUBLIC, Stage, Tenant, today},
};
use crate::world::{as_caller, code};

fn replacing(connection: &SsoConnection) -> UpdateSsoConnectionRequest {
    UpdateSsoConnectionRequest {
        connection_id: connection.id.clone(),
        name: connection.name.clone(),
        enabled: connection.enabled,
        oidc: connection.oidc.clone(),
        saml: connection.saml.clone(),
        provisions: connection.provisions,
        default_role: connection.default_role,
        role_mappings: connection.role_mappings.clone(),
        version: connection.version,
    }
}

async fn update(
    stage: &Stage,
    tenant: &Tenant,
    request: UpdateSsoConnectionRequest,
) -> Result<SsoConnection, Status> {
    let request = as_caller(request, &tenant.owner);
    Ok(stage
        .sso
        .clone()
        .update_sso_connection(request)
        .await?
        .into_inner())
}

async fn get(stage: &Stage, tenant: &Tenant, id: &str) -> Result<SsoConnection, Status> {
    let connection_id = id.to_owned();
    let request = as_caller(GetSsoConnectionRequest { connection_id }, &tenant.owner);
    Ok(stage
        .sso
        .clone()
        .get_sso_connection(request)
        .await?
        .into_inner())
}

#[tokio::test]
async fn a_connection_says_what_to_enter_at_the_provider() {
    let corp = Corp::start().await;
    let id = &corp.connection.id;
    let saml = corp.connection.saml.as_ref().unwrap();
    assert_eq!(saml.acs_url, format!("{PUBLIC}/sso/saml/{id}/acs"));
    assert_eq!(saml.entity_id, format!("{PUBLIC}/sso/saml/{id}/metadata"));
    assert_eq!(saml.certificates.len(), 1);
    assert!(
        corp.connection.warnings.is_empty(),
        "{:?}",
        corp.connection.warnings
    );
    let other = corp.stage.tenant("owner@other.example").await;
    let refused = get(&corp.stage, &other, id).await.unwrap_err();
    assert_eq!(code(&refused), "not_found");
}

#[tokio::test]
async fn a_change_of_what_was_changed_meanwhile_is_refused() {
    let corp = Corp::start().await;
    let mut request = replacing(&corp.connection);
    request.name = "Renamed".to_owned();
    let renamed = update(&corp.stage, &corp.tenant, request.clone())
        .await
        .unwrap();
    assert_eq!((renamed.name.as_str(), renamed.version), ("Renamed", 2));
    // Its metadata was not given again, and is still there.
    assert_eq!(renamed.saml, corp.connection.saml);
    let refused = update(&corp.stage, &corp.tenant, request)
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "conflict");
}

#[tokio::test]
async fn another_provider_is_another_connection() {
    let corp = Corp::start().await;
    let theirs = corp
        .idp
        .metadata
        .replace("https://idp.example/metadata", "https://other.example");
    let mut other = replacing(&corp.connection);
    other.saml = Some(SamlProvider {
        metadata_xml: theirs,
        ..SamlProvider::default()
    });
    let mut kind = replacing(&corp.connection);
    kind.saml = None;
    kind.oidc = Some(OidcProvider {
        issuer: "https://idp.example".to_owned(),
        client_id: "us".to_owned(),
        ..OidcProvider::default()
    });
    for request in [other, kind] {
        let refused = update(&corp.stage, &corp.tenant, request)
            .await
            .unwrap_err();
        assert_eq!(code(&refused), "sso.provider_unusable");
    }
}

#[tokio::test]
async fn broken_metadata_is_refused_when_it_is_saved() {
    let stage = Stage::start(now(), |_| ()).await;
    let tenant = stage.tenant("owner@corp.example").await;
    for (metadata, words) in [
        ("nonsense".to_owned(), "metadata"),
        (idp_metadata(&[]), "signing certificate"),
        (format!("<!DOCTYPE a>{}", Idp::start().metadata), "metadata"),
    ] {
        let refused = stage
            .connect(&tenant, connecting(&metadata))
            .await
            .unwrap_err();
        assert_eq!(code(&refused), "sso.provider_unusable");
        let problem = errors::Problem::from_status(&refused);
        assert!(problem.detail.contains(words), "{}", problem.detail);
    }
    let refused = stage.connect(&tenant, connecting("")).await.unwrap_err();
    assert_eq!(code(&refused), "request.invalid");
    let mut inside = connecting("");
    inside.saml.as_mut().unwrap().metadata_url = "https://127.0.0.1/metadata".to_owned();
    let refused = stage.connect(&tenant, inside).await.unwrap_err();
    let problem = errors::Problem::from_status(&refused);
    assert_eq!(problem.errors[0].field, "saml.metadataUrl");
    assert!(
        problem.detail.contains("public address"),
        "{}",
        problem.detail
    );
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_warned_of() {
    let stage = Stage::start(now(), |_| ()).await;
    let tenant = stage.tenant("owner@corp.example").await;
    let mut signer = Signer::start();
    // Ten days after the time of the test, whenever that is.
    let until = (now() + TimeDelta::days(10) - today()).num_days();
    let soon = signer.key_until("soon", "rsa-2048", i32::try_from(until).unwrap());
    let request = connecting(&idp_metadata(&[&soon]));
    let connection = stage.connect(&tenant, request).await.unwrap();
    assert_eq!(connection.warnings.len(), 1);
    assert!(
        connection.warnings[0].contains("ends on"),
        "{:?}",
        connection.warnings
    );
}

#[tokio::test]
async fn sessions_that_came_through_a_deleted_connection_end() {
    let mut corp = Corp::start().await;
    let login = corp
        .log_in("ada@corp.example", &[])
        .await
        .unwrap()
        .login
        .unwrap();
    let tokens = login.tokens.unwrap();
    let connection_id = corp.connection.id.clone();
    let request = as_caller(
        DeleteSsoConnectionRequest { connection_id },
        &corp.tenant.owner,
    );
    corp.stage
        .sso
        .clone()
        .delete_sso_connection(request)
        .await
        .unwrap();
    let world = &corp.stage.world;
    let refused = world.refresh(&tokens.refresh_token).await.unwrap_err();
    assert_eq!(code(&refused), "auth.refresh_invalid");
    world.hand.advance(Duration::from_secs(1));
    let refused = world.caller(&tokens.access_token).await.unwrap_err();
    assert_eq!(code(&refused), "auth.revoked");
    let refused = corp.stage.begin(&corp.connection, "/").await.err().unwrap();
    assert_eq!(code(&refused), "auth.sso_failed");
}

#[tokio::test]
async fn a_disabled_connection_lets_nobody_in() {
    let corp = Corp::start().await;
    let mut request = replacing(&corp.connection);
    request.enabled = false;
    update(&corp.stage, &corp.tenant, request).await.unwrap();
    let refused = corp.stage.begin(&corp.connection, "/").await.err().unwrap();
    assert_eq!(code(&refused), "auth.sso_failed");
    let traces = corp.stage.traces(&corp.tenant, &corp.connection).await;
    assert_eq!(traces[0].reason, "connection_disabled");
}

#[tokio::test]
async fn newer_metadata_is_looked_for_every_day() {
    let server = MockServer::start().await;
    let port = server.address().port();
    let stage = Stage::start(now(), |config| config.sso.loopback_ports = vec![port]).await;
    let tenant = stage.tenant("owner@corp.example").await;
    let (before, after) = (Idp::start().metadata, Idp::start().metadata);
    let answer = async |body: &str| {
        server.reset().await;
        let response = ResponseTemplate::new(200).set_body_string(body);
        Mock::given(path("/metadata"))
            .respond_with(response)
            .mount(&server)
            .await;
    };
    answer(&before).await;
    let mut request = connecting("");
    request.saml.as_mut().unwrap().metadata_url = format!("{}/metadata", server.uri());
    let connection = stage.connect(&tenant, request).await.unwrap();
    let shown = async || get(&stage, &tenant, &connection.id).await;
    let day = Duration::from_hours(25);
    // What is no metadata is told, and nothing is lost. Fresh proofs and tokens are made for each look.
    answer("nonsense").await;
    stage.world.hand.advance(day);
    let column = async |sql: &str| stage.world.dump().await.contains(sql);
    eventually(Duration::from_secs(20), async || {
        column("The metadata at its address").await
    })
    .await;
    answer(&after).await;
    stage.world.hand.advance(day);
    let certificate = after
        .split("X509Certificate>")
        .nth(1)
        .unwrap()
        .get(..200)
        .unwrap()
        .to_owned();
    eventually(Duration::from_secs(20), async || column(&certificate).await).await;
    assert!(shown().await.is_err(), "the token has expired by now");
}
