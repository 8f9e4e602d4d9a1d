//! The J-vectors: everything known to have fooled some JWT library.

use auth::{Error, Role, TokenKey};
use errors::Classify;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use proptest::prelude::*;
use serde_json::json;

use crate::world::{World, assert_refused, claims, encode, user};

/// The tests below spoil one thing each, so what is not spoiled must be in order.
#[tokio::test]
async fn the_unspoiled_token_is_accepted() {
    let world = World::new();
    let token = world.signed(&world.header().to_string(), &claims().to_string());
    assert!(world.verify(&token).await.is_ok());
}

/// J-01.
#[tokio::test]
async fn an_unsigned_token_is_refused() {
    let world = World::new();
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let header = json!({"alg": alg, "typ": "at+jwt", "kid": world.key.kid()});
        let message = format!(
            "{}.{}",
            encode(header.to_string()),
            encode(claims().to_string())
        );
        assert_refused(&world, &format!("{message}."), alg).await;
        assert_refused(&world, &message, alg).await;
        assert_refused(
            &world,
            &world.signed(&header.to_string(), &claims().to_string()),
            alg,
        )
        .await;
    }
    let message = format!(
        "{}.{}.",
        encode(world.header().to_string()),
        encode(claims().to_string())
    );
    assert_refused(&world, &message, "no signature").await;
    assert_refused(
        &world,
        &format!("{message}{}", encode([0; 64])),
        "a signature of zeros",
    )
    .await;
}

/// J-02: the public key, in each of its forms, as the secret of an HMAC.
#[tokio::test]
async fn the_public_key_is_not_an_hmac_secret() {
    let world = World::new();
    let jwk = world.key.jwk();
    let raw = base64_decode(&jwk.x);
    let der = [&hex("302a300506032b6570032100")[..], &raw].concat();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        base64::Engine::encode(&base64::prelude::BASE64_STANDARD, &der)
    );
    let secrets = [raw, der, pem.into_bytes(), jwk.x.into_bytes(), Vec::new()];
    for secret in secrets {
        for alg in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let mut header = Header::new(alg);
            header.typ = Some("at+jwt".to_owned());
            header.kid = Some(world.key.kid().to_owned());
            let key = EncodingKey::from_secret(&secret);
            let token = jsonwebtoken::encode(&header, &claims(), &key).unwrap();
            assert_refused(&world, &token, "HMAC").await;
            // The same signature under a header that claims to be in order.
            let (message, signature) = token.rsplit_once('.').unwrap();
            let (_, claims) = message.split_once('.').unwrap();
            let disguised = format!(
                "{}.{claims}.{signature}",
                encode(world.header().to_string())
            );
            assert_refused(&world, &disguised, "HMAC disguised").await;
        }
    }
}

/// J-03.
#[tokio::test]
async fn another_algorithm_in_the_header_is_refused() {
    let world = World::new();
    for alg in [
        "HS256", "RS256", "ES256", "PS256", "ES256K", "Ed25519", "eddsa", "EDDSA", "EdDSA ",
    ] {
        let mut header = world.header();
        header["alg"] = json!(alg);
        assert_refused(
            &world,
            &world.signed(&header.to_string(), &claims().to_string()),
            alg,
        )
        .await;
    }
}

/// J-04, J-09: keys and rules that the sender brings along.
#[tokio::test]
async fn a_header_that_brings_its_own_key_or_rules_is_refused() {
    let world = World::new();
    let stranger = TokenKey::generate();
    let additions = [
        (
            "jwk",
            json!({"kty": "OKP", "crv": "Ed25519", "x": stranger.jwk().x}),
        ),
        ("jku", json!("https://attacker.example/jwks.json")),
        ("x5u", json!("https://attacker.example/cert.pem")),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("AAAA")),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("enc", json!("A256GCM")),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
    ];
    for (name, value) in additions {
        let mut header = world.header();
        header[name] = value;
        assert_refused(
            &world,
            &world.signed(&header.to_string(), &claims().to_string()),
            name,
        )
        .await;
    }
}

