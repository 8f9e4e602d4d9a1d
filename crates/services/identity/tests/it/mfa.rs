use std::time::Duration;

use proto::identity::v1::{
    CompleteEnrolmentRequest, ConfirmIdentityRequest, ConfirmTotpRequest, DisableTotpRequest,
    GetMfaRequest, Mfa, RegenerateRecoveryCodesRequest, RequestPasswordResetRequest,
    ResetPasswordRequest, StartEnrolmentRequest, StartTotpRequest,
};
use tonic::Status;

use crate::{
    held::UnderWay,
    person::{password_of, right},
    world::{PASSWORD, World, as_caller, code},
};

const ADA: &str = "ada@example.com";
const STEP: Duration = Duration::from_secs(30);

async fn status(world: &World, token: &str) -> Mfa {
    let request = as_caller(GetMfaRequest {}, token);
    world
        .accounts()
        .get_mfa(request)
        .await
        .unwrap()
        .into_inner()
}

async fn disable(world: &World, token: &str, totp_code: String) -> Result<(), Status> {
    let recovery_code = String::new();
    let request = DisableTotpRequest {
        totp_code,
        recovery_code,
    };
    let request = as_caller(request, token);
    world.accounts().disable_totp(request).await.map(drop)
}

fn assert_wrong<T: std::fmt::Debug>(answer: Result<T, Status>) {
    assert_eq!(code(&answer.unwrap_err()), "auth.code_wrong");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_protects_from_its_first_code_on_and_ends_what_began_without() {
    let world = World::start().await;
    let other = world.sign_up(ADA).await.tokens.unwrap();
    let mine = world.log_in(ADA).await.tokens.unwrap();
    let mut accounts = world.accounts();
    accounts
        .start_totp(as_caller(StartTotpRequest {}, &mine.access_token))
        .await
        .unwrap();
    let totp_code = "000000".to_owned();
    let guess = as_caller(ConfirmTotpRequest { totp_code }, &mine.access_token);
    assert_wrong(accounts.confirm_totp(guess).await);
    assert!(!status(&world, &mine.access_token).await.enabled);
    assert!(
        world.log_in(ADA).await.tokens.is_some(),
        "it protects nothing yet"
    );

    let app = world.enable_totp(&mine.access_token).await;
    assert_eq!(app.recovery_codes.len(), 10);
    let mfa = status(&world, &mine.access_token).await;
    assert_eq!((mfa.enabled, mfa.recovery_codes_left), (true, 10));
    let refused = world.refresh(&other.refresh_token).await.unwrap_err();
    assert_eq!(code(&refused), "auth.refresh_invalid");
    assert!(world.refresh(&mine.refresh_token).await.is_ok());
    assert_eq!(world.letters("mfa_enabled").await.len(), 1);
    let challenge = world.challenge(ADA).await;
    assert!(!challenge.is_empty());
}

/// O-TOTP.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_counts_once_and_none_before_it_and_none_from_far() {
    let world = World::start().await;
    let token = world.owner(ADA).await;
    let app = world.enable_totp(&token).await;
    let challenge = world.challenge(ADA).await;
    // The one that confirmed the app, and the one before it.
    for steps in [0, -1, -2, 2] {
        assert_wrong(
            world
                .complete(&challenge, &world.code(&app.secret, steps), "")
                .await,
        );
    }
    let next = world.code(&app.secret, 1);
    world.complete(&challenge, &next, "").await.unwrap();
    world.hand.advance(STEP);
    assert_wrong(world.complete(&challenge, &next, "").await);
    world.hand.advance(STEP);
    let code = world.code(&app.secret, 0);
    let (one, two) = tokio::join!(
        world.complete(&challenge, &code, ""),
        world.complete(&challenge, &code, "")
    );
    assert_eq!(u8::from(one.is_ok()) + u8::from(two.is_ok()), 1);
}

