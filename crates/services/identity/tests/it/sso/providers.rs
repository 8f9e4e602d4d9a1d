//! Providers that change, or do not answer.

use std::time::Duration;

use proto::identity::v1::{OidcKind, UpdateSsoConnectionRequest};

use super::oidc::{Corp, connecting};
use crate::world::{as_caller, code};

#[tokio::test]
async fn a_connection_stays_of_its_kind() {
    let corp = Corp::start().await;
    let mut oidc = corp.connection.oidc.clone().unwrap();
    oidc.kind = OidcKind::Okta.into();
    let request = UpdateSsoConnectionRequest {
        connection_id: corp.connection.id.clone(),
        name: corp.connection.name.clone(),
        enabled: true,
        oidc: Some(oidc),
        version: corp.connection.version,
        ..UpdateSsoConnectionRequest::default()
    };
    let request = as_caller(request, &corp.tenant.owner);
    let mut sso = corp.stage.sso.clone();
    let refused = sso.update_sso_connection(request).await.unwrap_err();
    let problem = errors::Problem::from_status(&refused);
    assert_eq!(problem.errors[0].field, "oidc.kind");
}

/// The gateway waits five seconds; the answer and its trace must be there before.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_does_not_answer_is_given_up_before_the_caller_gives_up() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", silent.local_addr().unwrap());
    let port = silent.local_addr().unwrap().port();
    let corp = Corp::with(|config| config.sso.loopback_ports.push(port)).await;
    let (_, back) = corp.visit("ann").await;
    let process = corp.partner.process.id().to_string();
    let stopped = std::process::Command::new("kill")
        .args(["-STOP", &process])
        .status();
    assert!(stopped.unwrap().success());

    let patience = Duration::from_secs(5);
    let (mut one, mut two) = (corp.stage.sso.clone(), corp.stage.sso.clone());
    let mut finishing = as_caller(back, &corp.stage.service);
    finishing.set_timeout(patience);
    let mut saving = as_caller(connecting(&issuer), &corp.tenant.owner);
    saving.set_timeout(patience);
    let (finished, saved) = tokio::join!(
        one.finish_oidc(finishing),
        two.create_sso_connection(saving)
    );
    let outcome = finished.map(tonic::Response::into_inner);
    assert_eq!(corp.refusal(outcome).await, "provider_failed");
    let refused = saved.unwrap_err();
    assert_eq!(code(&refused), "sso.provider_unusable");
    let problem = errors::Problem::from_status(&refused);
    assert!(problem.detail.contains("too long"), "{}", problem.detail);
}
