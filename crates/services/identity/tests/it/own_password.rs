use std::time::Duration;

use proto::identity::v1::{
    ChangePasswordRequest, ExchangeApiKeyRequest, RequestPasswordResetRequest,
    ResendVerificationRequest, ResetPasswordRequest, SignUpRequest, VerifyEmailRequest,
};
use tonic::Status;

use crate::{
    person::{password_of, right},
    sign_up::fields,
    world::{PASSWORD, World, as_caller, code, sign_up},
};

const ADA: &str = "ada@example.com";
const OTHER: &str = "velvet otter drives eleven trams";

async fn ask(world: &World, email: &str) {
    let email = email.to_owned();
    let request = RequestPasswordResetRequest { email };
    let answer = world.accounts().request_password_reset(request).await;
    assert!(answer.is_ok(), "the same for everybody");
}

async fn reset(world: &World, secret: &str, password: &str) -> Result<(), Status> {
    let request = ResetPasswordRequest {
        secret: secret.to_owned(),
        new_password: password.to_owned(),
    };
    world.accounts().reset_password(request).await.map(drop)
}

async fn change(world: &World, token: &str, password: &str) -> Result<(), Status> {
    let new_password = password.to_owned();
    let request = as_caller(ChangePasswordRequest { new_password }, token);
    world.accounts().change_password(request).await.map(drop)
}

async fn verify(world: &World, secret: &str) -> Result<(), Status> {
    verify_with(world, secret, PASSWORD).await
}

async fn verify_with(world: &World, secret: &str, password: &str) -> Result<(), Status> {
    let request = VerifyEmailRequest {
        secret: secret.to_owned(),
        password: password.to_owned(),
    };
    world.accounts().verify_email(request).await.map(drop)
}

/// The tokens of a session that ended are refused, its refresh token, too.
async fn assert_ended(world: &World, tokens: &proto::identity::v1::SessionTokens) {
    let refused = world.refresh(&tokens.refresh_token).await.unwrap_err();
    assert_eq!(code(&refused), "auth.refresh_invalid");
    // Verifiers ask for revocations twice a second.
    world.hand.advance(Duration::from_secs(1));
    let refused = world.caller(&tokens.access_token).await.unwrap_err();
    assert_eq!(code(&refused), "auth.revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hash_of_the_older_system_lets_in_once_and_is_replaced() {
    let world = World::start().await;
    world.sign_up(ADA).await;
    let old = bcrypt::hash_with_result(PASSWORD, 5).unwrap();
    let old = old.format_for_version(bcrypt::Version::TwoY);
    world
        .execute(&format!("update identity.passwords set hash = '{old}'"))
        .await;
    assert!(world.log_in_with(password_of(ADA, "wrong")).await.is_err());
    let stored =
        "select from identity.passwords where hash like '$argon2id$v=19$m=47104,t=1,p=1$%'";
    assert_eq!(world.execute(stored).await, 0);
    world.log_in(ADA).await;
    assert_eq!(world.execute(stored).await, 1);
    world.log_in(ADA).await;
}

/// P-02.
#[tokio::test(flavor = "multi_thread")]
async fn a_guessable_password_is_refused_wherever_one_is_chosen() {
    let world = World::start().await;
    let refused = world
        .client
        .clone()
        .sign_up(SignUpRequest {
            password: "kedaikopi kedaikopi".to_owned(),
            ..sign_up(ADA)
        })
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "identity.password_guessable");
    assert_eq!(world.execute("select from identity.users").await, 0);
    let tokens = world.sign_up(ADA).await.tokens.unwrap();
    for guessable in [
        "passwordpassword",
        "ada@example.com",
        "Kedai Kopi Kedai Kopi",
    ] {
        let refused = change(&world, &tokens.access_token, guessable)
            .await
            .unwrap_err();
        assert_eq!(code(&refused), "identity.password_guessable", "{guessable}");
    }
    ask(&world, ADA).await;
    let link = world.link("reset_password").await;
    let refused = reset(&world, &link, "passwordpassword").await.unwrap_err();
    assert_eq!(code(&refused), "identity.password_guessable");
    let refused = reset(&world, &link, "short").await.unwrap_err();
    assert_eq!(fields(&refused), ["newPassword"]);
    assert!(
        reset(&world, &link, OTHER).await.is_ok(),
        "the link was not used up"
    );
}

