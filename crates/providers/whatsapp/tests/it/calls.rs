//! The other calls.

use std::time::Duration;

use errors::Classify;
use serde_json::json;
use whatsapp::{client::CallError, send::Recipient};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, body_json, header, method, path, query_param},
};

use crate::{
    fixtures::json as sample,
    sends::{client, server, token},
};

#[tokio::test]
async fn a_number_is_read_with_its_quality_and_speed() {
    let number = json!({
        "id": "1065", "display_phone_number": "+1 631-555-5555", "verified_name": "Jasper's",
        "quality_rating": "GREEN", "status": "CONNECTED", "throughput": {"level": "HIGH"},
        "name_status": "APPROVED", "is_on_biz_app": false
    });
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/v25.0/1065"))
        .and(header("authorization", "Bearer s3cret-token"))
        .respond_with(ResponseTemplate::new(200).set_body_json(number))
        .mount(&server)
        .await;
    let number = client(&server.uri())
        .get_phone_number("1065", &token())
        .await
        .expect("a number");
    assert_eq!(
        number.display_phone_number.as_deref(),
        Some("+1 631-555-5555")
    );
    assert_eq!(number.throughput_level.as_deref(), Some("HIGH"));
    assert_eq!(number.is_on_biz_app, Some(false));
}

#[tokio::test]
async fn the_numbers_of_an_account_are_listed() {
    let server = server(200, &sample("resp-phone-numbers-list.json")).await;
    let numbers = client(&server.uri())
        .list_phone_numbers("1022", &token())
        .await;
    let ids: Vec<_> = numbers
        .expect("numbers")
        .into_iter()
        .map(|number| number.id)
        .collect();
    assert_eq!(ids, ["1906385232743451", "1913623884432103"]);
}

#[tokio::test]
async fn a_bad_token_is_told_from_a_bad_number() {
    let bad_token = server(401, &sample("err-190-invalid-token.json")).await;
    let error = client(&bad_token.uri())
        .get_phone_number("1065", &token())
        .await;
    let error = error.expect_err("refused");
    assert_eq!(error.code().id, "messaging.channel_credential_refused");
    let gone = server(400, &json!({"error": {"code": 33}})).await;
    let error = client(&gone.uri()).get_phone_number("1065", &token()).await;
    let error = error.expect_err("refused");
    assert_eq!(error.code().id, "messaging.channel_unavailable");
}

/// A call that is not repeated by itself.
async fn refused_call(server: &MockServer) -> CallError {
    let created = client(&server.uri())
        .create_template("1022", &token(), &json!({}))
        .await;
    created.expect_err("refused")
}

/// What a caller is told about each kind of refusal, and when to come back.
#[tokio::test]
async fn a_refused_call_says_whose_fault_it_is_and_when_to_try_again() {
    let error = |code: i64| json!({"error": {"code": code}});
    let html = json!("<html>");
    let credential = "messaging.channel_credential_refused";
    let channel = "messaging.channel_unavailable";
    for (status, body, code, pause) in [
        (401, &sample("err-190-invalid-token.json"), credential, None),
        (403, &sample("err-permissions.json"), credential, None),
        (400, &error(10), credential, None),
        (400, &error(131_005), credential, None),
        (
            400,
            &json!({"error": {"code": 100, "error_subcode": 33}}),
            credential,
            None,
        ),
        (401, &html, credential, None),
        (400, &error(4), "rate_limited", Some(60)),
        (400, &error(80_007), "rate_limited", Some(60)),
        (429, &html, "rate_limited", Some(5)),
        (400, &error(133_010), channel, None),
        (404, &html, channel, None),
        (500, &error(2), "unavailable", None),
        (500, &error(131_000), "unavailable", None),
        (500, &html, "unavailable", None),
        (503, &html, "unavailable", None),
        (200, &html, "unavailable", None),
    ] {
        let server = server(status, body).await;
        let error = refused_call(&server).await;
        assert_eq!(error.code().id, code, "{status} {body}");
        let expected = pause.map(Duration::from_secs);
        assert_eq!(error.retry_after(), expected, "{status} {body}");
        assert!(!error.detail().contains("message may have been sent"));
    }
}

/// Meta's own pause counts, on a busy server too.
#[tokio::test]
async fn the_pause_that_whatsapp_asks_for_is_passed_on() {
    for (status, body) in [
        (429, json!(null)),
        (400, json!({"error": {"code": 80_007}})),
    ] {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(status).set_body_json(body);
        Mock::given(any())
            .respond_with(answer.insert_header("retry-after", "3600"))
            .mount(&server)
            .await;
        let pause = refused_call(&server).await.retry_after();
        assert_eq!(pause, Some(Duration::from_hours(1)), "{status}");
    }
}

#[tokio::test]
async fn the_app_is_subscribed_and_listed() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v25.0/1022/subscribed_apps"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"success": true})))
        .mount(&server)
        .await;
    let apps = json!({"data": [{"whatsapp_business_api_data": {"id": "67", "name": "Ours", "link": "https://x"}}]});
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_json(apps))
        .mount(&server)
        .await;
    let client = client(&server.uri());
    client
        .subscribe_app("1022", &token())
        .await
        .expect("subscribed");
    let apps = client
        .list_subscribed_apps("1022", &token())
        .await
        .expect("apps");
    assert_eq!(apps[0].id.as_deref(), Some("67"));
}