/// J-05.
#[tokio::test]
async fn a_key_id_is_a_name_and_nothing_else() {
    let world = World::new();
    let long = "k".repeat(1_000_000);
    let kids = [
        "../../dev/null",
        "' or 1=1 --",
        "",
        "a/b",
        "a b",
        "\u{0}",
        "é",
        &long[..65],
        &long,
    ];
    for kid in kids {
        let mut header = world.header();
        header["kid"] = json!(kid);
        assert_refused(
            &world,
            &world.signed(&header.to_string(), &claims().to_string()),
            "kid",
        )
        .await;
    }
    assert_eq!(
        world.source.asked(),
        0,
        "an impossible id is not worth a question"
    );

    for kid in [json!(null), json!(7), json!(["a"])] {
        let mut header = world.header();
        header["kid"] = kid;
        assert_refused(
            &world,
            &world.signed(&header.to_string(), &claims().to_string()),
            "kid",
        )
        .await;
    }
}

/// J-05: the id of a key we have, and somebody else's signature.
#[tokio::test]
async fn a_stranger_can_not_sign_in_our_keys_name() {
    let world = World::new();
    let stranger = World::new();
    let token = stranger.signed(&world.header().to_string(), &claims().to_string());
    assert_refused(&world, &token, "a stranger's signature").await;
    let own = stranger.token(&user(Role::Owner));
    assert_refused(&world, &own, "a stranger's token").await;
}

/// J-09.
#[tokio::test]
async fn a_claim_or_header_that_appears_twice_is_refused() {
    let world = World::new();
    let text = claims().to_string();
    for (name, value) in [
        ("exp", "9999999999"),
        ("sub", "\"usr_x\""),
        ("aud", "\"switchboard\""),
        ("role", "\"owner\""),
    ] {
        let twice = format!("{},\"{name}\":{value}}}", &text[..text.len() - 1]);
        assert_refused(
            &world,
            &world.signed(&world.header().to_string(), &twice),
            name,
        )
        .await;
    }
    let header = world.header().to_string();
    let twice = format!("{},\"alg\":\"EdDSA\"}}", &header[..header.len() - 1]);
    assert_refused(&world, &world.signed(&twice, &text), "alg twice").await;
}

/// J-09: one token has one spelling.
#[tokio::test]
async fn a_respelled_token_is_refused() {
    let world = World::new();
    let token = world.token(&user(Role::Agent));
    let (message, signature) = token.rsplit_once('.').unwrap();
    let respelled = [
        format!("{token}."),
        format!(".{token}"),
        format!("{token} "),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{token}="),
        format!("{token}=="),
        format!("{message}..{signature}"),
        format!("{message}.{signature}.{signature}"),
        format!("{message}.{signature}.{signature}.{signature}"),
        token.replace('.', " . "),
        token.to_uppercase(),
        String::new(),
        "..".to_owned(),
        ".".to_owned(),
        format!("{token}{}", "A".repeat(20_000)),
    ];
    for token in respelled {
        assert_refused(&world, &token, &token).await;
    }
    // The last character of 64 bytes in base64url carries four bits that are not used: they must be zero.
    let (start, last) = signature.split_at(signature.len() - 1);
    for other in ["B", "P", "f"] {
        if other != last {
            assert_refused(&world, &format!("{message}.{start}{other}"), "spare bits").await;
        }
    }
}

#[tokio::test]
async fn what_a_caller_reads_does_not_say_which_check_failed() {
    let world = World::new();
    let mut other = claims();
    other["aud"] = json!("billing");
    let audience = world.signed(&world.header().to_string(), &other.to_string());
    for token in ["x", &audience] {
        let error = world.verify(token).await.unwrap_err();
        assert_eq!(error.detail(), "Please log in.");
        assert!(!matches!(error, Error::Expired));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_change_of_a_good_token_is_accepted(position in 0usize..600, byte in 0x20u8..0x7f) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let world = World::new();
        let mut token = world.token(&user(Role::Agent)).into_bytes();
        let position = position % token.len();
        prop_assume!(token[position] != byte);
        token[position] = byte;
        let token = String::from_utf8(token).unwrap();
        runtime.block_on(async { assert!(world.verify(&token).await.is_err(), "{token}") });
    }

    #[test]
    fn no_text_is_a_token_and_none_panics(text in "\\PC{0,200}(\\.\\PC{0,200}){0,3}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let world = World::new();
        runtime.block_on(async { assert!(world.verify(&text).await.is_err()) });
    }
}

fn base64_decode(text: &str) -> Vec<u8> {
    base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, text).unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}
