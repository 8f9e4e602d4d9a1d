use std::time::Duration;

use proto::identity::v1::{
    ConfirmIdentityRequest, ListMyOrganizationsRequest, ListSessionsRequest, LogInRequest,
    LogInResponse, RevokeOtherSessionsRequest, RevokeSessionRequest, Session, StartTotpRequest,
    SwitchOrganizationRequest,
};
use tonic::Status;

use crate::{
    person::right,
    world::{PASSWORD, World, as_caller, code},
};

const ADA: &str = "ada@example.com";
const DAY: Duration = Duration::from_hours(24);

async fn sessions(world: &World, token: &str) -> Vec<Session> {
    let request = as_caller(ListSessionsRequest::default(), token);
    let listed = world.accounts().list_sessions(request).await.unwrap();
    listed.into_inner().sessions
}

async fn revoke(world: &World, token: &str, session_id: &str) -> Result<(), Status> {
    let session_id = session_id.to_owned();
    let request = as_caller(RevokeSessionRequest { session_id }, token);
    world.accounts().revoke_session(request).await.map(drop)
}

async fn switch(world: &World, token: &str, to: impl ToString) -> Result<LogInResponse, Status> {
    let organization_id = to.to_string();
    let request = as_caller(SwitchOrganizationRequest { organization_id }, token);
    Ok(world
        .accounts()
        .switch_organization(request)
        .await?
        .into_inner())
}

/// a login makes a session of its own; what a client had before has no part in it.
#[tokio::test(flavor = "multi_thread")]
async fn each_login_is_a_session_of_its_own_that_its_person_sees() {
    let world = World::start().await;
    let first = world.sign_up(ADA).await.tokens.unwrap();
    world.sign_up("bob@example.com").await;
    world.hand.advance(Duration::from_mins(1));
    let second = world.log_in_from("192.0.2.7", right(ADA)).await.unwrap();
    let second = second.tokens.unwrap();
    let listed = sessions(&world, &second.access_token).await;
    let ids: Vec<&str> = listed.iter().map(|session| session.id.as_str()).collect();
    assert_eq!(
        ids,
        [&second.session_id, &first.session_id],
        "the newest first, and nobody else's"
    );
    assert_eq!((listed[0].current, listed[1].current), (true, false));
    assert_eq!(listed[0].address, "192.0.2.7");
    assert_eq!(listed[0].methods, ["password"]);
    assert!(listed[0].created_at.unwrap().seconds > listed[1].created_at.unwrap().seconds);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_session_is_not_listed() {
    let world = World::start().await;
    world.sign_up(ADA).await;
    world.hand.advance(7 * DAY);
    let tokens = world.log_in(ADA).await.tokens.unwrap();
    assert_eq!(sessions(&world, &tokens.access_token).await.len(), 1);
}

///
#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_session_is_dead_within_a_second_and_nobody_revokes_anothers() {
    let world = World::start().await;
    let lost = world.sign_up(ADA).await.tokens.unwrap();
    let mine = world.log_in(ADA).await.tokens.unwrap();
    let bob = world.owner("bob@example.com").await;
    let refused = revoke(&world, &bob, &lost.session_id).await.unwrap_err();
    assert_eq!(code(&refused), "not_found");
    revoke(&world, &mine.access_token, &lost.session_id)
        .await
        .unwrap();
    let refused = world.refresh(&lost.refresh_token).await.unwrap_err();
    assert_eq!(code(&refused), "auth.refresh_invalid");
    world.hand.advance(Duration::from_secs(1));
    let refused = world.caller(&lost.access_token).await.unwrap_err();
    assert_eq!(code(&refused), "auth.revoked");
    assert!(world.caller(&mine.access_token).await.is_ok());
    let again = revoke(&world, &mine.access_token, &lost.session_id)
        .await
        .unwrap_err();
    assert_eq!(code(&again), "not_found");
}