/// O-TOTP.
#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_codes_cost_ten_minutes_and_recovery_codes_are_apart() {
    let world = World::start().await;
    let token = world.owner(ADA).await;
    let app = world.enable_totp(&token).await;
    let challenge = world.challenge(ADA).await;
    for _ in 0..5 {
        assert_wrong(
            world
                .complete(&challenge, &world.code(&app.secret, 2), "")
                .await,
        );
    }
    let right = world.code(&app.secret, 1);
    let refused = world.complete(&challenge, &right, "").await.unwrap_err();
    assert_eq!(code(&refused), "auth.throttled");
    let spared = world.complete(&challenge, "", &app.recovery_codes[0]).await;
    assert!(spared.is_ok());
    world.hand.advance(Duration::from_mins(10));
    let challenge = world.challenge(ADA).await;
    world
        .complete(&challenge, &world.code(&app.secret, 0), "")
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_code_works_once_for_its_person_until_there_are_new_ones() {
    let world = World::start().await;
    let token = world.owner(ADA).await;
    let app = world.enable_totp(&token).await;
    let bob = world.owner("bob@example.com").await;
    let bobs = world.enable_totp(&bob).await;
    let challenge = world.challenge(ADA).await;
    assert_wrong(
        world
            .complete(&challenge, "", &bobs.recovery_codes[0])
            .await,
    );
    assert_wrong(world.complete(&challenge, "", "0000-0000-00000").await);
    let typed = app.recovery_codes[0].to_lowercase().replace('-', " ");
    world.complete(&challenge, "", &typed).await.unwrap();
    assert_wrong(world.complete(&challenge, "", &app.recovery_codes[0]).await);
    assert_eq!(status(&world, &token).await.recovery_codes_left, 9);
    let anew = as_caller(RegenerateRecoveryCodesRequest {}, &token);
    let codes = world
        .accounts()
        .regenerate_recovery_codes(anew)
        .await
        .unwrap();
    assert_wrong(world.complete(&challenge, "", &app.recovery_codes[1]).await);
    let fresh = &codes.into_inner().codes[0];
    world.complete(&challenge, "", fresh).await.unwrap();
    let both = world
        .complete(&challenge, "123456", fresh)
        .await
        .unwrap_err();
    assert_eq!(code(&both), "request.invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_is_good_for_five_minutes_and_while_its_password_is() {
    let world = World::start().await;
    let token = world.owner(ADA).await;
    let app = world.enable_totp(&token).await;
    let recovery = &app.recovery_codes;
    // A first proof of the address would be the end of the app.
    world
        .execute("update identity.users set email_verified_at = now()")
        .await;
    for nonsense in ["x", "sbc_AAAA", &token[..256]] {
        let refused = world
            .complete(nonsense, "", &recovery[0])
            .await
            .unwrap_err();
        assert_eq!(code(&refused), "auth.challenge_invalid");
    }
    let late = world.challenge(ADA).await;
    world.hand.advance(Duration::from_secs(301));
    let refused = world.complete(&late, "", &recovery[0]).await.unwrap_err();
    assert_eq!(code(&refused), "auth.challenge_invalid");
    let old = world.challenge(ADA).await;
    world.hand.advance(Duration::from_secs(1));
    reset(&world).await;
    let refused = world.complete(&old, "", &recovery[0]).await.unwrap_err();
    assert_eq!(code(&refused), "auth.challenge_invalid");
    // A reset proves the mailbox and no more: the second factor is still asked for.
    let answer = world.log_in_with(password_of(ADA, NEW)).await.unwrap();
    assert!(answer.tokens.is_none() && answer.mfa_required.is_some());
}

const NEW: &str = "velvet otter drives eleven trams";

async fn reset(world: &World) {
    let email = ADA.to_owned();
    let mut accounts = world.accounts();
    let request = RequestPasswordResetRequest { email };
    accounts.request_password_reset(request).await.unwrap();
    let request = ResetPasswordRequest {
        secret: world.link("reset_password").await,
        new_password: NEW.to_owned(),
    };
    accounts.reset_password(request).await.unwrap();
}

/// O-TOTP.
#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_not_replaced_and_not_removed_without_its_code_and_a_fresh_proof() {
    let world = World::start().await;
    let tokens = world.sign_up(ADA).await.tokens.unwrap();
    let app = world.enable_totp(&tokens.access_token).await;
    let again = as_caller(StartTotpRequest {}, &tokens.access_token);
    let refused = world.accounts().start_totp(again).await.unwrap_err();
    assert_eq!(code(&refused), "identity.mfa_active");
    world.hand.advance(Duration::from_mins(11));
    let tokens = world.refresh(&tokens.refresh_token).await.unwrap();
    let code_now = world.code(&app.secret, 0);
    let refused = disable(&world, &tokens.access_token, code_now)
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "auth.step_up_required");

    // The password alone is no fresh proof of somebody with an app.
    let confirm = |password: &str, totp_code: String| {
        let password = password.to_owned();
        let request = ConfirmIdentityRequest {
            password,
            totp_code,
            ..ConfirmIdentityRequest::default()
        };
        let (mut accounts, token) = (world.accounts(), tokens.access_token.clone());
        async move { accounts.confirm_identity(as_caller(request, &token)).await }
    };
    let refused = confirm(PASSWORD, String::new()).await.unwrap_err();
    assert_eq!(code(&refused), "request.invalid");
    let now = world.code(&app.secret, 0);
    let refused = confirm("not the password", now.clone()).await.unwrap_err();
    assert_eq!(code(&refused), "auth.credentials_wrong");
    let fresh = confirm("", now.clone())
        .await
        .unwrap()
        .into_inner()
        .tokens
        .unwrap();
    assert_wrong(disable(&world, &fresh.access_token, now).await);
    let next = world.code(&app.secret, 1);
    disable(&world, &fresh.access_token, next).await.unwrap();
    assert!(!status(&world, &fresh.access_token).await.enabled);
    assert!(world.log_in(ADA).await.tokens.is_some());
    assert_eq!(world.letters("mfa_disabled").await.len(), 1);
    assert_eq!(
        world.execute("select from identity.recovery_codes").await,
        0
    );
}

