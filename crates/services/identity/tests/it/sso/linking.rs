//! Whose account somebody gets whom a provider vouches for.

use proto::identity::v1::{
    ConfirmIdentityRequest, CreateSsoConnectionRequest, DisableTotpRequest, Role, SessionTokens,
    SetSsoRequiredRequest,
};
use tonic::Status;

use super::{
    documents::attribute,
    saml::{Corp, about, answering, connecting, finish, mapping, posted, request_id},
};
use crate::{
    scim,
    world::{PASSWORD, as_caller, code},
};

const UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";

#[tokio::test]
async fn whoever_took_an_address_in_advance_keeps_nothing_of_the_account() {
    let mut corp = Corp::start().await;
    // Somebody signs up with an address that is not theirs, and stays logged in.
    let taken = corp.stage.world.sign_up("victim@corp.example").await;
    let (attacker, user) = (taken.tokens.unwrap(), taken.user.unwrap());
    let arrived = corp.log_in("victim@corp.example", &[]).await.unwrap();
    assert_eq!(arrived.login.unwrap().user.unwrap().id, user.id);
    let refused = corp
        .stage
        .world
        .try_log_in("victim@corp.example", PASSWORD)
        .await;
    assert_eq!(code(&refused.unwrap_err()), "auth.credentials_wrong");
    let refused = corp.stage.world.refresh(&attacker.refresh_token).await;
    assert_eq!(code(&refused.unwrap_err()), "auth.refresh_invalid");
    corp.stage
        .world
        .hand
        .advance(std::time::Duration::from_secs(1));
    let refused = corp.stage.world.caller(&attacker.access_token).await;
    assert_eq!(code(&refused.unwrap_err()), "auth.revoked");
}

#[tokio::test]
async fn whoever_proved_the_address_keeps_the_account() {
    let mut corp = Corp::start().await;
    let known = corp
        .stage
        .world
        .sign_up("ada@corp.example")
        .await
        .user
        .unwrap();
    corp.stage
        .world
        .execute("update identity.users set email_verified_at = now()")
        .await;
    let arrived = corp.log_in("ada@corp.example", &[]).await.unwrap();
    assert_eq!(arrived.login.unwrap().user.unwrap().id, known.id);
    corp.stage.world.log_in("ada@corp.example").await;
}

#[tokio::test]
async fn another_organizations_provider_says_nothing_about_our_people() {
    let mut corp = Corp::start().await;
    corp.log_in("ada@corp.example", &[]).await.unwrap();
    let evil = corp.stage.tenant("owner@evil.example").await;
    corp.stage.own_domain(&evil, "evil.example").await;
    let request = connecting(&corp.idp.metadata);
    let connection = corp.stage.connect(&evil, request).await.unwrap();
    // A member, somebody nobody knows, and domains that only look like it.
    for email in [
        "ada@corp.example",
        "new@corp.example",
        "ada@c\u{43e}rp.example",
        "ada@corp.example.evil.example",
    ] {
        let begun = corp.stage.begin(&connection, "/").await.unwrap();
        let parts = answering(about(&connection, email, &[]), Some(&request_id(&begun)));
        let request = posted(&connection, &begun, &corp.idp.respond(&parts));
        let outcome = finish(&corp.stage.sso, &corp.stage.service, request).await;
        let reason = corp.stage.refusal(&evil, &connection, outcome).await;
        assert_eq!(reason, "domain_not_verified", "{email}");
    }
}

