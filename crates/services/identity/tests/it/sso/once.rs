//! What counts once, and what ends in the middle of a login.

use std::time::Duration;

use proto::identity::v1::{FinishSamlRequest, sso_service_client::SsoServiceClient};
use testkit::eventually;
use tokio::task::JoinSet;

use super::saml::{Corp, about, answering, finish, posted, request_id};

#[tokio::test]
async fn an_assertion_counts_once_at_whichever_replica() {
    let mut corp = Corp::with(|request| {
        request.saml.as_mut().unwrap().idp_initiated = true;
    })
    .await;
    let parts = about(&corp.connection, "ada@corp.example", &[]);
    let anew = corp.idp.respond(&answering(parts.clone(), None));
    let response = corp.idp.respond(&answering(parts, None));
    let request = FinishSamlRequest {
        connection_id: corp.connection.id.clone(),
        saml_response: response,
        // What a provider's dashboard may send; it leads nowhere.
        relay_state: "https://evil.example/".to_owned(),
        browser_secret: String::new(),
    };
    let (host, channel) = corp.stage.world.another().await;
    let second = SsoServiceClient::new(channel);
    let service = &corp.stage.service;
    let (here, there) = tokio::join!(
        finish(&corp.stage.sso, service, request.clone()),
        finish(&second, service, request.clone()),
    );
    let (good, bad) = if here.is_ok() {
        (here, there)
    } else {
        (there, here)
    };
    assert_eq!(good.unwrap().return_to, "/");
    assert_eq!(corp.refusal(bad).await, "replayed");
    let again = finish(&corp.stage.sso, service, request.clone()).await;
    assert_eq!(corp.refusal(again).await, "replayed");
    // S-24: the same assertion in another response.
    let anew = FinishSamlRequest {
        saml_response: anew,
        ..request.clone()
    };
    let again = finish(&corp.stage.sso, service, anew.clone()).await;
    assert_eq!(corp.refusal(again).await, "replayed");
    host.shutdown().await;
    // And after it was swept: nothing is forgotten while it could be used.
    corp.stage
        .wait(&mut corp.tenant, Duration::from_hours(2))
        .await;
    let world = &corp.stage.world;
    eventually(Duration::from_secs(30), async || {
        let mut admin = world.db.admin().await;
        let left: i64 = sqlx::query_scalar("select count(*) from identity.sso_assertions")
            .fetch_one(&mut admin)
            .await
            .unwrap();
        left == 0
    })
    .await;
    for request in [request, anew] {
        let outcome = finish(&corp.stage.sso, &corp.stage.service, request).await;
        assert_eq!(corp.refusal(outcome).await, "too_old");
    }
}

/// The connection goes between the admission and the beginning of the session.
#[tokio::test(flavor = "multi_thread")]
async fn no_session_begins_through_a_connection_that_was_just_deleted() {
    let mut corp = Corp::start().await;
    corp.log_in("ada@corp.example", &[]).await.unwrap();
    let begun = corp.begin().await;
    let parts = about(&corp.connection, "ada@corp.example", &[]);
    let parts = answering(parts, Some(&request_id(&begun)));
    let response = corp.idp.respond(&parts);
    let mut admin = corp.stage.world.db.admin().await;
    sqlx::raw_sql("begin; select from identity.memberships where role <> 'owner' for update")
        .execute(&mut admin)
        .await
        .unwrap();
    let (sso, service) = (corp.stage.sso.clone(), corp.stage.service.clone());
    let request = posted(&corp.connection, &begun, &response);
    let mut finishing = JoinSet::new();
    finishing.spawn(async move { finish(&sso, &service, request).await });
    let mut watch = corp.stage.world.db.admin().await;
    eventually(Duration::from_secs(30), async || {
        let waiting: i64 = sqlx::query_scalar(
            "select count(*) from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock'",
        )
        .fetch_one(&mut watch)
        .await
        .unwrap();
        waiting > 0
    })
    .await;
    sqlx::raw_sql("delete from identity.sso_connections; commit")
        .execute(&mut admin)
        .await
        .unwrap();
    let finished = finishing.join_next().await.unwrap().unwrap();
    let problem = errors::Problem::from_status(&finished.unwrap_err());
    assert_eq!(problem.code, "auth.sso_failed");
    let sessions: i64 = sqlx::query_scalar(
        "select count(*) from identity.sessions where connection_id is not null",
    )
    .fetch_one(&mut watch)
    .await
    .unwrap();
    assert_eq!(sessions, 1, "only that of the first login");
}
