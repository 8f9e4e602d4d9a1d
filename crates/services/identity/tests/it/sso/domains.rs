//! E-mail domains of organizations.

use documents::now;
use proto::identity::v1::{
    AddSsoDomainRequest, FindLoginMethodRequest, FindLoginMethodResponse, RemoveSsoDomainRequest,
    RouteSsoDomainRequest, SsoDomain, VerifySsoDomainRequest,
};
use tonic::Status;

use super::{
    documents,
    saml::{Corp, connecting},
    stage::{Stage, Tenant},
};
use crate::world::{as_caller, code};

async fn add(stage: &Stage, tenant: &Tenant, domain: &str) -> Result<SsoDomain, Status> {
    let domain = domain.to_owned();
    let request = as_caller(AddSsoDomainRequest { domain }, &tenant.owner);
    Ok(stage
        .sso
        .clone()
        .add_sso_domain(request)
        .await?
        .into_inner())
}

async fn verify(stage: &Stage, tenant: &Tenant, domain: &str) -> Result<SsoDomain, Status> {
    let domain = domain.to_owned();
    let request = as_caller(VerifySsoDomainRequest { domain }, &tenant.owner);
    Ok(stage
        .sso
        .clone()
        .verify_sso_domain(request)
        .await?
        .into_inner())
}

async fn route(
    stage: &Stage,
    tenant: &Tenant,
    domain: &str,
    connection_id: &str,
) -> Result<SsoDomain, Status> {
    let request = RouteSsoDomainRequest {
        domain: domain.to_owned(),
        connection_id: connection_id.to_owned(),
    };
    let request = as_caller(request, &tenant.owner);
    Ok(stage
        .sso
        .clone()
        .route_sso_domain(request)
        .await?
        .into_inner())
}

async fn method(stage: &Stage, email: &str) -> FindLoginMethodResponse {
    let email = email.to_owned();
    let request = FindLoginMethodRequest { email };
    stage
        .sso
        .clone()
        .find_login_method(request)
        .await
        .unwrap()
        .into_inner()
}

#[tokio::test]
async fn a_domain_is_proven_by_its_dns_record() {
    let stage = Stage::start(now(), |_| ()).await;
    let tenant = stage.tenant("owner@corp.example").await;
    let claimed = add(&stage, &tenant, " M\u{fc}nchen.Example. ")
        .await
        .unwrap();
    assert_eq!(claimed.domain, "xn--mnchen-3ya.example");
    assert_eq!(
        claimed.record_name,
        "_switchboard-challenge.xn--mnchen-3ya.example"
    );
    assert!(!claimed.verified);
    let again = add(&stage, &tenant, "m\u{fc}nchen.example").await.unwrap();
    assert_eq!(again.record_value, claimed.record_value);
    for published in ["", "switchboard-verification=wrong"] {
        if !published.is_empty() {
            stage.dns.publish(&claimed.record_name, published);
        }
        let refused = verify(&stage, &tenant, &claimed.domain).await.unwrap_err();
        assert_eq!(code(&refused), "sso.domain_unproven");
    }
    stage
        .dns
        .publish(&claimed.record_name, &claimed.record_value);
    assert!(
        verify(&stage, &tenant, &claimed.domain)
            .await
            .unwrap()
            .verified
    );
}

#[tokio::test]
async fn a_domain_belongs_to_one_organization() {
    let stage = Stage::start(now(), |_| ()).await;
    let (one, other) = (
        stage.tenant("a@one.example").await,
        stage.tenant("a@two.example").await,
    );
    let first = add(&stage, &one, "corp.example").await.unwrap();
    let second = add(&stage, &other, "corp.example").await.unwrap();
    assert_ne!(first.record_value, second.record_value);
    stage.dns.publish(&first.record_name, &first.record_value);
    // One's record proves nothing for the other.
    let refused = verify(&stage, &other, "corp.example").await.unwrap_err();
    assert_eq!(code(&refused), "sso.domain_unproven");
    verify(&stage, &one, "corp.example").await.unwrap();
    stage.dns.publish(&second.record_name, &second.record_value);
    let refused = verify(&stage, &other, "corp.example").await.unwrap_err();
    assert_eq!(code(&refused), "sso.domain_taken");
    let domain = "corp.example".to_owned();
    let request = as_caller(RemoveSsoDomainRequest { domain }, &one.owner);
    stage.sso.clone().remove_sso_domain(request).await.unwrap();
    assert!(
        verify(&stage, &other, "corp.example")
            .await
            .unwrap()
            .verified
    );
}

