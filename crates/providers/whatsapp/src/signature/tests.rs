use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Vector {
    label: String,
    app_secret: String,
    body_base64: String,
    x_hub_signature_256: String,
}

fn vectors() -> Vec<Vector> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../tests/fixtures/whatsapp/zz-signature-vectors.json"
    );
    let text = std::fs::read_to_string(path).expect("the vectors");
    serde_json::from_str(&text).expect("the vectors are JSON")
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).expect("a valid time")
}

fn secrets(values: &[&str]) -> AppSecrets {
    let secrets = values.iter().map(|value| AppSecret::new((*value).into()));
    AppSecrets::new(secrets.collect()).expect("usable secrets")
}

fn verify(secrets: &AppSecrets, header: &str, body: &[u8]) -> Result<(), SignatureError> {
    secrets.verify(Some(header.as_bytes()), body, now())
}

#[test]
fn the_vectors_verify_and_sign_to_the_same_bytes() {
    let vectors = vectors();
    for vector in &vectors {
        let secrets = secrets(&[vector.app_secret.as_str()]);
        let body = STANDARD.decode(&vector.body_base64).expect("base64");
        let signature = &vector.x_hub_signature_256;
        assert_eq!(
            verify(&secrets, signature, &body),
            Ok(()),
            "{}",
            vector.label
        );
        assert_eq!(&secrets.sign(&body), signature, "{}", vector.label);
    }
    assert!(vectors.len() >= 4);
}

#[test]
fn a_body_that_was_written_again_does_not_verify() {
    let vectors = vectors();
    let secrets = secrets(&["test_app_secret"]);
    for signed in &vectors {
        for other in &vectors {
            let body = STANDARD.decode(&other.body_base64).expect("base64");
            let verdict = verify(&secrets, &signed.x_hub_signature_256, &body);
            assert_eq!(verdict.is_ok(), signed.label == other.label);
        }
    }
}

#[test]
fn one_flipped_bit_anywhere_is_refused() {
    let secrets = secrets(&["s"]);
    let body = br#"{"object":"whatsapp_business_account","entry":[]}"#.to_vec();
    let header = secrets.sign(&body);
    for at in [0, body.len() / 2, body.len() - 1] {
        let mut changed = body.clone();
        changed[at] ^= 1;
        let verdict = verify(&secrets, &header, &changed);
        assert_eq!(verdict, Err(SignatureError::Mismatch));
    }
    for at in 7..header.len() {
        let mut changed = header.clone().into_bytes();
        changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
        let verdict = secrets.verify(Some(&changed), &body, now());
        assert_eq!(verdict, Err(SignatureError::Mismatch));
    }
}

#[test]
fn other_spellings_are_refused() {
    let secrets = secrets(&["s"]);
    let good = secrets.sign(b"{}");
    let digits = good.strip_prefix("sha256=").expect("the prefix");
    for bad in [
        format!("sha256={}", digits.to_uppercase()),
        good[..good.len() - 1].to_owned(),
        format!("{good}0"),
        format!("{good}00"),
        String::new(),
        "sha256=".to_owned(),
        digits.to_owned(),
        format!("sha1={digits}"),
        format!("SHA256={digits}"),
        format!(" {good}"),
        format!("{good} "),
        format!("sha256={}", "z".repeat(64)),
        format!("{good},{good}"),
        "v1=0000,".repeat(10_000),
    ] {
        let verdict = verify(&secrets, &bad, b"{}");
        assert_eq!(verdict, Err(SignatureError::Malformed), "{bad:.80}");
    }
    assert_eq!(
        secrets.verify(None, b"{}", now()),
        Err(SignatureError::Missing)
    );
}

#[test]
fn any_active_secret_verifies_and_an_expired_one_does_not() {
    let sign = |secret: &str| secrets(&[secret]).sign(b"{}");
    let rotating = AppSecrets::new(vec![
        AppSecret::new("new".into()),
        AppSecret::until("old".into(), now() + TimeDelta::hours(1)),
        AppSecret::until("older".into(), now()),
    ])
    .expect("usable secrets");
    assert_eq!(verify(&rotating, &sign("new"), b"{}"), Ok(()));
    assert_eq!(verify(&rotating, &sign("old"), b"{}"), Ok(()));
    let mismatch = Err(SignatureError::Mismatch);
    assert_eq!(verify(&rotating, &sign("older"), b"{}"), mismatch);
    assert_eq!(verify(&rotating, &sign("foreign"), b"{}"), mismatch);
    let later = now() + TimeDelta::hours(1);
    let old = sign("old");
    assert_eq!(
        rotating.verify(Some(old.as_bytes()), b"{}", later),
        mismatch
    );
}

#[test]
fn secrets_that_would_let_anybody_in_stop_the_start() {
    let secret = |value: &str| AppSecret::new(value.into());
    let error = |secrets| AppSecrets::new(secrets).err();
    assert_eq!(error(vec![]), Some(SecretsError::None));
    assert_eq!(
        error(vec![secret("a"), secret("")]),
        Some(SecretsError::Empty)
    );
    let four = vec![secret("a"), secret("b"), secret("c"), secret("d")];
    assert_eq!(error(four), Some(SecretsError::TooMany));
}

#[test]
fn secrets_do_not_print() {
    let secrets = secrets(&["s3cret"]);
    assert!(!format!("{secrets:?} {:?}", secrets.0).contains("s3cret"));
}
