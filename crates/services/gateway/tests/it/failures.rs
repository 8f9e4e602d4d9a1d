use std::{borrow::Cow, time::Duration};

use errors::{Classify, Code, FieldViolation, codes};

use crate::world::World;

const LIST: &str = "/v1/conversations";

#[derive(Debug, thiserror::Error)]
#[error("password=hunter2")]
pub(crate) struct Refused(pub(crate) &'static Code);

impl Classify for Refused {
    fn code(&self) -> &'static Code {
        self.0
    }

    fn detail(&self) -> Cow<'static, str> {
        Cow::Borrowed("Said by the service.")
    }

    fn fields(&self) -> Vec<FieldViolation> {
        if self.0 == &codes::CONTENT_INVALID {
            vec![FieldViolation::new("content.text.body", "is too long")]
        } else {
            Vec::new()
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        (self.0 == &codes::RATE_LIMITED).then(|| Duration::from_millis(2_300))
    }
}

#[tokio::test]
async fn every_error_of_a_service_keeps_its_code_and_status() {
    let world = World::start().await;
    for code in codes::ALL {
        // Reads are tried again while a service is unavailable: it has to stay so.
        world.script.keep_refusing(Some(errors::status_of(code)));
        let answer = world.agent("GET", LIST).answer().await;
        answer.problem(code.http().as_u16(), code.id);
    }
}

#[tokio::test]
async fn a_read_is_tried_again_after_a_moment_of_unavailability_and_a_write_is_not() {
    let world = World::start().await;
    let unavailable = || errors::status_of(&codes::UNAVAILABLE);
    world.script.refuse(unavailable());
    assert_eq!(world.agent("GET", LIST).answer().await.status, 200);
    assert_eq!(world.script.seen_of("ListConversations").len(), 2);

    world.script.refuse(unavailable());
    let answer = world
        .ask("POST", "/v1/sessions")
        .json(r#"{"email":"a@example.com","password":"right"}"#)
        .answer()
        .await;
    answer.problem(503, codes::UNAVAILABLE.id);
    assert_eq!(world.script.seen_of("LogIn").len(), 1);
}

#[tokio::test]
async fn wrong_fields_are_listed_with_422() {
    let world = World::start().await;
    world
        .script
        .refuse(errors::to_status(&Refused(&codes::CONTENT_INVALID)));
    let answer = world.agent("GET", LIST).answer().await;
    let problem = answer.problem(422, "messaging.content_invalid");
    assert_eq!(problem["detail"], "Said by the service.");
    assert_eq!(problem["errors"][0]["field"], "content.text.body");
}

#[tokio::test]
async fn a_known_wait_is_a_header_too() {
    let world = World::start().await;
    world
        .script
        .refuse(errors::to_status(&Refused(&codes::RATE_LIMITED)));
    let answer = world.agent("GET", LIST).answer().await;
    let problem = answer.problem(429, "rate_limited");
    assert_eq!(answer.header("retry-after"), Some("3"));
    assert_eq!(problem["retry_after"], 3);
}

#[tokio::test]
async fn internal_words_stay_inside() {
    let world = World::start().await;
    for status in [
        tonic::Status::internal("secret: pool exhausted"),
        tonic::Status::unknown("secret"),
        tonic::Status::data_loss("secret"),
        errors::to_status(&Refused(&codes::INTERNAL)),
    ] {
        world.script.refuse(status);
        let answer = world.agent("GET", LIST).answer().await;
        let problem = answer.problem(500, "internal");
        let shown = problem.to_string();
        assert!(
            !shown.contains("secret") && !shown.contains("hunter2"),
            "{shown}"
        );
        assert!(!shown.contains("Said by"), "{shown}");
    }
}

#[tokio::test]
async fn a_service_that_is_down_is_unavailable_and_works_again_when_it_is_back() {
    let mut world = World::start().await;
    assert_eq!(world.agent("GET", LIST).answer().await.status, 200);
    world.kill_messaging().await;
    let answer = world.agent("GET", LIST).answer().await;
    let problem = answer.problem(503, "unavailable");
    assert!(!problem.to_string().contains("127.0.0.1"), "{problem}");
    // Others are not touched.
    assert_eq!(world.agent("GET", "/v1/me").answer().await.status, 200);
    world.restart_messaging().await;
    assert_eq!(world.agent("GET", LIST).answer().await.status, 200);
}

#[tokio::test]
async fn a_service_that_does_not_answer_in_time_is_a_timeout() {
    let world = World::with(|config| {
        config.messaging.connect_timeout_ms = 100;
        config.messaging.timeout_ms = 100;
    })
    .await;
    world.script.hang();
    let answer = world.agent("GET", LIST).answer().await;
    answer.problem(504, "timeout");
}

#[tokio::test]
async fn a_wrong_password_is_401_with_a_challenge() {
    let world = World::start().await;
    world
        .script
        .refuse(errors::status_of(&codes::AUTH_CREDENTIALS_WRONG));
    let answer = world
        .ask("POST", "/v1/sessions")
        .json(r#"{"email":"a@example.com","password":"wrong"}"#)
        .answer()
        .await;
    answer.problem(401, "auth.credentials_wrong");
}
