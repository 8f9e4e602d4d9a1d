use chassis::config::{self, EnvSource, Source};
use messaging::Config;

#[test]
fn every_setting_is_documented_with_its_real_default() {
    assert_eq!(config::review::<Config>(), [""; 0]);
}

#[test]
fn everything_that_is_missing_or_wrong_is_told_at_once() {
    let env: EnvSource = [
        ("MESSAGING__DB__URL", "postgres://messaging_app:x@db/main"),
        ("MESSAGING__WHATSAPP__CALLBACK_SECRET", "too short"),
        ("MESSAGING__WHATSAPP__NO_SUCH_KEY", "1"),
        ("MESSAGING__MEDIA__STORE__PROVIDER", "s3"),
        ("WHATSAPP_API_VERSION", "latest"),
    ]
    .into_iter()
    .collect();
    let source = Source {
        service: "messaging",
        env: &env,
        file: None,
    };
    let problems = config::load::<Config>(&source)
        .expect_err("wrong")
        .to_string();
    for told in [
        "DB__SYSTEM_URL",
        "BUS__URL",
        "VAULT__KEY_PATH",
        "IDENTITY__URL",
        "32 characters",
        "NO_SUCH_KEY",
        "MEDIA__PUBLIC_URL",
        "MEDIA__LINK_SECRET",
        "v25.0",
    ] {
        assert!(
            problems.contains(told),
            "{told} is not told in:\n{problems}"
        );
    }
    assert!(!problems.contains("too short"), "no value is repeated");
}

#[test]
fn an_address_that_is_none_is_told_before_anything_starts() {
    let env: EnvSource = [
        ("MESSAGING__DB__URL", "postgres://messaging_app:x@db/main"),
        (
            "MESSAGING__DB__SYSTEM_URL",
            "postgres://messaging_system:x@db/main",
        ),
        ("MESSAGING__BUS__URL", "amqp://messaging:x@broker/main"),
        ("MESSAGING__VAULT__KEY_PATH", "/run/secrets/keys"),
        // Read as a URL of the scheme `identity`, and of the scheme `mailto`.
        ("MESSAGING__IDENTITY__URL", "identity:8087"),
        ("MESSAGING__WHATSAPP__BASE_URL", "mailto:graph@example.com"),
        (
            "MESSAGING__WHATSAPP__CALLBACK_SECRET",
            "0123456789abcdef0123456789abcdef",
        ),
        ("MESSAGING__MEDIA__STORE__PROVIDER", "s3"),
        ("MESSAGING__MEDIA__PUBLIC_URL", "files.example.com"),
        (
            "MESSAGING__MEDIA__LINK_SECRET",
            "0123456789abcdef0123456789abcdef",
        ),
    ]
    .into_iter()
    .collect();
    let source = Source {
        service: "messaging",
        env: &env,
        file: None,
    };
    let problems = config::load::<Config>(&source)
        .expect_err("wrong")
        .to_string();
    for told in [
        "IDENTITY__URL",
        "WHATSAPP__BASE_URL",
        "MEDIA__PUBLIC_URL",
        "MEDIA__STORE__BUCKET",
    ] {
        assert!(
            problems.contains(told),
            "{told} is not told in:\n{problems}"
        );
    }
}