/// V-02, R-04, J-11.
#[tokio::test(flavor = "multi_thread")]
async fn a_reset_works_once_ends_every_session_and_begins_none() {
    let world = World::start().await;
    let first = world.sign_up(ADA).await.tokens.unwrap();
    let elsewhere = world.second_organization().await;
    let second = world
        .log_in_with(proto::identity::v1::LogInRequest {
            organization_id: elsewhere.to_string(),
            ..right(ADA)
        })
        .await
        .unwrap();
    assert_eq!(second.organization.unwrap().id, elsewhere.to_string());
    ask(&world, "nobody@example.com").await;
    assert!(world.letters("reset_password").await.is_empty());
    ask(&world, "ADA@example.com").await;
    let link = world.link("reset_password").await;
    reset(&world, &link, OTHER).await.unwrap();
    assert_ended(&world, &first).await;
    assert_ended(&world, &second.tokens.unwrap()).await;
    assert_eq!(
        code(&reset(&world, &link, PASSWORD).await.unwrap_err()),
        "identity.link_invalid"
    );
    assert!(world.log_in_with(right(ADA)).await.is_err());
    assert!(world.log_in_with(password_of(ADA, OTHER)).await.is_ok());
    assert_eq!(world.letters("password_changed").await.len(), 1);
    let recorded = "select from identity.audit_entries where action = 'password.changed'";
    assert_eq!(world.execute(recorded).await, 2, "in both organizations");
    let dump = world.dump().await;
    for secret in [OTHER, PASSWORD, &link] {
        assert!(!dump.contains(secret));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_recorded_where_the_organization_is_suspended_too() {
    let world = World::start().await;
    world.sign_up(ADA).await;
    let elsewhere = world.second_organization().await;
    world
        .execute(&format!(
            "update identity.organizations set state = 'suspended' where organization_id = '{}'",
            elsewhere.as_uuid()
        ))
        .await;
    ask(&world, ADA).await;
    let link = world.link("reset_password").await;
    reset(&world, &link, OTHER).await.unwrap();
    let recorded = "select from identity.audit_entries where action = 'password.changed'";
    assert_eq!(world.execute(recorded).await, 2);
}

/// V-02, L-04.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_dies_by_a_newer_one_by_time_and_with_its_address() {
    let world = World::start().await;
    world.sign_up(ADA).await;
    ask(&world, ADA).await;
    let older = world.link("reset_password").await;
    world.hand.advance(Duration::from_secs(1));
    ask(&world, ADA).await;
    let newer = world.link("reset_password").await;
    let verification = world.link("verify_email").await;
    for void in [&older, &verification, "sbl_", "sbl_AAAA", "x"] {
        assert_eq!(
            code(&reset(&world, void, OTHER).await.unwrap_err()),
            "identity.link_invalid"
        );
    }
    world
        .execute("update identity.users set email_key = 'new@example.com'")
        .await;
    assert_eq!(
        code(&reset(&world, &newer, OTHER).await.unwrap_err()),
        "identity.link_invalid"
    );
    world
        .execute("update identity.users set email_key = 'ada@example.com'")
        .await;
    world.hand.advance(Duration::from_mins(30));
    assert_eq!(
        code(&reset(&world, &newer, OTHER).await.unwrap_err()),
        "identity.link_invalid"
    );
    assert!(world.log_in_with(right(ADA)).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_use_a_link_at_once_do_not_both_succeed() {
    let world = World::start().await;
    world.sign_up(ADA).await;
    ask(&world, ADA).await;
    let link = world.link("reset_password").await;
    let (one, two) = tokio::join!(
        reset(&world, &link, OTHER),
        reset(&world, &link, "another otter drives the tram")
    );
    assert_eq!(u8::from(one.is_ok()) + u8::from(two.is_ok()), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_password_ends_the_other_sessions_and_wants_a_fresh_proof() {
    let world = World::start().await;
    let other = world.sign_up(ADA).await.tokens.unwrap();
    let mine = world.log_in(ADA).await.tokens.unwrap();
    // The other session began in the same instant; its end must still reach its token.
    change(&world, &mine.access_token, OTHER).await.unwrap();
    assert_ended(&world, &other).await;
    assert!(world.caller(&mine.access_token).await.is_ok());
    world.hand.advance(Duration::from_mins(11));
    let later = world.refresh(&mine.refresh_token).await.unwrap();
    let refused = change(&world, &later.access_token, PASSWORD)
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "auth.step_up_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_to_one_address_is_limited() {
    let world = World::start().await;
    world.sign_up(ADA).await;
    for email in [ADA, "nobody@example.com"] {
        let mut sent = 0;
        loop {
            let email = email.to_owned();
            let request = RequestPasswordResetRequest { email };
            match world.accounts().request_password_reset(request).await {
                Ok(_) => sent += 1,
                Err(refused) => {
                    assert_eq!(code(&refused), "auth.throttled");
                    break;
                }
            }
        }
        assert!((4..=5).contains(&sent), "{sent}");
    }
}

/// Where people must prove their address first, nobody learns who has an account, and nobody gets in without.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_up_does_not_tell_who_has_an_account() {
    let mut world = World::start().await;
    world.config.sign_up.unproven = false;
    world.restart().await;
    let mut answers = Vec::new();
    for _ in 0..2 {
        let answer = world.client.clone().sign_up(sign_up(ADA)).await.unwrap();
        answers.push(answer.into_inner());
    }
    assert_eq!(answers[0], proto::identity::v1::SignUpResponse::default());
    assert_eq!(answers[0], answers[1]);
    assert_eq!(world.execute("select from identity.organizations").await, 1);
    assert_eq!(world.letters("verify_email").await.len(), 1);
    assert_eq!(world.letters("account_exists").await.len(), 1);
    let refused = world.log_in_with(right(ADA)).await.unwrap_err();
    assert_eq!(code(&refused), "auth.credentials_wrong");
    verify(&world, &world.link("verify_email").await)
        .await
        .unwrap();
    assert!(
        world
            .log_in_with(right(ADA))
            .await
            .unwrap()
            .tokens
            .is_some()
    );
}

/// Whoever took somebody's address first loses it to the one who reads its mail.
#[tokio::test(flavor = "multi_thread")]
async fn the_reader_of_an_address_takes_it_from_whoever_signed_up_with_it() {
    let mut world = World::start().await;
    world.config.sign_up.unproven = false;
    world.restart().await;
    world.client.clone().sign_up(sign_up(ADA)).await.unwrap();
    ask(&world, ADA).await;
    reset(&world, &world.link("reset_password").await, OTHER)
        .await
        .unwrap();
    assert!(world.log_in_with(right(ADA)).await.is_err());
    assert!(
        world
            .log_in_with(password_of(ADA, OTHER))
            .await
            .unwrap()
            .tokens
            .is_some()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_proven_by_the_newest_link_within_a_day() {
    let world = World::start().await;
    let token = world.owner(ADA).await;
    let older = world.link("verify_email").await;
    world.hand.advance(Duration::from_secs(1));
    let again = as_caller(ResendVerificationRequest {}, &token);
    world.accounts().resend_verification(again).await.unwrap();
    let newer = world.link("verify_email").await;
    assert_eq!(
        code(&verify(&world, &older).await.unwrap_err()),
        "identity.link_invalid"
    );
    for _ in 0..2 {
        verify(&world, &newer).await.unwrap();
    }
    let verified = "select from identity.users where email_verified_at is not null";
    assert_eq!(world.execute(verified).await, 1);
    let again = as_caller(ResendVerificationRequest {}, &token);
    world.accounts().resend_verification(again).await.unwrap();
    assert_eq!(
        world.letters("verify_email").await.len(),
        2,
        "there is nothing to prove"
    );
    world.hand.advance(Duration::from_hours(24));
    assert_eq!(
        code(&verify(&world, &newer).await.unwrap_err()),
        "identity.link_invalid"
    );
}

/// Whoever follows a genuine link does not vouch for the account of somebody else who signed up with the address.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_proves_an_address_only_with_the_password_of_the_sign_up() {
    let world = World::start().await;
    world.sign_up(ADA).await;
    let link = world.link("verify_email").await;
    let missing = verify_with(&world, &link, "").await.unwrap_err();
    assert_eq!(fields(&missing), ["password"]);
    for _ in 0..10 {
        let refused = verify_with(&world, &link, OTHER).await.unwrap_err();
        assert_eq!(code(&refused), "auth.credentials_wrong");
    }
    let refused = verify(&world, &link).await.unwrap_err();
    assert_eq!(code(&refused), "auth.throttled");
    let verified = "select from identity.users where email_verified_at is not null";
    assert_eq!(world.execute(verified).await, 0);
    world.hand.advance(Duration::from_secs(30));
    verify(&world, &link).await.unwrap();
    assert_eq!(world.execute(verified).await, 1);
    assert!(world.log_in_with(right(ADA)).await.is_ok(), "forgiven");
}

/// Whoever signed up with somebody else's address keeps no way in once that one has taken the account.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_proof_of_an_address_removes_the_factor_and_the_keys_of_before() {
    let world = World::start().await;
    let squatter = world.owner(ADA).await;
    world.enable_totp(&squatter).await;
    let key = world.create_key(&squatter, auth::Role::Owner, &[]).await;
    ask(&world, ADA).await;
    let link = world.link("reset_password").await;
    reset(&world, &link, OTHER).await.unwrap();
    let answer = world.log_in_with(password_of(ADA, OTHER)).await.unwrap();
    let tokens = answer.tokens.unwrap();
    let request = ExchangeApiKeyRequest {
        secret: key.unwrap().secret,
        ..ExchangeApiKeyRequest::default()
    };
    let request = as_caller(request, &world.service().await);
    let refused = world.client.clone().exchange_api_key(request).await;
    assert_eq!(code(&refused.unwrap_err()), "auth.api_key_invalid");
    // From now on the address is proven, and a reset leaves the factor where it is.
    world.hand.advance(Duration::from_secs(1));
    world.enable_totp(&tokens.access_token).await;
    ask(&world, ADA).await;
    let link = world.link("reset_password").await;
    reset(&world, &link, PASSWORD).await.unwrap();
    let answer = world.log_in_with(right(ADA)).await.unwrap();
    assert!(answer.tokens.is_none() && answer.mfa_required.is_some());
}