///
#[tokio::test(flavor = "multi_thread")]
async fn revoking_the_others_ends_them_in_every_organization() {
    let world = World::start().await;
    let here = world.sign_up(ADA).await.tokens.unwrap();
    let elsewhere = world.second_organization().await;
    let there = switch(&world, &here.access_token, elsewhere)
        .await
        .unwrap()
        .tokens
        .unwrap();
    let mine = world.log_in(ADA).await.tokens.unwrap();
    let request = as_caller(RevokeOtherSessionsRequest {}, &mine.access_token);
    let ended = world
        .accounts()
        .revoke_other_sessions(request)
        .await
        .unwrap();
    assert_eq!(ended.into_inner().revoked, 2);
    for dead in [&here, &there] {
        let refused = world.refresh(&dead.refresh_token).await.unwrap_err();
        assert_eq!(code(&refused), "auth.refresh_invalid");
    }
    assert!(world.refresh(&mine.refresh_token).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_proof_opens_what_an_old_login_does_not() {
    let world = World::start().await;
    let tokens = world.sign_up(ADA).await.tokens.unwrap();
    world.hand.advance(Duration::from_mins(11));
    let tokens = world.refresh(&tokens.refresh_token).await.unwrap();
    let mut accounts = world.accounts();
    let start = |token: &str| as_caller(StartTotpRequest {}, token);
    let refused = accounts
        .start_totp(start(&tokens.access_token))
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "auth.step_up_required");
    let confirm = |password: &str| {
        let request = ConfirmIdentityRequest {
            password: password.to_owned(),
            ..ConfirmIdentityRequest::default()
        };
        as_caller(request, &tokens.access_token)
    };
    for (wrong, expected) in [("", "request.invalid"), ("x", "auth.credentials_wrong")] {
        let refused = accounts.confirm_identity(confirm(wrong)).await.unwrap_err();
        assert_eq!(code(&refused), expected);
    }
    let fresh = accounts.confirm_identity(confirm(PASSWORD)).await.unwrap();
    let fresh = fresh.into_inner().tokens.unwrap();
    assert_eq!(fresh.session_id, tokens.session_id);
    assert!(
        accounts
            .start_totp(start(&fresh.access_token))
            .await
            .is_ok()
    );
    assert!(
        world.refresh(&tokens.refresh_token).await.is_ok(),
        "the session goes on"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_at_a_stolen_sessions_password_is_slowed_down() {
    let world = World::start().await;
    let token = world.owner(ADA).await;
    let mut answers = Vec::new();
    for _ in 0..11 {
        let request = ConfirmIdentityRequest {
            password: "a guess".to_owned(),
            ..ConfirmIdentityRequest::default()
        };
        let refused = world
            .accounts()
            .confirm_identity(as_caller(request, &token))
            .await;
        answers.push(code(&refused.unwrap_err()));
    }
    assert!(
        answers[..10]
            .iter()
            .all(|code| code == "auth.credentials_wrong"),
        "{answers:?}"
    );
    assert_eq!(answers[10], "auth.throttled");
    assert!(
        world.log_in_with(right(ADA)).await.is_ok(),
        "the login is guarded apart"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_in_several_organizations_chooses_and_switches() {
    let world = World::start().await;
    let signed_up = world.sign_up(ADA).await;
    let home = signed_up.organization.unwrap().id;
    let here = signed_up.tokens.unwrap();
    let elsewhere = world.second_organization().await;
    assert_eq!(
        world.log_in(ADA).await.organization.unwrap().id,
        home,
        "joined first"
    );
    let stranger = ids::OrganizationId::generate();
    let login = |organization_id: String| LogInRequest {
        organization_id,
        ..right(ADA)
    };
    let refused = world
        .log_in_with(login(stranger.to_string()))
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "auth.credentials_wrong");
    let refused = switch(&world, &here.access_token, stranger)
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "auth.not_member");

    let switched = switch(&world, &here.access_token, elsewhere).await.unwrap();
    assert_eq!(switched.role(), proto::identity::v1::Role::Viewer);
    let there = switched.tokens.unwrap();
    let caller = world.caller(&there.access_token).await.unwrap();
    assert_eq!(caller.organization_id, elsewhere.to_string());
    assert!(
        world.caller(&here.access_token).await.is_ok(),
        "the first goes on"
    );
    let request = as_caller(ListMyOrganizationsRequest {}, &there.access_token);
    let mine = world
        .accounts()
        .list_my_organizations(request)
        .await
        .unwrap();
    let mine: Vec<(String, bool)> = mine
        .into_inner()
        .organizations
        .into_iter()
        .map(|one| (one.organization.unwrap().id, one.current))
        .collect();
    assert_eq!(mine, [(home, false), (elsewhere.to_string(), true)]);
}

/// going to and fro makes no session live longer.
#[tokio::test(flavor = "multi_thread")]
async fn a_switched_session_ends_with_the_one_it_came_from() {
    let world = World::start().await;
    let mut here = world.sign_up(ADA).await.tokens.unwrap();
    let elsewhere = world.second_organization().await;
    for _ in 0..4 {
        world.hand.advance(6 * DAY);
        here = world.refresh(&here.refresh_token).await.unwrap();
    }
    let there = switch(&world, &here.access_token, elsewhere)
        .await
        .unwrap()
        .tokens
        .unwrap();
    world.hand.advance(5 * DAY);
    let there = world.refresh(&there.refresh_token).await.unwrap();
    world.hand.advance(DAY);
    assert!(world.refresh(&there.refresh_token).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_is_no_way_around_a_wanted_factor() {
    let world = World::start().await;
    let here = world.sign_up(ADA).await.tokens.unwrap();
    let elsewhere = world.second_organization().await;
    world
        .execute(&format!(
            "update identity.organizations set mfa_required_from = '2000-01-01' where organization_id = '{}'",
            elsewhere.as_uuid()
        ))
        .await;
    let refused = switch(&world, &here.access_token, elsewhere)
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "auth.factor_wanted");
    world.enable_totp(&here.access_token).await;
    assert!(switch(&world, &here.access_token, elsewhere).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_from_an_unknown_device_is_told_and_one_from_a_known_device_is_not() {
    let world = World::start().await;
    let device_token = world.sign_up(ADA).await.device_token;
    assert!(world.letters("new_device").await.is_empty());
    let known = LogInRequest {
        device_token,
        ..right(ADA)
    };
    world.log_in_with(known).await.unwrap();
    assert!(world.letters("new_device").await.is_empty());
    let unknown = world.log_in(ADA).await;
    let letters = world.letters("new_device").await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0]["session_id"], unknown.tokens.unwrap().session_id);
}
