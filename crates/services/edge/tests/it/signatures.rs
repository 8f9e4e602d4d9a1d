use std::time::Duration;

use clock::Clock;

use crate::stage::{HOOK, Running, SECRET, Stage, secret, secret_until, sign};

const BODY: &[u8] = br#"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[]}]}"#;

async fn refused(running: &Running, body: &[u8], signature: &str) {
    let answer = running.deliver_signed(HOOK, body, signature).await;
    assert_eq!(answer.status(), 401, "{signature}");
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: serde_json::Value = answer.json().await.expect("JSON");
    assert_eq!(problem["code"], "webhook.signature_invalid");
    assert!(problem["request_id"].is_string());
}

/// W-02.
#[tokio::test]
async fn one_flipped_bit_of_body_or_signature_is_refused_and_nothing_is_stored() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    let signature = sign(SECRET, BODY);
    for position in [0, BODY.len() / 2, BODY.len() - 1] {
        let mut body = BODY.to_vec();
        body[position] ^= 1;
        refused(&running, &body, &signature).await;
    }
    let digits = "sha256=".len();
    for position in [digits, digits + 32, digits + 63] {
        let mut flipped = signature.clone().into_bytes();
        // Still a lower-case hex digit.
        flipped[position] = if flipped[position] == b'0' {
            b'1'
        } else {
            b'0'
        };
        refused(&running, BODY, &String::from_utf8(flipped).expect("ASCII")).await;
    }
    assert_eq!(stage.stored().await, (0, 0));
    assert_eq!(running.deliver(BODY).await, 200);
    running.stop().await;
}

/// W-03.
#[tokio::test]
async fn a_signature_in_any_other_spelling_is_refused_and_nothing_is_stored() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    let signature = sign(SECRET, BODY);
    let hex = &signature["sha256=".len()..];
    let others = [
        format!("sha256={}", hex.to_uppercase()),
        signature[..signature.len() - 1].to_owned(),
        signature[..signature.len() - 2].to_owned(),
        format!("{signature}0"),
        format!("{signature}00"),
        String::new(),
        "sha256=".to_owned(),
        hex.to_owned(),
        format!("sha256={}", "g".repeat(64)),
        format!("SHA256={hex}"),
        format!("sha256= {hex}"),
        format!("sha1={hex}"),
        format!("{signature},{signature}"),
    ];
    for other in &others {
        refused(&running, BODY, other).await;
    }
    let legacy = running
        .post(HOOK, BODY)
        .header("x-hub-signature", format!("sha1={}", &hex[..40]));
    assert_eq!(legacy.send().await.expect("an answer").status(), 401);
    let twice = running
        .post(HOOK, BODY)
        .header("x-hub-signature-256", &signature);
    let twice = twice.header("x-hub-signature-256", &signature);
    assert_eq!(twice.send().await.expect("an answer").status(), 401);
    assert_eq!(stage.stored().await, (0, 0));
    running.stop().await;
}

/// W-04.
#[tokio::test]
async fn a_body_that_was_written_anew_is_refused_and_the_original_is_accepted() {
    let stage = Stage::new().await;
    let running = stage.run().await;
    let original = br#"{"b":"caf\u00e9","a":"x\/y","c":"\ud83d\ude00"}"#;
    let signature = sign(SECRET, original);
    for again in [
        r#"{"a":"x\/y","b":"caf\u00e9","c":"\ud83d\ude00"}"#,
        r#"{"b": "caf\u00e9", "a": "x\/y", "c": "\ud83d\ude00"}"#,
        r#"{"b":"café","a":"x\/y","c":"\ud83d\ude00"}"#,
        r#"{"b":"caf\u00e9","a":"x/y","c":"\ud83d\ude00"}"#,
        "{\"b\":\"caf\\u00e9\",\"a\":\"x\\/y\",\"c\":\"\\ud83d\\ude00\"}\n",
    ] {
        refused(&running, again.as_bytes(), &signature).await;
    }
    assert_eq!(stage.stored().await, (0, 0));
    assert_eq!(
        running
            .deliver_signed(HOOK, original, &signature)
            .await
            .status(),
        200
    );
    assert_eq!(stage.stored().await, (1, 1));
    running.stop().await;
}

/// W-06.
#[tokio::test]
async fn while_a_secret_is_changed_both_count_and_an_expired_one_does_not() {
    let start = Clock::system().now();
    let (clock, hand) = Clock::manual(start);
    let mut stage = Stage::new().await;
    stage.clock = clock;
    stage.app(
        "default",
        vec![
            secret("new"),
            secret("next"),
            secret_until("old", start + Duration::from_mins(1)),
        ],
    );
    let running = stage.run().await;
    let status = async |secret: &str, body: &[u8]| {
        let answer = running
            .deliver_signed(HOOK, body, &sign(secret, body))
            .await;
        answer.status().as_u16()
    };
    assert_eq!(status("new", b"1").await, 200);
    assert_eq!(status("next", b"2").await, 200);
    assert_eq!(status("old", b"3").await, 200);
    assert_eq!(status("none of them", b"4").await, 401);
    hand.advance(Duration::from_mins(1));
    assert_eq!(status("old", b"5").await, 401);
    assert_eq!(status("new", b"6").await, 200);
    assert_eq!(stage.stored().await, (4, 4));
    running.stop().await;
}

#[tokio::test]
async fn an_app_is_found_by_the_address_and_only_its_own_secret_counts() {
    let mut stage = Stage::new().await;
    stage.app("acme", vec![secret("secret of acme")]);
    let running = stage.run().await;
    let acme = "/webhooks/whatsapp/acme";
    assert_eq!(
        running
            .deliver_signed(acme, BODY, &sign("secret of acme", BODY))
            .await
            .status(),
        200
    );
    assert_eq!(
        running
            .deliver_signed(acme, BODY, &sign(SECRET, BODY))
            .await
            .status(),
        401
    );
    for path in [
        "/webhooks/whatsapp/nobody",
        "/webhooks/whatsapp/Default",
        "/webhooks/whatsapp/default%2F",
    ] {
        let answer = running
            .deliver_signed(path, BODY, &sign(SECRET, BODY))
            .await;
        assert_eq!(answer.status(), 404, "{path}");
        let problem: serde_json::Value = answer.json().await.expect("JSON");
        assert_eq!(problem["code"], "webhook.app_unknown");
    }
    assert_eq!(stage.stored().await, (1, 1));
    // The same body, but another app's: another webhook.
    assert_eq!(running.deliver(BODY).await, 200);
    assert_eq!(stage.stored().await, (2, 2));
    running.stop().await;
}