/// O-TOTP.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_lost_the_app_replaces_it_with_recovery_codes() {
    let world = World::start().await;
    let token = world.owner(ADA).await;
    let app = world.enable_totp(&token).await;
    let codes = &app.recovery_codes;
    let challenge = world.challenge(ADA).await;
    let tokens = world.complete(&challenge, "", &codes[0]).await.unwrap();
    world.hand.advance(Duration::from_mins(11));
    let tokens = world.refresh(&tokens.refresh_token).await.unwrap();
    let confirm = async |recovery_code: &str| {
        let request = ConfirmIdentityRequest {
            recovery_code: recovery_code.to_owned(),
            ..ConfirmIdentityRequest::default()
        };
        let request = as_caller(request, &tokens.access_token);
        world.accounts().confirm_identity(request).await
    };
    assert_wrong(confirm(&codes[0]).await);
    let fresh = confirm(&codes[1]).await.unwrap().into_inner().tokens;
    let fresh = fresh.unwrap().access_token;
    let remove = async |recovery_code: &str| {
        let request = DisableTotpRequest {
            totp_code: String::new(),
            recovery_code: recovery_code.to_owned(),
        };
        let request = as_caller(request, &fresh);
        world.accounts().disable_totp(request).await
    };
    assert_eq!(
        code(&remove("").await.unwrap_err()),
        "request.invalid",
        "nothing was shown"
    );
    assert_wrong(remove(&codes[1]).await);
    remove(&codes[2]).await.unwrap();
    world.enable_totp(&fresh).await;
    assert!(status(&world, &fresh).await.enabled);
}

/// An app that is begun elsewhere between the code and its confirmation is not the one that was shown.
#[tokio::test(flavor = "multi_thread")]
async fn the_app_that_is_confirmed_is_the_one_whose_code_was_given() {
    let world = World::start().await;
    let token = world.owner(ADA).await;
    let mut accounts = world.accounts();
    let setup = accounts.start_totp(as_caller(StartTotpRequest {}, &token));
    let secret = setup.await.unwrap().into_inner().secret;
    // Confirming stops before it changes the row.
    let mut held = world
        .hold("select from identity.users for no key update")
        .await;
    let totp_code = world.code(&secret, 0);
    let request = as_caller(ConfirmTotpRequest { totp_code }, &token);
    let confirm = UnderWay::begin(async move { accounts.confirm_totp(request).await });
    held.waited_for().await;
    held.execute("update identity.totp_factors set secret = 'another'")
        .await;
    held.release().await;
    let refused = confirm.end().await.unwrap_err();
    assert_eq!(code(&refused), "identity.mfa_active");
    let confirmed = "select from identity.totp_factors where confirmed_at is not null";
    assert_eq!(world.execute(confirmed).await, 0);
}

