use std::time::Instant;

use super::*;

/// The example of the Standard Webhooks specification.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const TIME: i64 = 1_614_265_330;
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(TIME + seconds, 0).expect("a valid time")
}

fn secret(byte: u8) -> SigningSecret {
    let text = format!("whsec_{}", STANDARD.encode([byte; 32]));
    SigningSecret::new(&text.into()).expect("a usable secret")
}

fn vector() -> SigningSecret {
    SigningSecret::new(&SECRET.into()).expect("a usable secret")
}

fn secrets(secrets: Vec<SigningSecret>) -> SigningSecrets {
    SigningSecrets::new(secrets).expect("usable secrets")
}

fn verify(
    secrets: &SigningSecrets,
    id: &str,
    timestamp: &str,
    signature: &str,
    body: &[u8],
) -> Result<(), SignatureError> {
    let headers = Headers {
        id: Some(id.as_bytes()),
        timestamp: Some(timestamp.as_bytes()),
        signature: Some(signature.as_bytes()),
    };
    secrets.verify(headers, body, at(0)).map(|_id| ())
}

fn signature_of(secret: &SigningSecret) -> String {
    let mac = secret.mac(ID.as_bytes(), TIME.to_string().as_bytes(), BODY);
    format!("v1,{}", STANDARD.encode(mac))
}

#[test]
fn the_vector_of_the_specification_verifies_and_yields_its_id() {
    let headers = Headers {
        id: Some(ID.as_bytes()),
        timestamp: Some(b"1614265330"),
        signature: Some(SIGNATURE.as_bytes()),
    };
    assert_eq!(secrets(vec![vector()]).verify(headers, BODY, at(0)), Ok(ID));
    assert_eq!(signature_of(&vector()), SIGNATURE);
}

#[test]
fn a_flipped_bit_anywhere_is_refused() {
    let secrets = secrets(vec![vector()]);
    let time = TIME.to_string();
    let flip = |text: &str, at: usize| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] ^= 1;
        String::from_utf8(bytes).expect("still ASCII")
    };
    for at in [0, BODY.len() / 2, BODY.len() - 1] {
        let mut body = BODY.to_vec();
        body[at] ^= 1;
        let verdict = verify(&secrets, ID, &time, SIGNATURE, &body);
        assert_eq!(verdict, Err(SignatureError::Mismatch));
    }
    for at in [0, ID.len() / 2, ID.len() - 1] {
        assert!(verify(&secrets, &flip(ID, at), &time, SIGNATURE, BODY).is_err());
    }
    for at in [0, time.len() / 2, time.len() - 1] {
        assert!(verify(&secrets, ID, &flip(&time, at), SIGNATURE, BODY).is_err());
    }
    for at in [0, 1, 3, SIGNATURE.len() / 2, SIGNATURE.len() - 2] {
        assert!(verify(&secrets, ID, &time, &flip(SIGNATURE, at), BODY).is_err());
    }
    assert_eq!(verify(&secrets, ID, &time, SIGNATURE, BODY), Ok(()));
}

#[test]
fn headers_that_are_not_of_the_scheme_are_refused() {
    let secrets = secrets(vec![vector()]);
    let time = TIME.to_string();
    let bare = &SIGNATURE[3..];
    for signature in [
        "",
        "v1",
        "v1,",
        bare,
        &format!("v2,{bare}"),
        &format!("v1a,{bare}"),
        &format!("v1,{}", &bare[..43]),
        &format!("v1,{bare}A"),
        &format!("v1,{}", "!".repeat(44)),
    ] {
        let verdict = verify(&secrets, ID, &time, signature, BODY);
        assert_eq!(verdict, Err(SignatureError::Malformed), "{signature}");
    }
    let long = "x".repeat(257);
    for id in ["", "msg.1", "msg 1", "msg\u{fc}", &long] {
        let verdict = verify(&secrets, id, &time, SIGNATURE, BODY);
        assert_eq!(verdict, Err(SignatureError::Malformed), "{id}");
    }
    for time in [
        "",
        "now",
        "-1614265330",
        "+1614265330",
        "1614265330.0",
        "9999999999999",
    ] {
        let verdict = verify(&secrets, ID, time, SIGNATURE, BODY);
        assert_eq!(verdict, Err(SignatureError::Malformed), "{time}");
    }
    let headers = |absent: usize| Headers {
        id: (absent != 0).then_some(ID.as_bytes()),
        timestamp: (absent != 1).then_some(time.as_bytes()),
        signature: (absent != 2).then_some(SIGNATURE.as_bytes()),
    };
    for absent in 0..3 {
        let verdict = secrets.verify(headers(absent), BODY, at(0));
        assert_eq!(verdict, Err(SignatureError::Missing));
    }
}

