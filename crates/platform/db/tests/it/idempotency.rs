use std::time::Duration;

use db::{
    Db,
    idempotency::{self, IdempotencyError, Outcome, RequestHash},
};
use errors::Classify;
use ids::OrganizationId;
use testkit::eventually;
use tokio::task::JoinSet;

use crate::fixture::{Fixture, SOON, add_thing, tenant};

const OPERATION: &str = "CreateThing";

/// The operation as a service would write it.
async fn create(
    db: &Db,
    organization: OrganizationId,
    key: &str,
    request: &str,
) -> Result<String, IdempotencyError> {
    let mut tx = tenant(db, organization).await?;
    let guard =
        match idempotency::begin(&mut tx, OPERATION, key, RequestHash::of(request.as_bytes()))
            .await?
        {
            Outcome::Replay(answer) => {
                return Ok(format!("again: {}", String::from_utf8_lossy(&answer)));
            }
            Outcome::New(guard) => guard,
        };
    add_thing(&mut tx, request).await?;
    guard.store(&mut tx, request.as_bytes()).await?;
    tx.commit().await?;
    Ok(format!("made: {request}"))
}

#[tokio::test]
async fn a_repeated_call_gets_the_saved_answer_and_does_nothing() {
    let fixture = Fixture::new().await;
    let (mine, other) = (OrganizationId::generate(), OrganizationId::generate());
    assert_eq!(
        create(&fixture.db, mine, "k", "chair").await.expect("new"),
        "made: chair"
    );
    assert_eq!(
        create(&fixture.db, mine, "k", "chair")
            .await
            .expect("again"),
        "again: chair"
    );
    // Another tenant's key is another key.
    assert_eq!(
        create(&fixture.db, other, "k", "table").await.expect("new"),
        "made: table"
    );
    assert_eq!(fixture.count("things").await, 2);
}

#[tokio::test]
async fn a_key_with_another_request_is_refused() {
    let fixture = Fixture::new().await;
    let organization = OrganizationId::generate();
    create(&fixture.db, organization, "k", "chair")
        .await
        .expect("new");
    let error = create(&fixture.db, organization, "k", "table")
        .await
        .expect_err("reused");
    assert_eq!(error.code().id, "idempotency.key_reused");
    let error = create(&fixture.db, organization, &"k".repeat(256), "lamp")
        .await
        .expect_err("too long");
    assert_eq!(error.fields()[0].field, "Idempotency-Key");
}

#[tokio::test]
async fn a_key_may_be_used_again_after_two_days() {
    let fixture = Fixture::new().await;
    let organization = OrganizationId::generate();
    create(&fixture.db, organization, "k", "chair")
        .await
        .expect("new");
    fixture.hand.advance(Duration::from_hours(48));
    assert_eq!(
        create(&fixture.db, organization, "k", "table")
            .await
            .expect("new"),
        "made: table"
    );
}

#[tokio::test]
async fn of_many_calls_at_once_one_works_and_all_get_its_answer() {
    let fixture = Fixture::new().await;
    let organization = OrganizationId::generate();
    let mut calls = JoinSet::new();
    for _ in 0..12 {
        let db = fixture.db.clone();
        calls.spawn(async move {
            create(&db, organization, "k", "chair")
                .await
                .expect("an answer")
        });
    }
    let mut answers = calls.join_all().await;
    answers.sort();
    assert_eq!(answers.pop().as_deref(), Some("made: chair"));
    assert!(
        answers.iter().all(|answer| answer == "again: chair"),
        "{answers:?}"
    );
    assert_eq!(fixture.count("things").await, 1);
}

#[tokio::test]
async fn a_duplicate_waits_for_the_first_and_takes_over_when_it_fails() {
    let fixture = Fixture::new().await;
    let organization = OrganizationId::generate();
    let mut first = fixture.tenant(organization).await;
    let begun = idempotency::begin(&mut first, OPERATION, "k", RequestHash::of(b"chair")).await;
    assert!(matches!(begun, Ok(Outcome::New(_))));
    let mut second = JoinSet::new();
    let db = fixture.db.clone();
    second.spawn(async move {
        create(&db, organization, "k", "chair")
            .await
            .expect("an answer")
    });
    eventually(SOON, || async {
        let waiting: bool = sqlx::query_scalar(
            "select exists (select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')",
        )
        .fetch_one(&mut fixture.database.admin().await)
        .await
        .expect("look");
        waiting
    })
    .await;
    drop(first);
    let answer = second.join_next().await.expect("a task").expect("no panic");
    assert_eq!(answer, "made: chair");
}

#[tokio::test]
async fn a_commit_without_an_answer_is_reported_as_the_bug_it_is() {
    let fixture = Fixture::new().await;
    let mut tx = fixture.system().await;
    let begun = idempotency::begin(&mut tx, "SignUp", "k", RequestHash::of(b"")).await;
    assert!(matches!(begun, Ok(Outcome::New(_))));
    tx.commit().await.expect("commit");
    let mut tx = fixture.system().await;
    let again = idempotency::begin(&mut tx, "SignUp", "k", RequestHash::of(b"")).await;
    assert!(matches!(
        again,
        Err(IdempotencyError::AnswerMissing {
            operation: "SignUp"
        })
    ));
}
