use std::time::Duration;

use proto::identity::v1::{LogInRequest, RequestPasswordResetRequest, SignUpRequest};
use testkit::eventually;
use tokio::task::JoinSet;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::{
    person::{from, right, wrong},
    world::{World, code, sign_up},
};

const ADA: &str = "ada@example.com";

/// Wrong logins, one after the other, until one must wait; how many were checked, and the refusal.
async fn until_throttled(world: &World, request: &LogInRequest) -> (usize, Status) {
    let mut checked = 0;
    loop {
        let refused = world.log_in_with(request.clone()).await.unwrap_err();
        match code(&refused).as_str() {
            "auth.credentials_wrong" => checked += 1,
            "auth.busy" => {}
            other => {
                assert_eq!(other, "auth.throttled");
                return (checked, refused);
            }
        }
    }
}

fn wait(refused: &Status) -> Duration {
    refused
        .get_details_retry_info()
        .unwrap()
        .retry_delay
        .unwrap()
}

/// P-04.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_wrong_logins_at_once_ten_are_checked() {
    let world = World::start().await;
    world.sign_up(ADA).await;
    let mut crowd = JoinSet::new();
    for _ in 0..100 {
        let mut client = world.client.clone();
        crowd.spawn(async move { code(&client.log_in(wrong(ADA)).await.unwrap_err()) });
    }
    let answers = crowd.join_all().await;
    let checked = answers
        .iter()
        .filter(|code| *code == "auth.credentials_wrong")
        .count();
    // Whoever was told that all is busy was not counted.
    let (rest, _) = until_throttled(&world, &wrong(ADA)).await;
    assert_eq!(checked + rest, 10);
    let busy = answers.iter().filter(|code| *code == "auth.busy").count();
    let throttled = answers
        .iter()
        .filter(|code| *code == "auth.throttled")
        .count();
    assert_eq!(checked + busy + throttled, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn waits_double_and_are_the_same_whether_or_not_there_is_an_account() {
    let world = World::start().await;
    world.sign_up(ADA).await;
    let nobody = wrong("nobody@example.com");
    let (known, refused) = until_throttled(&world, &wrong(ADA)).await;
    let (unknown, refused_too) = until_throttled(&world, &nobody).await;
    assert_eq!((known, unknown), (10, 10));
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(refused.message(), refused_too.message());
    assert_eq!(refused.details(), refused_too.details());
    assert_eq!(wait(&refused), Duration::from_secs(30));

    world.hand.advance(Duration::from_secs(30));
    for request in [wrong(ADA), nobody] {
        let (one, refused) = until_throttled(&world, &request).await;
        assert_eq!((one, wait(&refused)), (1, Duration::from_mins(1)));
    }
    // The right password must wait, too, or waiting would protect nothing; afterwards all is forgotten.
    let refused = world.log_in_with(right(ADA)).await.unwrap_err();
    assert_eq!(code(&refused), "auth.throttled");
    world.hand.advance(Duration::from_mins(1));
    world.log_in(ADA).await;
    assert_eq!(until_throttled(&world, &wrong(ADA)).await.0, 10);
}

/// P-05.
#[tokio::test(flavor = "multi_thread")]
async fn an_attacker_can_not_lock_out_a_known_device() {
    let world = World::start().await;
    let device_token = world.sign_up(ADA).await.device_token;
    let bobs = world.sign_up("bob@example.com").await.device_token;
    until_throttled(&world, &wrong(ADA)).await;
    let at = |device_token: &str, request: LogInRequest| LogInRequest {
        device_token: device_token.to_owned(),
        ..request
    };
    for unknown in ["", "sbv_", "sbv_AAAA", &bobs] {
        let refused = world
            .log_in_with(at(unknown, right(ADA)))
            .await
            .unwrap_err();
        assert_eq!(code(&refused), "auth.throttled", "{unknown}");
    }
    let known = world
        .log_in_with(at(&device_token, right(ADA)))
        .await
        .unwrap();
    assert_eq!(known.device_token, device_token, "it stays the same device");
    // A stolen device token opens no way around the brake.
    let (checked, _) = until_throttled(&world, &at(&device_token, wrong(ADA))).await;
    assert_eq!(checked, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_slowed_down_whomever_it_asks_for_and_others_are_not() {
    let world = World::start().await;
    world.sign_up(ADA).await;
    let mut accounts = world.accounts();
    let ask = |number: u32| RequestPasswordResetRequest {
        email: format!("{number}@example.com"),
    };
    for number in 0..50 {
        let request = from("2001:db8::1", ask(number));
        accounts.request_password_reset(request).await.unwrap();
    }
    let refused = world
        .log_in_from("2001:db8::2", right(ADA))
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "auth.throttled", "the same /64");
    assert!(
        world
            .log_in_from("2001:db8:0:1::1", right(ADA))
            .await
            .is_ok()
    );
    assert!(world.log_in_from("192.0.2.1", right(ADA)).await.is_ok());
    // Successes do not count: an office may log in all day.
    world.hand.advance(Duration::from_mins(3));
    for _ in 0..3 {
        assert!(world.log_in_from("2001:db8::1", right(ADA)).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_signs_up_so_many_people_and_others_go_on() {
    let world = World::start().await;
    let mut client = world.client.clone();
    for number in 0..50 {
        // Refused before anything is hashed, and counted.
        let request = SignUpRequest {
            password: "passwordpassword".to_owned(),
            ..sign_up(&format!("{number}@example.com"))
        };
        let refused = client.sign_up(from("192.0.2.1", request)).await;
        assert_eq!(
            code(&refused.unwrap_err()),
            "identity.password_guessable",
            "{number}"
        );
    }
    let refused = client.sign_up(from("192.0.2.1", sign_up(ADA))).await;
    assert_eq!(code(&refused.unwrap_err()), "auth.throttled");
    let elsewhere = client.sign_up(from("192.0.2.2", sign_up(ADA))).await;
    assert!(elsewhere.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn old_failures_links_and_revocations_are_swept_while_the_service_runs() {
    let world = World::start().await;
    let tokens = world.sign_up(ADA).await.tokens.unwrap();
    world.log_in_with(wrong(ADA)).await.unwrap_err();
    let request =
        crate::world::as_caller(proto::identity::v1::LogOutRequest {}, &tokens.access_token);
    world.client.clone().log_out(request).await.unwrap();
    let left = "select from identity.throttles union all select from identity.email_links
                union all select from identity.revocations";
    assert!(world.execute(left).await >= 3);
    world.hand.advance(Duration::from_hours(24 * 9));
    eventually(Duration::from_secs(30), async || {
        world.hand.advance(Duration::from_hours(1));
        world.execute(left).await == 0
    })
    .await;
}
