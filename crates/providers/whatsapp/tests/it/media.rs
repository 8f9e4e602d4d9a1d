//! Media, and where its token may go.

use outbound::Body;
use serde_json::json;
use whatsapp::client::{MediaError, Upload};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, header, method, path, query_param},
};

use crate::{
    fixtures::json as sample,
    sends::{client, server, token},
};

#[tokio::test]
async fn an_upload_is_a_form_with_product_type_and_file() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v25.0/1065/media"))
        .respond_with(ResponseTemplate::new(200).set_body_json(sample("resp-media-upload.json")))
        .mount(&server)
        .await;
    let upload = Upload {
        mime_type: "image/png".into(),
        filename: "a.png".into(),
        body: Body::from("PNG!"),
        size_bytes: 4,
    };
    let id = client(&server.uri())
        .upload("1065", &token(), upload)
        .await
        .expect("an id");
    assert_eq!(id, "1037543291543636");
    let requests = server.received_requests().await.expect("recorded");
    let form = String::from_utf8_lossy(&requests[0].body).into_owned();
    for part in [
        "name=\"messaging_product\"\r\n\r\nwhatsapp",
        "name=\"type\"\r\n\r\nimage/png",
        "name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png",
        "PNG!",
    ] {
        assert!(form.contains(part), "{part} is not in {form}");
    }
}

#[tokio::test]
async fn an_address_is_asked_for_with_its_number() {
    let server = MockServer::start().await;
    let hex = "48f227634806293b09954596c31098d7e1400f40455ef5f07e9bced335f41942";
    let info = json!({"url": "https://lookaside.fbsbx.com/x", "mime_type": "image/png", "sha256": hex, "file_size": "4", "id": "9"});
    Mock::given(method("GET"))
        .and(path("/v25.0/9"))
        .and(query_param("phone_number_id", "1065"))
        .respond_with(ResponseTemplate::new(200).set_body_json(info))
        .mount(&server)
        .await;
    let info = client(&server.uri())
        .media_url("9", &token(), Some("1065"))
        .await
        .expect("info");
    assert_eq!(info.size_bytes, Some(4), "given as a string");
    assert_eq!(info.sha256.map(hex::encode).as_deref(), Some(hex));
}

#[tokio::test]
async fn the_token_goes_to_allowed_hosts_only() {
    let server = server(200, &json!({})).await;
    let client = client(&server.uri());
    for url in [
        "https://evil.example/x",
        "http://lookaside.fbsbx.com/x",
        "https://lookaside.fbsbx.com:8443/x",
        "https://lookaside.fbsbx.com.evil.example/x",
        "https://lookaside.fbsbx.com@evil.example/x",
        "https://user@lookaside.fbsbx.com/x",
        "https://xlookaside.fbsbx.com/x",
        "https://127.0.0.1/x",
        "file:///etc/passwd",
        "nonsense",
    ] {
        let refused = client.download(url, &token(), 100).await;
        assert!(matches!(refused, Err(MediaError::HostNotAllowed)), "{url}");
    }
    assert!(
        server
            .received_requests()
            .await
            .expect("recorded")
            .is_empty()
    );
}

#[tokio::test]
async fn a_download_has_the_token_and_a_limit() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_raw(vec![7; 1000], "image/png");
    Mock::given(header("authorization", "Bearer s3cret-token"))
        .respond_with(answer)
        .mount(&server)
        .await;
    let client = client(&server.uri());
    let url = format!("{}/media?mid=1", server.uri());
    let download = client.download(&url, &token(), 1000).await.expect("media");
    assert_eq!(download.content_type.as_deref(), Some("image/png"));
    assert_eq!(
        download
            .body
            .collect()
            .await
            .expect("all of it")
            .body()
            .len(),
        1000
    );
    let download = client.download(&url, &token(), 999).await.expect("media");
    assert!(download.body.collect().await.is_err(), "over the limit");
}

#[tokio::test]
async fn an_expired_address_asks_for_a_new_one() {
    let gone = server(404, &json!({})).await;
    let refused = client(&gone.uri())
        .download(&gone.uri(), &token(), 100)
        .await;
    assert!(matches!(refused, Err(MediaError::Expired)));
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(302).insert_header("location", "https://evil.example/");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let refused = client(&server.uri())
        .download(&server.uri(), &token(), 100)
        .await;
    assert!(
        matches!(refused, Err(MediaError::Failed(_))),
        "a redirect is not followed"
    );
}
