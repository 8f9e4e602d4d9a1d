use proto::identity::v1::{IssueServiceTokenRequest, LogInRequest, SignUpRequest};
use tokio::task::JoinSet;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::world::{GATEWAY, PASSWORD, World, code, sign_up};

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

/// P-03: how long an answer takes must not tell whether an address is known. An unknown one is sent through the same few
/// places; that the hash there costs the same is a test of `passwords`.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_address_is_hashed_like_a_known_one() {
    let world = World::start().await;
    let answers = crowd(&world).join_all().await;
    let busy = answers.iter().filter(|status| is_busy(status)).count();
    assert!((1..CROWD).contains(&busy), "{busy}");
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

/// More than can be hashed and wait together.
const CROWD: usize = 60;

/// Logins of unknown people, all at once; one person's would have to wait for another reason.
fn crowd(world: &World) -> JoinSet<Status> {
    let mut crowd = JoinSet::new();
    for number in 0..CROWD {
        let mut client = world.client.clone();
        let request = LogInRequest {
            email: format!("nobody{number}@example.com"),
            password: "not the password".to_owned(),
            ..LogInRequest::default()
        };
        crowd.spawn(async move { client.log_in(request).await.unwrap_err() });
    }
    crowd
}

fn is_busy(status: &Status) -> bool {
    code(status) == "auth.busy"
}

/// P-06: the crowd is told when to come back, and others are served meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_at_the_login_does_not_stop_the_rest() {
    let world = World::start().await;
    let token = world.owner("ada@example.com").await;
    let mut crowd = crowd(&world);
    let mut answers = Vec::new();
    // Whoever is told that all is busy proves that the crowd is there.
    while !answers.last().is_some_and(is_busy) {
        answers.push(crowd.join_next().await.unwrap().unwrap());
    }
    assert!(world.caller(&token).await.is_ok());
    answers.extend(crowd.join_all().await);
    let busy: Vec<_> = answers.iter().filter(|status| is_busy(status)).collect();
    assert!(busy.len() < CROWD, "nobody was served");
    for status in busy {
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert!(status.get_details_retry_info().is_some());
    }
    assert!(
        world.try_log_in("ada@example.com", PASSWORD).await.is_ok(),
        "the places are free again"
    );
}

/// PostgreSQL can't store a NUL: that is the caller's mistake and not ours.
#[tokio::test(flavor = "multi_thread")]
async fn a_nul_in_a_text_is_an_invalid_request() {
    let world = World::start().await;
    let log_in = world.try_log_in("ada\0@example.com", PASSWORD).await;
    let name = SignUpRequest {
        name: "A\0da".to_owned(),
        ..sign_up("ada@example.com")
    };
    let organization = SignUpRequest {
        organization_name: "Kedai\0Kopi".to_owned(),
        ..sign_up("bob@example.com")
    };
    let client = IssueServiceTokenRequest {
        client_id: "gate\0way".to_owned(),
        client_secret: GATEWAY.to_owned(),
    };
    let mut service = world.client.clone();
    for refused in [
        log_in.unwrap_err(),
        service.sign_up(name).await.unwrap_err(),
        service.sign_up(organization).await.unwrap_err(),
        service.issue_service_token(client).await.unwrap_err(),
    ] {
        assert_eq!(
            (refused.code(), code(&refused).as_str()),
            (Code::InvalidArgument, "request.invalid")
        );
    }
}