#[tokio::test]
async fn spellings_of_one_address_are_one_person() {
    let mut corp = Corp::start().await;
    let mut ids = Vec::new();
    for email in ["Ada@corp.example", "ADA@CORP.EXAMPLE", "ada@corp.example"] {
        let login = corp.log_in(email, &[]).await.unwrap().login.unwrap();
        ids.push(login.user.unwrap().id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let plus = corp
        .log_in("ada+x@corp.example", &[])
        .await
        .unwrap()
        .login
        .unwrap();
    assert_ne!(plus.user.unwrap().id, ids[0]);
}

#[tokio::test]
async fn an_address_that_changed_hands_does_not_hand_over_the_account() {
    let mut corp = Corp::start().await;
    let subject = |corp: &Corp, subject: &str| {
        let mut parts = about(&corp.connection, "jane@corp.example", &[]);
        UNSPECIFIED.clone_into(&mut parts.name_id_format);
        subject.clone_into(&mut parts.name_id);
        parts
    };
    let parts = subject(&corp, "old-jane");
    corp.log_in_as(parts).await.unwrap();
    let parts = subject(&corp, "new-jane");
    let outcome = corp.log_in_as(parts).await;
    assert_eq!(corp.refusal(outcome).await, "subject_changed");
    // The other way round, the person stays the same whatever the address is.
    let mut parts = subject(&corp, "old-jane");
    parts.attributes = attribute("email", &["jane.doe@elsewhere.example"]);
    let login = corp.log_in_as(parts).await.unwrap().login.unwrap();
    assert_eq!(login.user.unwrap().email, "jane@corp.example");
}

#[tokio::test]
async fn the_same_subject_at_two_providers_is_two_people() {
    let mut corp = Corp::start().await;
    let mut parts = about(&corp.connection, "ada@corp.example", &[]);
    UNSPECIFIED.clone_into(&mut parts.name_id_format);
    "0001".clone_into(&mut parts.name_id);
    let ada = corp
        .log_in_as(parts)
        .await
        .unwrap()
        .login
        .unwrap()
        .user
        .unwrap();
    let request = connecting(&corp.idp.metadata);
    corp.connection = corp.stage.connect(&corp.tenant, request).await.unwrap();
    let mut parts = about(&corp.connection, "bob@corp.example", &[]);
    UNSPECIFIED.clone_into(&mut parts.name_id_format);
    "0001".clone_into(&mut parts.name_id);
    let bob = corp
        .log_in_as(parts)
        .await
        .unwrap()
        .login
        .unwrap()
        .user
        .unwrap();
    assert_ne!(ada.id, bob.id);
}

#[tokio::test]
async fn who_is_shut_out_stays_out() {
    let mut corp = Corp::with(|request| request.provisions = false).await;
    let outcome = corp.log_in("new@corp.example", &[]).await;
    assert_eq!(corp.refusal(outcome).await, "not_member");
    // The owner is a member without having come through the provider.
    let owner = corp
        .log_in("owner@corp.example", &["staff"])
        .await
        .unwrap()
        .login
        .unwrap();
    // And stays what it is: no provider decides about owners.
    assert_eq!(owner.role(), Role::Owner);
    corp.stage
        .world
        .execute("update identity.memberships set state = 'deactivated'")
        .await;
    let outcome = corp.log_in("owner@corp.example", &[]).await;
    let problem = errors::Problem::from_status(&outcome.unwrap_err());
    assert_eq!(problem.code, "auth.sso_failed");
    let dump = corp.stage.world.dump().await;
    assert!(dump.contains("member_deactivated"));
}

#[tokio::test]
async fn no_provider_makes_an_owner() {
    let mut corp = Corp::start().await;
    let login = corp
        .log_in("ada@corp.example", &["owner", "ROLE_OWNER"])
        .await
        .unwrap();
    assert_eq!(login.login.unwrap().role(), Role::Viewer);
    let owners: [fn(&mut CreateSsoConnectionRequest); 2] = [
        |request| request.default_role = Role::Owner.into(),
        |request| request.role_mappings = vec![mapping("owners", Role::Owner)],
    ];
    for change in owners {
        let mut request = connecting(&corp.idp.metadata);
        change(&mut request);
        let refused = corp.stage.connect(&corp.tenant, request).await.unwrap_err();
        assert_eq!(code(&refused), "request.invalid");
    }
}

const GUEST: &str = "guest@elsewhere.example";

/// Somebody of the routed domain and somebody of another one join; both log in with a password, and have these tokens.
async fn with_people(corp: &Corp) -> [SessionTokens; 2] {
    let world = &corp.stage.world;
    let mut tokens = Vec::new();
    for email in ["ada@corp.example", GUEST] {
        let user = world.sign_up(email).await.user.unwrap();
        let id: ids::UserId = user.id.parse().unwrap();
        world
            .execute(&format!(
                "delete from identity.sessions where user_id = '{user}';
                 update identity.users set email_verified_at = now();
                 update identity.memberships set organization_id = '{tenant}', role = 'agent'
                 where user_id = '{user}'",
                tenant = corp.tenant.id,
                user = id.as_uuid()
            ))
            .await;
        tokens.push(world.log_in(email).await.tokens.unwrap());
    }
    tokens.try_into().unwrap()
}

async fn require(corp: &Corp) -> Result<(), Status> {
    let request = SetSsoRequiredRequest { required: true };
    let request = as_caller(request, &corp.tenant.owner);
    let mut sso = corp.stage.sso.clone();
    sso.set_sso_required(request).await.map(drop)
}

async fn route(corp: &Corp) {
    let sql =
        "update identity.sso_domains set connection_id = (select id from identity.sso_connections)";
    corp.stage.world.execute(sql).await;
}

#[tokio::test]
async fn a_password_is_not_accepted_where_single_sign_on_is_required() {
    let mut corp = Corp::start().await;
    let world = &corp.stage.world;
    let [adas, guests] = with_people(&corp).await;
    world.enable_totp(&corp.tenant.owner).await;
    let refused = require(&corp).await.unwrap_err();
    assert_eq!(code(&refused), "precondition_failed", "nobody could log in");
    route(&corp).await;
    require(&corp).await.unwrap();
    // Nobody learns it without the password.
    for (password, expected) in [
        (PASSWORD, "auth.sso_required"),
        ("a wrong password", "auth.credentials_wrong"),
    ] {
        let refused = world.try_log_in("ada@corp.example", password).await;
        assert_eq!(code(&refused.unwrap_err()), expected);
    }
    assert!(world.log_in(GUEST).await.tokens.is_some());
    // What began with a password before ends with its access token.
    let refused = world.refresh(&adas.refresh_token).await.unwrap_err();
    assert_eq!(code(&refused), "auth.refresh_invalid");
    let request = ConfirmIdentityRequest {
        password: PASSWORD.to_owned(),
        ..ConfirmIdentityRequest::default()
    };
    let request = as_caller(request, &adas.access_token);
    let refused = world.accounts().confirm_identity(request).await;
    assert_eq!(code(&refused.unwrap_err()), "auth.sso_required");
    world.refresh(&guests.refresh_token).await.unwrap();
    let known = world.caller(&adas.access_token).await.unwrap().id;
    let login = corp.log_in("ada@corp.example", &[]).await.unwrap().login;
    let login = login.unwrap();
    assert_eq!(login.user.unwrap().id, known);
    let world = &corp.stage.world;
    let refresh_token = login.tokens.unwrap().refresh_token;
    world.refresh(&refresh_token).await.unwrap();
}

/// While the provider is broken an owner needs a way in, and whoever has learned its password must not make one.
#[tokio::test]
async fn an_owner_comes_in_without_the_provider_by_a_second_factor_that_it_has() {
    let corp = Corp::start().await;
    let world = &corp.stage.world;
    route(&corp).await;
    let refused = require(&corp).await.unwrap_err();
    assert_eq!(code(&refused), "precondition_failed");
    assert!(refused.message().contains("second factor"));
    let app = world.enable_totp(&corp.tenant.owner).await;
    require(&corp).await.unwrap();
    world.hand.advance(std::time::Duration::from_secs(30));
    let challenge = world.challenge("owner@corp.example").await;
    let totp_code = world.code(&app.secret, 0);
    let owner = world.complete(&challenge, &totp_code, "").await.unwrap();
    world.refresh(&owner.refresh_token).await.unwrap();
    // The only owner whom it lets in keeps it.
    let request = DisableTotpRequest {
        recovery_code: app.recovery_codes[0].clone(),
        ..DisableTotpRequest::default()
    };
    let request = as_caller(request, &owner.access_token);
    let refused = world.accounts().disable_totp(request).await.unwrap_err();
    assert_eq!(code(&refused), "precondition_failed");
    world
        .execute("update identity.totp_factors set confirmed_at = null")
        .await;
    let refused = world.try_log_in("owner@corp.example", PASSWORD).await;
    assert_eq!(code(&refused.unwrap_err()), "auth.sso_required");
}

/// L-03: a key that the maker of the account left behind.
#[tokio::test]
async fn keys_of_whoever_took_an_address_in_advance_are_revoked() {
    let mut corp = Corp::start().await;
    let taken = corp.stage.world.sign_up("victim@corp.example").await;
    let attacker = taken.tokens.unwrap().access_token;
    let world = &corp.stage.world;
    world
        .create_key(&attacker, auth::Role::Admin, &[])
        .await
        .unwrap();
    corp.log_in("victim@corp.example", &[]).await.unwrap();
    let mut admin = corp.stage.world.db.admin().await;
    let good: i64 =
        sqlx::query_scalar("select count(*) from identity.api_keys where revoked_at is null")
            .fetch_one(&mut admin)
            .await
            .unwrap();
    assert_eq!(good, 0);
}

/// L-08: a directory writes a domain in its own letters, a provider in ASCII.
#[tokio::test]
async fn a_directory_and_a_provider_mean_one_person_by_one_mailbox() {
    let mut corp = Corp::start().await;
    let stage = &corp.stage;
    stage
        .own_domain(&corp.tenant, "xn--mnchen-3ya.example")
        .await;
    let directory = scim::stage::connect(&stage.world, &corp.tenant.owner, &stage.service);
    let directory = directory.await.unwrap();
    let provisioned = directory.user("Ada@m\u{fc}nchen.example").await;
    for email in [
        "ada@xn--mnchen-3ya.example",
        "ADA@mu\u{308}nchen.example",
        "ada@M\u{dc}NCHEN.example.",
    ] {
        let login = corp.log_in(email, &[]).await.unwrap().login.unwrap();
        assert_eq!(login.user.unwrap().id, provisioned, "{email}");
    }
}