#[test]
fn a_delivery_counts_for_five_minutes_both_ways() {
    let secrets = secrets(vec![vector()]);
    let time = TIME.to_string();
    let headers = Headers {
        id: Some(ID.as_bytes()),
        timestamp: Some(time.as_bytes()),
        signature: Some(SIGNATURE.as_bytes()),
    };
    for seconds in [-300, -299, 0, 299, 300] {
        let verdict = secrets.verify(headers, BODY, at(seconds));
        assert_eq!(verdict, Ok(ID), "{seconds}");
    }
    for seconds in [-301, 301, 86_400] {
        let verdict = secrets.verify(headers, BODY, at(seconds));
        assert_eq!(verdict, Err(SignatureError::Stale), "{seconds}");
    }
}

#[test]
fn one_right_signature_of_several_is_enough_during_a_rotation() {
    let time = TIME.to_string();
    let (old, new, foreign) = (secret(1), secret(2), secret(3));
    let both = secrets(vec![old.clone(), new.clone()]);
    let signatures = |of: &[&SigningSecret]| {
        let signatures: Vec<_> = of.iter().map(|secret| signature_of(secret)).collect();
        signatures.join(" ")
    };
    for header in [
        signatures(&[&old]),
        signatures(&[&new]),
        signatures(&[&old, &new]),
        signatures(&[&foreign, &foreign, &new]),
        format!("v1a,whatever {}", signatures(&[&new])),
    ] {
        assert_eq!(verify(&both, ID, &time, &header, BODY), Ok(()), "{header}");
    }
    let foreign = signatures(&[&foreign, &foreign]);
    let verdict = verify(&both, ID, &time, &foreign, BODY);
    assert_eq!(verdict, Err(SignatureError::Mismatch));
    let ended = secrets(vec![old.clone().until(at(0)), new]);
    let verdict = verify(&ended, ID, &time, &signatures(&[&old]), BODY);
    assert_eq!(
        verdict,
        Err(SignatureError::Mismatch),
        "the old one has ended"
    );
    let ending = secrets(vec![old.clone().until(at(1))]);
    assert_eq!(
        verify(&ending, ID, &time, &signatures(&[&old]), BODY),
        Ok(())
    );
}

#[test]
fn a_long_list_of_signatures_buys_no_time() {
    let secrets = secrets(vec![vector(), secret(1), secret(2)]);
    let time = TIME.to_string();
    let wrong = signature_of(&secret(9));
    let mut eight = vec![wrong.as_str(); 7];
    eight.push(SIGNATURE);
    assert_eq!(verify(&secrets, ID, &time, &eight.join(" "), BODY), Ok(()));
    eight.insert(0, &wrong);
    let verdict = verify(&secrets, ID, &time, &eight.join(" "), BODY);
    assert_eq!(verdict, Err(SignatureError::Malformed));
    let flood = vec![SIGNATURE; 10_000].join(" ");
    let started = Instant::now();
    let verdict = verify(&secrets, ID, &time, &flood, BODY);
    assert_eq!(verdict, Err(SignatureError::Malformed));
    assert!(
        started.elapsed().as_millis() < 50,
        "no more than the first nine are looked at"
    );
}

#[test]
fn unusable_secrets_stop_the_start() {
    let malformed = |text: &str| SigningSecret::new(&text.into()).err();
    let encoded = |length: usize| format!("whsec_{}", STANDARD.encode(vec![7; length]));
    for text in [
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_!!!!",
        &encoded(23),
        &encoded(65),
    ] {
        assert_eq!(malformed(text), Some(SecretsError::Malformed), "{text}");
    }
    assert_eq!(malformed(&encoded(24)), None);
    assert_eq!(malformed(&encoded(64)), None);
    assert_eq!(
        SigningSecrets::new(Vec::new()).err(),
        Some(SecretsError::None)
    );
    let four = vec![secret(1), secret(2), secret(3), secret(4)];
    assert_eq!(SigningSecrets::new(four).err(), Some(SecretsError::TooMany));
}

#[test]
fn secrets_are_not_printed() {
    let printed = format!("{:?} {:?}", vector(), secrets(vec![vector()]));
    assert!(
        !printed.contains("MfKQ") && !printed.contains("49"),
        "{printed}"
    );
}
