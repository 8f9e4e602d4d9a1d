//! Whose account somebody gets whom a provider vouches for.

use proto::identity::v1::{CreateSsoConnectionRequest, Role, SetSsoRequiredRequest};

use super::{
    documents::attribute,
    saml::{Corp, about, answering, connecting, finish, mapping, posted, request_id},
};
use crate::world::{PASSWORD, as_caller, code};

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

#[tokio::test]
async fn a_password_is_not_accepted_where_single_sign_on_is_required() {
    let mut corp = Corp::start().await;
    let world = &corp.stage.world;
    let ada = world.sign_up("ada@corp.example").await;
    let guest = world.sign_up("guest@elsewhere.example").await;
    for user in [&ada, &guest] {
        let id: ids::UserId = user.user.as_ref().unwrap().id.parse().unwrap();
        world
            .execute(&format!(
                "delete from identity.sessions;
                 update identity.users set email_verified_at = now();
                 update identity.memberships set organization_id = '{}', role = 'agent' where user_id = '{}'",
                corp.tenant.id,
                id.as_uuid()
            ))
            .await;
    }
    let require = SetSsoRequiredRequest { required: true };
    let request = as_caller(require, &corp.tenant.owner);
    let refused = corp
        .stage
        .sso
        .clone()
        .set_sso_required(request)
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "precondition_failed", "nobody could log in");
    world
        .execute("update identity.sso_domains set connection_id = (select id from identity.sso_connections)")
        .await;
    let request = as_caller(require, &corp.tenant.owner);
    corp.stage
        .sso
        .clone()
        .set_sso_required(request)
        .await
        .unwrap();
    let refused = world
        .try_log_in("ada@corp.example", PASSWORD)
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "auth.sso_required");
    // Nobody learns it without the password.
    let refused = world
        .try_log_in("ada@corp.example", "a wrong password")
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "auth.credentials_wrong");
    assert!(
        world
            .log_in("guest@elsewhere.example")
            .await
            .tokens
            .is_some()
    );
    // An owner is let in, once it has a second factor.
    let owner = world.log_in("owner@corp.example").await;
    assert!(owner.tokens.is_none() && owner.enrolment_required.is_some());
    let login = corp
        .log_in("ada@corp.example", &[])
        .await
        .unwrap()
        .login
        .unwrap();
    assert_eq!(login.user.unwrap().id, ada.user.unwrap().id);
}
