use chassis::config::{self, EnvSource, Source};
use identity::Config;
use secrecy::ExposeSecret;

const RIGHT: [(&str, &str); 5] = [
    (
        "IDENTITY__DB__URL",
        "postgres://identity_app:x@db/switchboard",
    ),
    (
        "IDENTITY__DB__SYSTEM_URL",
        "postgres://identity_system:x@db/switchboard",
    ),
    ("IDENTITY__BUS__URL", "amqp://identity:x@mq/switchboard"),
    ("IDENTITY__VAULT__KEY_PATH", "/run/secrets/vault"),
    (
        "IDENTITY__SERVICE_CLIENTS__GATEWAY",
        "gateway-secret-of-32-characters!",
    ),
];

fn load(variables: &[(&str, &str)]) -> Result<Config, String> {
    let env: EnvSource = variables.iter().copied().collect();
    let source = Source {
        service: "identity",
        env: &env,
        file: None,
    };
    config::load(&source).map_err(|problems| problems.to_string())
}

#[test]
fn a_few_variables_are_enough() {
    let config = load(&RIGHT).unwrap();
    assert_eq!(
        config.service_clients["gateway"].expose_secret(),
        RIGHT[4].1
    );
    assert_eq!(
        (config.sessions.absolute_days, config.sessions.idle_days),
        (30, 7)
    );
}

#[test]
fn everything_that_is_wrong_is_told_together_and_without_secrets() {
    let long = "x".repeat(257);
    let mut variables = RIGHT.to_vec();
    variables[0].1 = "mysql://identity:hunter2@db/switchboard";
    variables[4].1 = "short-secret";
    variables.extend([
        ("IDENTITY__SERVICE_CLIENTS__MESSAGING", "changeme"),
        ("IDENTITY__SERVICE_CLIENTS__AI", &long),
        ("IDENTITY__SESSIONS__IDLE_DAYS", "31"),
        ("IDENTITY__SESSIONS__IDEL_DAYS", "1"),
    ]);
    let told = load(&variables).unwrap_err();
    for expected in [
        "IDENTITY__DB__URL: must begin with postgres://",
        "IDENTITY__SERVICE_CLIENTS__GATEWAY: must have 32 to 256 characters",
        "IDENTITY__SERVICE_CLIENTS__MESSAGING: must have 32 to 256 characters",
        "IDENTITY__SERVICE_CLIENTS__AI: must have 32 to 256 characters",
        "IDENTITY__SESSIONS__IDLE_DAYS: must be at least 1 and at most sessions.absolute_days",
        "IDENTITY__SESSIONS__IDEL_DAYS",
    ] {
        assert!(told.contains(expected), "{expected} is missing in {told}");
    }
    for secret in ["hunter2", "short-secret", "changeme"] {
        assert!(!told.contains(secret), "{told}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let told = load(&[]).unwrap_err();
    for (name, _) in &RIGHT[..4] {
        assert!(told.contains(name), "{name} is missing in {told}");
    }
}

#[test]
fn every_key_is_documented() {
    assert_eq!(config::review::<Config>(), [""; 0]);
}

#[test]
fn the_readme_has_the_table_of_the_settings() {
    let table = config::to_markdown(&config::schema::<Config>("identity"));
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&table), "put this into README.md:\n{table}");
}
