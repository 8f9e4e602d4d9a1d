use serde_json::json;

use super::*;

fn rsa(bytes: usize, id: &str) -> Value {
    let mut modulus = vec![0xc5; bytes];
    modulus[bytes - 1] = 0x01;
    json!({"kty": "RSA", "kid": id, "e": "AQAB", "n": BASE64_URL_SAFE_NO_PAD.encode(modulus)})
}

fn with(mut key: Value, name: &str, value: Value) -> Value {
    key[name] = value;
    key
}

fn parse(keys: &[Value]) -> Result<KeySet, SetupFault> {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
}

#[test]
fn keys_that_must_stay_secret_refuse_the_set() {
    let good = rsa(256, "a");
    assert!(parse(std::slice::from_ref(&good)).is_ok());
    for (bad, fault) in [
        (
            json!({"kty": "oct", "k": "c2VjcmV0"}),
            SetupFault::SymmetricKey,
        ),
        (json!({"kty": "oct"}), SetupFault::SymmetricKey),
        (
            with(rsa(256, "b"), "k", json!("c2VjcmV0")),
            SetupFault::SymmetricKey,
        ),
        (
            with(rsa(256, "b"), "d", json!("AQAB")),
            SetupFault::PrivateKey,
        ),
    ] {
        assert_eq!(parse(&[good.clone(), bad]).err(), Some(fault));
    }
}

#[test]
fn unusable_keys_are_left_out() {
    for key in [
        rsa(128, "weak"),
        rsa(1024, "huge"),
        with(rsa(256, "for encryption"), "use", json!("enc")),
        json!({"kty": "RSA", "kid": "half"}),
        json!({"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}),
        json!({"kty": "OKP", "crv": "X25519", "x": "AA"}),
        json!({"kty": "AKP", "alg": "ML-DSA-44"}),
        json!({"kty": 7}),
        json!({}),
        json!(null),
        json!("key"),
    ] {
        assert_eq!(parse(&[key]).err(), Some(SetupFault::NoKeys));
    }
    assert_eq!(parse(&[]).err(), Some(SetupFault::NoKeys));
}

#[test]
fn a_modulus_is_measured_without_leading_zeros() {
    let padded = |zeros: usize, bytes: usize| {
        let mut modulus = vec![0; zeros];
        modulus.extend(vec![0xc5; bytes]);
        has_sound_modulus(&json!({"n": BASE64_URL_SAFE_NO_PAD.encode(modulus)}))
    };
    assert!(padded(1, 256));
    assert!(!padded(129, 128));
    assert!(!padded(0, 255));
    assert!(padded(0, 512));
    assert!(!padded(0, 513));
    assert!(!padded(0, 0));
}

#[test]
fn what_is_not_a_key_set_is_said_to_be_none() {
    for body in ["", "[]", "{}", "{\"keys\": {}}", "<html>", "{\"keys\": [}"] {
        assert_eq!(
            KeySet::parse(body.as_bytes()).err(),
            Some(SetupFault::KeysInvalid),
            "{body}"
        );
    }
    let many = vec![json!({}); KeySet::MAX_KEYS + 1];
    assert_eq!(parse(&many).err(), Some(SetupFault::TooManyKeys(100)));
}

#[test]
fn a_token_gets_the_one_key_it_names() {
    let keys = parse(&[
        rsa(256, "a"),
        with(rsa(256, "b"), "alg", json!("PS256")),
        with(rsa(256, "c"), "issuer", json!("https://one.example")),
    ])
    .expect("keys");
    let find = |id, algorithm| keys.find(id, algorithm, |issuer| issuer == "https://one.example");
    assert!(find(Some("a"), Algorithm::Rs256).is_ok());
    assert!(find(Some("c"), Algorithm::Rs256).is_ok());
    for (id, algorithm, why) in [
        (Some("z"), Algorithm::Rs256, NoKey::Unknown),
        (Some(""), Algorithm::Rs256, NoKey::Unknown),
        (Some("../../dev/null"), Algorithm::Rs256, NoKey::Unknown),
        // A key for another algorithm is not a key for this one, whatever the token says.
        (Some("b"), Algorithm::Rs256, NoKey::Unknown),
        (Some("a"), Algorithm::Es256, NoKey::Unknown),
        (Some("a"), Algorithm::EdDsa, NoKey::Unknown),
        (None, Algorithm::Rs256, NoKey::Ambiguous),
    ] {
        assert_eq!(find(id, algorithm).err(), Some(why), "{id:?} {algorithm:?}");
    }
    let foreign = keys.find(Some("c"), Algorithm::Rs256, |_| false);
    assert_eq!(foreign.err(), Some(NoKey::Unknown));
}

#[test]
fn only_four_names_are_algorithms() {
    for name in [
        "none", "None", "nOnE", "HS256", "HS512", "rs256", "RS256 ", "RS1", "RS512", "ES384",
        "ES256K", "", "dir",
    ] {
        assert_eq!(Algorithm::parse(name), None, "{name}");
    }
}
