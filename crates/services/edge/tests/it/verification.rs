use crate::stage::{HOOK, Running, Stage, TOKEN, Wire};

async fn get(running: &Running, query: &str) -> reqwest::Response {
    running
        .client
        .get(running.url(&format!("{HOOK}?{query}")))
        .send()
        .await
        .expect("an answer")
}

#[tokio::test]
async fn the_right_token_gets_its_challenge_back_as_plain_text() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    let answer = get(
        &running,
        &format!("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={TOKEN}"),
    )
    .await;
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.headers()["content-type"],
        "text/plain; charset=utf-8"
    );
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    assert_eq!(answer.text().await.expect("text"), "1158201444");
    running.stop().await;
}

#[tokio::test]
async fn a_wrong_token_is_forbidden_and_an_unknown_app_is_not_found() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    let answer = get(
        &running,
        "hub.mode=subscribe&hub.challenge=challenge-42&hub.verify_token=vibecodinG",
    )
    .await;
    assert_eq!(answer.status(), 403);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert!(!answer.text().await.expect("text").contains("challenge-42"));
    let unknown = running.url(&format!(
        "/webhooks/whatsapp/x?hub.mode=subscribe&hub.challenge=42&hub.verify_token={TOKEN}"
    ));
    assert_eq!(
        running
            .client
            .get(unknown)
            .send()
            .await
            .expect("an answer")
            .status(),
        404
    );
    let other = running
        .client
        .put(running.url(HOOK))
        .send()
        .await
        .expect("an answer");
    assert_eq!(other.status(), 405);
    running.stop().await;
}

/// W-22.
#[tokio::test]
async fn a_challenge_that_is_no_challenge_is_refused_and_never_echoed() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    for challenge in [
        "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "1%0D%0ASet-Cookie:x",
        "",
        "a%20b",
        &"7".repeat(60_000),
    ] {
        let query =
            format!("hub.mode=subscribe&hub.verify_token={TOKEN}&hub.challenge={challenge}");
        let answer = get(&running, &query).await;
        assert_eq!(answer.status(), 400, "{challenge:.40}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let text = answer.text().await.expect("text");
        assert!(
            !text.contains("script") && !text.contains("Set-Cookie") && !text.contains("7777"),
            "{text}"
        );
    }
    for query in [
        format!("hub.challenge=1&hub.verify_token={TOKEN}"),
        "hub.mode=subscribe".to_owned(),
        String::new(),
    ] {
        assert_eq!(get(&running, &query).await.status(), 400, "{query}");
    }
    running.stop().await;
}

/// W-22: so long a line is refused by the server itself, before anybody reads it.
#[tokio::test]
async fn a_challenge_of_a_megabyte_is_refused() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    let mut wire = Wire::open(running.http).await;
    let line = format!(
        "GET {HOOK}?hub.mode=subscribe&hub.verify_token={TOKEN}&hub.challenge={} HTTP/1.1\r\n",
        "7".repeat(1_000_000)
    );
    // The server may close before it has everything.
    drop(tokio::io::AsyncWriteExt::write_all(&mut wire.0, line.as_bytes()).await);
    let answer = wire.read_to_end().await;
    assert!(
        answer.starts_with("HTTP/1.1 4") && !answer.contains("7777"),
        "{answer}"
    );
    running.stop().await;
}
