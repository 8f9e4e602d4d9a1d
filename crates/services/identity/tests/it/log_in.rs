use std::time::{Duration, Instant};

use tonic::Code;
use tonic_types::StatusExt;

use crate::world::{PASSWORD, World, code};

#[tokio::test(flavor = "multi_thread")]
async fn a_login_answers_who_and_where_and_starts_a_session_of_its_own() {
    let world = World::start().await;
    let signed_up = world.sign_up("ada@example.com").await;
    let answer = world.log_in("ADA@example.com ").await;
    assert_eq!(answer.user, signed_up.user);
    assert_eq!(answer.organization, signed_up.organization);
    assert_eq!(answer.role(), proto::identity::v1::Role::Owner);
    let (first, second) = (signed_up.tokens.unwrap(), answer.tokens.unwrap());
    assert_ne!(first.session_id, second.session_id);
    assert!(world.caller(&second.access_token).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_address_and_a_wrong_password_get_the_same_answer() {
    let world = World::start().await;
    world.sign_up("ada@example.com").await;
    let wrong = world
        .try_log_in("ada@example.com", "not the password")
        .await
        .unwrap_err();
    let unknown = world
        .try_log_in("bob@example.com", PASSWORD)
        .await
        .unwrap_err();
    assert_eq!(code(&wrong), "auth.credentials_wrong");
    assert_eq!(wrong.code(), unknown.code());
    assert_eq!(wrong.message(), unknown.message());
    assert_eq!(wrong.details(), unknown.details());
    let names = |status: &tonic::Status| {
        let mut names: Vec<_> = status
            .metadata()
            .keys()
            .map(|key| format!("{key:?}"))
            .collect();
        names.sort_unstable();
        names
    };
    assert_eq!(names(&wrong), names(&unknown));
}

/// P-03, coarsely: a hash takes a tenth of a second, its absence nearly nothing.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_address_takes_as_long_as_a_wrong_password() {
    let world = World::start().await;
    world.sign_up("ada@example.com").await;
    let fastest = async |email: &str| {
        let mut fastest = Duration::MAX;
        for _ in 0..6 {
            let began = Instant::now();
            world
                .try_log_in(email, "not the password")
                .await
                .unwrap_err();
            fastest = fastest.min(began.elapsed());
        }
        fastest
    };
    let (known, unknown) = (
        fastest("ada@example.com").await,
        fastest("bob@example.com").await,
    );
    assert!(
        unknown * 2 > known && known * 2 > unknown,
        "{known:?} {unknown:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_not_trimmed_or_cut() {
    let world = World::start().await;
    world.sign_up("ada@example.com").await;
    for wrong in [
        &format!(" {PASSWORD}"),
        &format!("{PASSWORD} "),
        &PASSWORD.to_uppercase(),
    ] {
        assert_eq!(
            world
                .try_log_in("ada@example.com", wrong)
                .await
                .unwrap_err()
                .code(),
            Code::Unauthenticated
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_without_an_organization_can_not_log_in_and_is_not_told_why() {
    let world = World::start().await;
    world.sign_up("ada@example.com").await;
    world.execute("delete from identity.memberships").await;
    let refused = world
        .try_log_in("ada@example.com", PASSWORD)
        .await
        .unwrap_err();
    assert_eq!(code(&refused), "auth.credentials_wrong");
}

/// P-06: the crowd is told when to come back, and others are served meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_at_the_login_does_not_stop_the_rest() {
    let world = World::start().await;
    let token = world.owner("ada@example.com").await;
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..60 {
        let mut client = world.client.clone();
        crowd.spawn(async move {
            let request = proto::identity::v1::LogInRequest {
                email: "ada@example.com".to_owned(),
                password: "not the password".to_owned(),
            };
            client.log_in(request).await.unwrap_err()
        });
    }
    assert!(world.caller(&token).await.is_ok());
    let answers = crowd.join_all().await;
    let busy: Vec<_> = answers
        .iter()
        .filter(|status| code(status) == "auth.busy")
        .collect();
    assert!(!busy.is_empty() && busy.len() < 60, "{}", busy.len());
    for status in busy {
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert!(status.get_details_retry_info().is_some());
    }
    assert!(
        world.try_log_in("ada@example.com", PASSWORD).await.is_ok(),
        "the places are free again"
    );
}