#[tokio::test]
async fn a_success_that_is_none_is_an_error() {
    for body in [json!({"success": false}), json!({}), json!("ok")] {
        let server = server(200, &body).await;
        let error = client(&server.uri()).subscribe_app("1022", &token()).await;
        assert!(matches!(error, Err(CallError::Unreadable)), "{body}");
    }
}

#[tokio::test]
async fn a_message_is_marked_read_while_typing() {
    let server = MockServer::start().await;
    let mut mark = sample("req-mark-read-typing.json");
    mark["message_id"] = json!("wamid.A=");
    Mock::given(method("POST"))
        .and(path("/v25.0/1065/messages"))
        .and(body_json(mark))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"success": true})))
        .expect(1)
        .mount(&server)
        .await;
    let client = client(&server.uri());
    client
        .mark_read("1065", &token(), "wamid.A=", true)
        .await
        .expect("marked");
}

#[tokio::test]
async fn reads_are_repeated_when_the_server_is_busy() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(503).insert_header("retry-after", "0"))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"id": "1065"})))
        .mount(&server)
        .await;
    let number = client(&server.uri())
        .get_phone_number("1065", &token())
        .await;
    assert_eq!(number.expect("a number").id, "1065");
}

#[tokio::test]
async fn templates_are_listed_page_by_page_without_the_next_address() {
    let server = MockServer::start().await;
    let last = json!({"data": [], "paging": {"cursors": {"before": "x", "after": "y"}}});
    Mock::given(query_param("after", "QVFIU..."))
        .respond_with(ResponseTemplate::new(200).set_body_json(last))
        .with_priority(1)
        .mount(&server)
        .await;
    Mock::given(path("/v25.0/1022/message_templates"))
        .respond_with(
            ResponseTemplate::new(200).set_body_json(sample("resp-template-list-page.json")),
        )
        .mount(&server)
        .await;
    let client = client(&server.uri());
    let first = client
        .list_templates("1022", &token(), None)
        .await
        .expect("a page");
    assert_eq!(first.templates.len(), 5);
    assert_eq!(first.templates[4].status.as_deref(), Some("REJECTED"));
    let after = first.after.expect("another page");
    let second = client
        .list_templates("1022", &token(), Some(&after))
        .await
        .expect("a page");
    assert_eq!((second.templates.len(), second.after), (0, None));
}

#[tokio::test]
async fn a_template_is_created_once_and_deleted_by_id() {
    let server = MockServer::start().await;
    let template = sample("req-template-create-utility-named.json");
    let created = json!({"id": "563", "status": "PENDING", "category": "MARKETING"});
    Mock::given(method("POST"))
        .and(body_json(&template))
        .respond_with(ResponseTemplate::new(200).set_body_json(created))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(method("DELETE"))
        .and(query_param("name", "reservation_confirmation"))
        .and(query_param("hsm_id", "563"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"success": true})))
        .expect(1)
        .mount(&server)
        .await;
    let client = client(&server.uri());
    let created = client
        .create_template("1022", &token(), &template)
        .await
        .expect("created");
    assert_eq!(
        created.category.as_deref(),
        Some("MARKETING"),
        "not the one asked for"
    );
    client
        .delete_template("1022", &token(), "reservation_confirmation", Some("563"))
        .await
        .expect("deleted");
}

#[tokio::test]
async fn a_user_is_blocked_and_unblocked_by_number_or_by_id() {
    let cases = [
        (
            Recipient::Phone("16505551234".into()),
            json!({"user": "+16505551234"}),
        ),
        (
            Recipient::BusinessScoped("US.1".into()),
            json!({"user_id": "US.1"}),
        ),
    ];
    for (user, named) in cases {
        let server = MockServer::start().await;
        for (verb, changed) in [("POST", "added_users"), ("DELETE", "removed_users")] {
            let answer = json!({
                "messaging_product": "whatsapp",
                "block_users": {(changed): [{"input": "+16505551234", "wa_id": "16505551234"}]}
            });
            Mock::given(method(verb))
                .and(path("/v25.0/1065/block_users"))
                .and(body_json(
                    json!({"messaging_product": "whatsapp", "block_users": [named]}),
                ))
                .respond_with(ResponseTemplate::new(200).set_body_json(answer))
                .expect(1)
                .mount(&server)
                .await;
        }
        let client = client(&server.uri());
        client
            .block_user("1065", &token(), &user)
            .await
            .expect("blocked");
        client
            .unblock_user("1065", &token(), &user)
            .await
            .expect("unblocked");
    }
}

#[tokio::test]
async fn an_answer_that_names_nobody_is_no_block() {
    let answer = json!({"messaging_product": "whatsapp", "block_users": {}});
    let server = server(200, &answer).await;
    let user = Recipient::Phone("16505551234".into());
    let answered = client(&server.uri())
        .block_user("1065", &token(), &user)
        .await;
    assert!(
        matches!(answered, Err(CallError::Unreadable)),
        "{answered:?}"
    );
}