#[tokio::test]
async fn a_domain_passes_on_when_its_holders_record_is_gone() {
    let corp = Corp::start().await;
    let stage = &corp.stage;
    let other = stage.tenant("a@two.example").await;
    let held = add(stage, &corp.tenant, "sold.example").await.unwrap();
    stage.dns.publish(&held.record_name, &held.record_value);
    verify(stage, &corp.tenant, &held.domain).await.unwrap();
    let id = &corp.connection.id;
    route(stage, &corp.tenant, &held.domain, id).await.unwrap();
    let bought = add(stage, &other, "sold.example").await.unwrap();
    stage.dns.publish(&bought.record_name, &bought.record_value);
    let refused = verify(stage, &other, &bought.domain).await.unwrap_err();
    assert_eq!(code(&refused), "sso.domain_taken");
    stage.dns.withdraw(&held.record_name, &held.record_value);
    // Nobody takes it without a record of their own.
    let third = stage.tenant("a@three.example").await;
    add(stage, &third, "sold.example").await.unwrap();
    let refused = verify(stage, &third, "sold.example").await.unwrap_err();
    assert_eq!(code(&refused), "sso.domain_unproven");
    assert_eq!(&method(stage, "ada@sold.example").await.connection_id, id);

    assert!(
        verify(stage, &other, &bought.domain)
            .await
            .unwrap()
            .verified
    );
    assert_eq!(
        method(stage, "ada@sold.example").await,
        FindLoginMethodResponse::default()
    );
    assert!(stage.world.dump().await.contains("sso_domain.lost"));
    // It can come back in the same way only.
    let refused = verify(stage, &corp.tenant, &held.domain).await.unwrap_err();
    assert_eq!(code(&refused), "sso.domain_unproven");
}

#[tokio::test]
async fn nobody_claims_what_is_everybodys() {
    let stage = Stage::start(now(), |_| ()).await;
    let tenant = stage.tenant("owner@corp.example").await;
    for (domain, expected) in [
        ("gmail.com", "sso.domain_public"),
        ("co.uk", "sso.domain_public"),
        ("corp", "request.invalid"),
        ("127.0.0.1", "request.invalid"),
    ] {
        let refused = add(&stage, &tenant, domain).await.unwrap_err();
        assert_eq!(code(&refused), expected, "{domain}");
    }
}

#[tokio::test]
async fn people_are_led_by_the_domain_alone() {
    let corp = Corp::start().await;
    let (stage, tenant) = (&corp.stage, &corp.tenant);
    assert_eq!(
        method(stage, "owner@corp.example").await,
        FindLoginMethodResponse::default()
    );
    let unproven = add(stage, tenant, "late.example").await.unwrap();
    let refused = route(stage, tenant, &unproven.domain, &corp.connection.id)
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "precondition_failed");
    route(stage, tenant, "corp.example", &corp.connection.id)
        .await
        .unwrap();
    // Whether there is such a person makes no difference.
    for email in ["owner@corp.example", "nobody@CORP.example"] {
        let found = method(stage, email).await;
        assert_eq!(found.connection_id, corp.connection.id);
        assert!(!found.required);
    }
    assert_eq!(
        method(stage, "owner@sub.corp.example").await,
        FindLoginMethodResponse::default()
    );
    // Another organization can't lead people to our connection, nor ours to theirs.
    let other = stage.tenant("owner@other.example").await;
    stage.own_domain(&other, "other.example").await;
    let refused = route(stage, &other, "other.example", &corp.connection.id)
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "not_found");
    let theirs = stage
        .connect(&other, connecting(&corp.idp.metadata))
        .await
        .unwrap();
    let refused = route(stage, tenant, "corp.example", &theirs.id)
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "not_found");
}
