//! What is under way while a person changes how one logs in, or while its rights change.

use std::time::Duration;

use chrono::{DateTime, Utc};
use proto::identity::v1::{
    ConfirmIdentityRequest, ConfirmTotpRequest, RequestPasswordResetRequest, ResetPasswordRequest,
    RevokeOtherSessionsRequest, Role, StartTotpRequest, SwitchOrganizationRequest,
};

use crate::{
    held::UnderWay,
    person::right,
    world::{PASSWORD, World, as_caller, code},
};

const ADA: &str = "ada@example.com";
/// A login stops here, after everything was found right.
const MEMBERS: &str = "select from identity.memberships for no key update";
const LIVING: &str = "select from identity.sessions where ended_at is null";

async fn reset(world: &World) {
    let email = ADA.to_owned();
    let mut accounts = world.accounts();
    let request = RequestPasswordResetRequest { email };
    accounts.request_password_reset(request).await.unwrap();
    let request = ResetPasswordRequest {
        secret: world.link("reset_password").await,
        new_password: "velvet otter drives eleven trams".to_owned(),
    };
    accounts.reset_password(request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_with_the_former_password_does_not_outlive_a_reset() {
    let world = World::start().await;
    world.sign_up(ADA).await;
    world.hand.advance(Duration::from_secs(1));
    let held = world.hold(MEMBERS).await;
    let mut client = world.client.clone();
    let login = UnderWay::begin(async move { client.log_in(right(ADA)).await });
    held.waited_for().await;
    reset(&world).await;
    held.release().await;
    let refused = login.end().await.unwrap_err();
    assert_eq!(code(&refused), "auth.challenge_invalid");
    assert_eq!(world.execute(LIVING).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_that_was_shown_before_a_reset_is_worth_nothing_after_it() {
    let world = World::start().await;
    let token = world.owner(ADA).await;
    world
        .execute("update identity.users set email_verified_at = now()")
        .await;
    let app = world.enable_totp(&token).await;
    let challenge = world.challenge(ADA).await;
    world.hand.advance(Duration::from_secs(30));
    let held = world.hold(MEMBERS).await;
    let request = proto::identity::v1::CompleteLoginRequest {
        challenge_token: challenge,
        totp_code: world.code(&app.secret, 0),
        recovery_code: String::new(),
    };
    let mut accounts = world.accounts();
    let login = UnderWay::begin(async move { accounts.complete_login(request).await });
    held.waited_for().await;
    reset(&world).await;
    held.release().await;
    let refused = login.end().await.unwrap_err();
    assert_eq!(code(&refused), "auth.challenge_invalid");
    assert_eq!(world.execute(LIVING).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_without_a_factor_does_not_outlive_its_beginning() {
    let world = World::start().await;
    let mine = world.owner(ADA).await;
    let mut accounts = world.accounts();
    let setup = accounts.start_totp(as_caller(StartTotpRequest {}, &mine));
    let secret = setup.await.unwrap().into_inner().secret;
    let held = world.hold(MEMBERS).await;
    let mut client = world.client.clone();
    let login = UnderWay::begin(async move { client.log_in(right(ADA)).await });
    held.waited_for().await;
    let totp_code = world.code(&secret, 0);
    let confirm = as_caller(ConfirmTotpRequest { totp_code }, &mine);
    accounts.confirm_totp(confirm).await.unwrap();
    held.release().await;
    let refused = login.end().await.unwrap_err();
    assert_eq!(code(&refused), "auth.challenge_invalid");
    assert_eq!(world.execute(LIVING).await, 1, "the one that confirmed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_does_not_outlive_the_session_it_comes_from() {
    let world = World::start().await;
    let lost = world.owner(ADA).await;
    let elsewhere = world.second_organization().await;
    let mine = world.log_in(ADA).await.tokens.unwrap().access_token;
    let held = world.hold(MEMBERS).await;
    let organization_id = elsewhere.to_string();
    let request = as_caller(SwitchOrganizationRequest { organization_id }, &lost);
    let mut accounts = world.accounts();
    let switch = UnderWay::begin(async move { accounts.switch_organization(request).await });
    held.waited_for().await;
    let request = as_caller(RevokeOtherSessionsRequest {}, &mine);
    let ended = world.accounts().revoke_other_sessions(request).await;
    assert_eq!(ended.unwrap().into_inner().revoked, 1);
    held.release().await;
    let refused = switch.end().await.unwrap_err();
    assert_eq!(code(&refused), "not_found");
    assert_eq!(world.execute(LIVING).await, 1);
}

/// As whoever changes members locks them, and what it does to them then: two locks, which everybody takes in this order.
const ORGANIZATIONS: &str = "select from identity.organizations for no key update";
const DEMOTE: &str = "update identity.memberships set role = 'viewer'";

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_waits_for_a_change_of_rights_and_says_what_they_are_then() {
    let world = World::start().await;
    let tokens = world.sign_up(ADA).await.tokens.unwrap();
    let mut held = world.hold(ORGANIZATIONS).await;
    let mut client = world.client.clone();
    let refresh_token = tokens.refresh_token;
    let request = proto::identity::v1::RefreshSessionRequest { refresh_token };
    let refresh = UnderWay::begin(async move { client.refresh_session(request).await });
    held.waited_for().await;
    held.execute(DEMOTE).await;
    held.release().await;
    let tokens = refresh.end().await.unwrap().into_inner().tokens;
    let caller = world.caller(&tokens.unwrap().access_token).await.unwrap();
    assert_eq!(caller.role(), Role::Viewer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_proof_waits_for_a_change_of_rights_too() {
    let world = World::start().await;
    let token = world.owner(ADA).await;
    let mut held = world.hold(ORGANIZATIONS).await;
    let request = ConfirmIdentityRequest {
        password: PASSWORD.to_owned(),
        ..ConfirmIdentityRequest::default()
    };
    let request = as_caller(request, &token);
    let mut accounts = world.accounts();
    let confirm = UnderWay::begin(async move { accounts.confirm_identity(request).await });
    held.waited_for().await;
    held.execute(DEMOTE).await;
    held.release().await;
    let tokens = confirm.end().await.unwrap().into_inner().tokens;
    let caller = world.caller(&tokens.unwrap().access_token).await.unwrap();
    assert_eq!(caller.role(), Role::Viewer);
}

/// A refresh that has the session signs its token while whoever ends the session waits.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_session_voids_what_was_signed_until_it_was_reached() {
    let world = World::start().await;
    world.sign_up(ADA).await;
    let mine = world.log_in(ADA).await.tokens.unwrap();
    let held = world
        .hold("select from identity.sessions for no key update")
        .await;
    let request = as_caller(RevokeOtherSessionsRequest {}, &mine.access_token);
    let mut accounts = world.accounts();
    let revoke = UnderWay::begin(async move { accounts.revoke_other_sessions(request).await });
    held.waited_for().await;
    world.hand.advance(Duration::from_secs(2));
    held.release().await;
    assert_eq!(revoke.end().await.unwrap().into_inner().revoked, 1);
    let until: DateTime<Utc> =
        sqlx::query_scalar("select issued_until from identity.revocations where kind = 'session'")
            .fetch_one(&mut world.db.admin().await)
            .await
            .unwrap();
    assert_eq!(until, world.clock.now());
}
