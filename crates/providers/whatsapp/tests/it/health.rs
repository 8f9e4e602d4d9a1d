//! How a number, its account and its token are doing.

use serde_json::json;
use whatsapp::client::CallError;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{header, method, path, query_param, query_param_contains},
};

use crate::{
    fixtures::json as sample,
    sends::{client, server, token},
};

#[tokio::test]
async fn a_number_tells_what_is_in_the_way_of_its_messages() {
    let mut number = sample("resp-health-status-blocked.json");
    number["whatsapp_business_manager_messaging_limit"] = "TIER_2K".into();
    number["quality_rating"] = "RED".into();
    number["webhook_configuration"] =
        json!({"application": "https://app.example", "phone_number": "https://other.example/x"});
    let server = server(200, &number).await;
    let health = client(&server.uri())
        .get_number_health("1065", &token())
        .await
        .expect("its health");
    assert_eq!(health.can_send.as_deref(), Some("BLOCKED"));
    assert_eq!(health.messaging_limit.as_deref(), Some("TIER_2K"));
    assert_eq!(health.number.quality_rating.as_deref(), Some("RED"));
    let to = health.callback_override.as_deref();
    assert_eq!(to, Some("https://other.example/x"));
    let codes: Vec<_> = health.obstacles.iter().map(|it| it.code).collect();
    assert_eq!(codes, [Some(141_002)]);
    let entity = health.obstacles[0].entity.as_deref();
    assert_eq!(entity, Some("MESSAGE_TEMPLATE"));
}

#[tokio::test]
async fn a_version_that_does_not_know_a_field_still_tells_of_the_number() {
    let server = MockServer::start().await;
    let unknown = json!({"error": {
        "code": 100, "message": "(#100) Tried accessing nonexisting field (health_status)",
    }});
    Mock::given(method("GET"))
        .and(query_param_contains("fields", "health_status"))
        .respond_with(ResponseTemplate::new(400).set_body_json(unknown))
        .mount(&server)
        .await;
    let number = json!({"id": "1065", "quality_rating": "GREEN"});
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_json(number))
        .with_priority(6)
        .mount(&server)
        .await;
    let health = client(&server.uri())
        .get_number_health("1065", &token())
        .await
        .expect("what there is");
    assert_eq!(health.number.quality_rating.as_deref(), Some("GREEN"));
    assert_eq!((health.can_send, health.messaging_limit), (None, None));
}

#[tokio::test]
async fn a_number_that_the_token_may_not_see_is_asked_for_once() {
    let hidden =
        json!({"error": {"code": 100, "error_subcode": 33, "message": "Unsupported get request."}});
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(400).set_body_json(hidden))
        .expect(1)
        .mount(&server)
        .await;
    let refused = client(&server.uri())
        .get_number_health("1065", &token())
        .await;
    assert!(matches!(refused, Err(CallError::Rejected(it)) if it.subcode == Some(33)));
}

#[tokio::test]
async fn an_account_tells_of_its_review() {
    let account = json!({"id": "1022", "account_review_status": "REJECTED"});
    let server = server(200, &account).await;
    let health = client(&server.uri())
        .get_account_health("1022", &token())
        .await
        .expect("its health");
    assert_eq!(health.review_status.as_deref(), Some("REJECTED"));
    assert_eq!(health.business_verification, None);
}

#[tokio::test]
async fn a_token_is_asked_about_as_itself_and_zero_is_never() {
    for (expires_at, expected) in [(0, None), (1_800_000_000, Some(1_800_000_000))] {
        let server = MockServer::start().await;
        let data = json!({"data": {
            "app_id": "3001", "is_valid": true, "expires_at": expires_at,
            "scopes": ["whatsapp_business_management"],
        }});
        Mock::given(path("/v25.0/debug_token"))
            .and(header("authorization", "Bearer s3cret-token"))
            .and(query_param("input_token", "s3cret-token"))
            .respond_with(ResponseTemplate::new(200).set_body_json(data))
            .mount(&server)
            .await;
        let info = client(&server.uri()).inspect_token(&token()).await;
        let info = info.expect("what it is good for");
        assert!(info.is_valid);
        assert_eq!(info.app_id.as_deref(), Some("3001"));
        assert_eq!(info.expires_at.map(|at| at.timestamp()), expected);
        assert_eq!(info.scopes, ["whatsapp_business_management"]);
    }
}

#[tokio::test]
async fn an_app_tells_where_it_gets_an_accounts_webhooks() {
    let apps = json!({"data": [
        {"whatsapp_business_api_data": {"id": "3001", "name": "Ours"}},
        {"whatsapp_business_api_data": {"id": "3002"}, "override_callback_uri": "https://b.example"},
    ]});
    let server = server(200, &apps).await;
    let apps = client(&server.uri())
        .list_subscribed_apps("1022", &token())
        .await
        .expect("apps");
    let overrides: Vec<_> = apps.iter().map(|app| &app.callback_override).collect();
    assert_eq!(overrides, [&None, &Some("https://b.example".to_owned())]);
}