async fn wants_factors(world: &World, grace: &str) {
    let required = "update identity.organizations set mfa_required_from = '2000-01-01'";
    world.execute(required).await;
    let grace = format!("update identity.memberships set mfa_grace_until = {grace}");
    world.execute(&grace).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_factor_where_one_is_wanted_can_only_set_one_up() {
    let world = World::start().await;
    let before = world.sign_up(ADA).await.tokens.unwrap();
    wants_factors(&world, "'2100-01-01'").await;
    assert!(world.log_in(ADA).await.tokens.is_some(), "within the grace");
    assert!(world.refresh(&before.refresh_token).await.is_ok());
    wants_factors(&world, "null").await;
    let answer = world.log_in_with(right(ADA)).await.unwrap();
    assert!(answer.tokens.is_none() && answer.mfa_required.is_none());
    let challenge_token = answer.enrolment_required.unwrap().challenge_token;
    // It is no way around a factor, and no session.
    let refused = world
        .complete(&challenge_token, "123456", "")
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "auth.challenge_invalid");
    assert_eq!(
        code(&world.refresh(&challenge_token).await.unwrap_err()),
        "auth.refresh_invalid"
    );

    let mut accounts = world.accounts();
    let request = StartEnrolmentRequest {
        challenge_token: challenge_token.clone(),
    };
    let setup = accounts
        .start_enrolment(request.clone())
        .await
        .unwrap()
        .into_inner();
    let complete = CompleteEnrolmentRequest {
        challenge_token,
        totp_code: world.code(&setup.secret, 0),
    };
    let done = accounts
        .complete_enrolment(complete.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(done.recovery_codes.unwrap().codes.len(), 10);
    let tokens = done.login.unwrap().tokens.unwrap();
    assert!(world.caller(&tokens.access_token).await.is_ok());
    // Whoever has the challenge has no second use of it.
    let refused = accounts.start_enrolment(request).await.unwrap_err();
    assert_eq!(code(&refused), "identity.mfa_active");
    let refused = accounts.complete_enrolment(complete).await.unwrap_err();
    assert_eq!(code(&refused), "identity.mfa_active");
    // Refreshing keeps what was proven.
    world.hand.advance(Duration::from_hours(1));
    assert!(world.refresh(&tokens.refresh_token).await.is_ok());
}

/// O-TOTP: verify, then downgrade.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_without_a_factor_is_not_refreshed_once_one_is_wanted() {
    let world = World::start().await;
    let weak = world.sign_up(ADA).await.tokens.unwrap();
    let strong = world.sign_up("bob@example.com").await.tokens.unwrap();
    world.enable_totp(&strong.access_token).await;
    wants_factors(&world, "null").await;
    let refused = world.refresh(&weak.refresh_token).await.unwrap_err();
    assert_eq!(code(&refused), "auth.refresh_invalid");
    assert!(world.refresh(&strong.refresh_token).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_opens_an_account_is_stored_in_the_clear() {
    let world = World::start().await;
    let signed_up = world.sign_up(ADA).await;
    let tokens = signed_up.tokens.unwrap();
    let app = world.enable_totp(&tokens.access_token).await;
    let challenge = world.challenge(ADA).await;
    let next = world.code(&app.secret, 1);
    world.complete(&challenge, &next, "").await.unwrap();
    let mut secrets = vec![
        app.secret.clone(),
        next,
        challenge,
        signed_up.device_token,
        PASSWORD.to_owned(),
    ];
    secrets.extend([tokens.access_token, tokens.refresh_token]);
    for recovery in &app.recovery_codes {
        secrets.extend([recovery.clone(), recovery.replace('-', "")]);
    }
    let raw = totp_rs::Secret::try_from_base32(&app.secret).unwrap();
    secrets.push(hex::encode(raw.as_bytes()));
    let dump = world.dump().await;
    for secret in secrets {
        assert!(!dump.contains(&secret), "{secret}");
    }
}
