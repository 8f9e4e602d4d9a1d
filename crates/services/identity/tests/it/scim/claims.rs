//! Accounts whose address nobody had proven, and addresses that change.

use std::time::Duration;

use auth::Role;
use identity::Mail;
use proto::identity::v1::{
    ExchangeApiKeyRequest, RequestPasswordResetRequest, ResetPasswordRequest, VerifyEmailRequest,
};
use serde_json::{Value, json};
use testkit::eventually;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::method};

use super::stage::{Stage, connect, user};
use crate::world::{PASSWORD, World, as_caller, code};

const GRACE: &str = "grace@corp.example";

async fn exchange(world: &World, secret: &str) -> Result<(), tonic::Status> {
    let request = ExchangeApiKeyRequest {
        secret: secret.to_owned(),
        ..ExchangeApiKeyRequest::default()
    };
    let request = as_caller(request, &world.service().await);
    world.client.clone().exchange_api_key(request).await?;
    Ok(())
}

/// L-01, L-02 and L-03: password, session, second factor and API key of whoever signed up with another's address.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_took_an_address_in_advance_keeps_nothing_once_it_is_provisioned() {
    let stage = Stage::set().await;
    let world = &stage.world;
    let taken = world.sign_up(GRACE).await;
    let (attacker, id) = (taken.tokens.unwrap(), taken.user.unwrap().id);
    world.enable_totp(&attacker.access_token).await;
    let key = world
        .create_key(&attacker.access_token, Role::Admin, &[])
        .await
        .unwrap();
    exchange(world, &key.secret).await.unwrap();
    stage.verify_domain("corp.example").await;

    assert_eq!(stage.directory.user(GRACE).await, id);
    let refused = world.try_log_in(GRACE, PASSWORD).await.unwrap_err();
    assert_eq!(code(&refused), "auth.credentials_wrong");
    let refused = world.refresh(&attacker.refresh_token).await.unwrap_err();
    assert_eq!(code(&refused), "auth.refresh_invalid");
    world.hand.advance(Duration::from_secs(1));
    let refused = world.caller(&attacker.access_token).await.unwrap_err();
    assert_eq!(code(&refused), "auth.revoked");
    assert!(exchange(world, &key.secret).await.is_err());
    let mut admin = world.db.admin().await;
    let (factors, codes, links): (i64, i64, i64) = sqlx::query_as(
        "select (select count(*) from identity.totp_factors), (select count(*) from identity.recovery_codes),
                (select count(*) from identity.email_links l join identity.users u on u.id = l.user_id
                 where u.email = $1)",
    )
    .bind(GRACE)
    .fetch_one(&mut admin)
    .await
    .unwrap();
    assert_eq!((factors, codes, links), (0, 0, 0));
    // The name is the directory's, too.
    assert_eq!(stage.person(&id).await.unwrap().1, "Grace Hopper");
    let actions = stage.audited().await;
    assert!(actions.iter().any(|(_, action)| action == "member.joined"));
    assert_eq!(organizations_that_know(world, "account.claimed").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_proved_the_address_keeps_the_account() {
    let stage = Stage::set().await;
    let known = stage.stranger(GRACE).await;
    stage
        .world
        .execute("update identity.users set email_verified_at = now()")
        .await;
    stage.verify_domain("corp.example").await;
    assert_eq!(stage.directory.user(GRACE).await, known.to_string());
    assert!(stage.world.log_in(GRACE).await.tokens.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_gets_an_owned_address_is_not_its_makers_any_more() {
    let stage = Stage::set().await;
    let member = stage.stranger(GRACE).await;
    stage.make_member(member, Role::Agent).await;
    // Adopted as it is: the domain was not proven yet.
    let id = stage.directory.user(GRACE).await;
    stage.world.log_in(GRACE).await;
    stage.verify_domain("corp.example").await;
    move_to(&stage, &id, "hopper@corp.example").await;
    for email in [GRACE, "hopper@corp.example"] {
        let refused = stage.world.try_log_in(email, PASSWORD).await.unwrap_err();
        assert_eq!(code(&refused), "auth.credentials_wrong", "{email}");
    }
}

async fn move_to(stage: &Stage, id: &str, email: &str) {
    let operations = json!([
        {"op": "replace", "path": "userName", "value": email},
        {"op": "replace", "path": "emails[type eq \"work\"].value", "value": email},
    ]);
    let moved = stage
        .directory
        .patch(&format!("/Users/{id}"), &operations)
        .await;
    assert_eq!(moved.status, 200, "{moved:?}");
    assert_eq!(stage.person(id).await.unwrap().0, email);
    stage.world.hand.advance(Duration::from_secs(1));
}

/// How many organizations have an entry of the kind.
async fn organizations_that_know(world: &World, action: &str) -> i64 {
    let mut admin = world.db.admin().await;
    sqlx::query_scalar(
        "select count(distinct organization_id) from identity.audit_entries where action = $1",
    )
    .bind(action)
    .fetch_one(&mut admin)
    .await
    .unwrap()
}

/// L-04.
#[tokio::test(flavor = "multi_thread")]
async fn links_to_an_address_are_void_once_it_changed_even_if_it_comes_back() {
    let stage = Stage::set().await;
    let member = stage.stranger(GRACE).await;
    stage.make_member(member, Role::Agent).await;
    let id = stage.directory.user(GRACE).await;
    stage.verify_domain("corp.example").await;
    let world = &stage.world;
    // Links that were sent before the address was proven go with the claim; these come after it.
    world
        .execute("update identity.users set email_verified_at = now()")
        .await;
    let request = RequestPasswordResetRequest {
        email: GRACE.to_owned(),
    };
    let mut accounts = world.accounts();
    accounts.request_password_reset(request).await.unwrap();
    let (reset, verify) = (
        world.link("reset_password").await,
        world.link("verify_email").await,
    );
    move_to(&stage, &id, "hopper@corp.example").await;
    move_to(&stage, &id, GRACE).await;

    let request = ResetPasswordRequest {
        secret: reset,
        new_password: "a password of somebody else".to_owned(),
    };
    let refused = accounts.reset_password(request).await.unwrap_err();
    assert_eq!(code(&refused), "identity.link_invalid");
    let request = VerifyEmailRequest {
        secret: verify,
        password: PASSWORD.to_owned(),
    };
    let refused = accounts.verify_email(request).await.unwrap_err();
    assert_eq!(code(&refused), "identity.link_invalid");
    world.log_in(GRACE).await;
    // Both organizations of the person know.
    assert_eq!(
        organizations_that_know(world, "member.address_changed").await,
        2
    );
    assert_eq!(world.letters("address_changed").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_former_address_is_told_of_the_change() {
    let resend = MockServer::start().await;
    let taken = json!({ "id": "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794" });
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200).set_body_json(taken))
        .mount(&resend)
        .await;
    let mut stage = Stage::set().await;
    stage.world.config.mail = Mail {
        api_key: "re_test".into(),
        from: "Switchboard <mail@switchboard.example>".to_owned(),
        base_url: resend.uri(),
    };
    "https://app.example.com".clone_into(&mut stage.world.config.app_url);
    stage.world.restart().await;
    stage.directory = connect(&stage.world, &stage.owner_token, &stage.gateway)
        .await
        .unwrap();
    stage.verify_domain("corp.example").await;
    let made = stage.directory.post("/Users", &user(GRACE)).await;
    move_to(&stage, &made.id(), "hopper@corp.example").await;
    let sent = eventually(Duration::from_secs(30), async || {
        let requests = resend.received_requests().await.unwrap();
        requests
            .iter()
            .filter_map(|request| request.body_json::<Value>().ok())
            .find(|mail| mail["subject"] == "You log in with another address now")
    })
    .await;
    assert_eq!(sent["to"], json!([GRACE]));
}
