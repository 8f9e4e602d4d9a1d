use std::process::Command;

use chassis::config;
use edge::Config;

const RIGHT: [(&str, &str); 5] = [
    ("EDGE__DB__URL", "postgres://edge_app:x@127.0.0.1/x"),
    (
        "EDGE__DB__SYSTEM_URL",
        "postgres://edge_system:x@127.0.0.1/x",
    ),
    ("EDGE__BUS__URL", "amqp://a:b@127.0.0.1/x"),
    ("EDGE__WHATSAPP__APPS__ACME__SECRETS", "new,old"),
    ("EDGE__WHATSAPP__APPS__ACME__VERIFY_TOKEN", "token"),
];

/// Runs the program; its exit code and what it says.
fn run(arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edge"));
    command
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied());
    let output = command.output().expect("run the program");
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code().expect("not killed"),
        String::from_utf8(text).expect("UTF-8"),
    )
}

#[test]
fn right_settings_pass_the_check() {
    let (code, said) = run(&["config", "check"], &RIGHT);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn the_older_products_variables_name_the_default_app() {
    let old = [
        RIGHT[0],
        RIGHT[1],
        RIGHT[2],
        ("WHATSAPP_APP_SECRET", "hunter2"),
        ("WHATSAPP_WEBHOOK_VERIFY_TOKEN", "token"),
    ];
    let (code, said) = run(&["config", "check"], &old);
    assert_eq!(code, 0, "{said}");
    let without = run(&["config", "check"], &old[..4]);
    assert_eq!(without.0, 64);
    assert!(
        without
            .1
            .contains("EDGE__WHATSAPP__APPS__DEFAULT__VERIFY_TOKEN"),
        "{}",
        without.1
    );
}

#[test]
fn a_service_without_a_usable_secret_does_not_start_and_says_everything_that_is_wrong() {
    let wrong = [
        RIGHT[0],
        ("EDGE__BUS__URL", "http://hunter2"),
        ("EDGE__WHATSAPP__APPS__ACME__SECRETS", r#"["hunter2", ""]"#),
        ("EDGE__WHATSAPP__APPS__ACME__VERIFY_TOKEN", "token"),
        ("EDGE__WHATSAPP__APPS__SHOP__SECRETS", "hunter2"),
        ("EDGE__WHATSAPP__APPS__MANY__SECRETS", "hunter2,b,c,d"),
        ("EDGE__WHATSAPP__APPS__MANY__VERIFY_TOKEN", "token"),
        (
            "EDGE__WHATSAPP__APPS__DUE__SECRETS",
            r#"[{"value": "hunter2", "expires_at": "soon"}]"#,
        ),
        ("EDGE__WHATSAPP__APPS__DUE__VERIFY_TOKEN", "token"),
        ("EDGE__RESEND__SECRETS", "hunter2"),
        ("EDGE__INTAKE__WRITERS", "7"),
        ("EDGE__INTAKE__QUEUE", "0"),
        ("EDGE__INTAKE__TRUSTED_PROXIES", "10.0.0.0/8,hunter2"),
        ("EDGE__INTAKE__MAX_BUFFERED_BYTES", "1000"),
    ];
    for command in [&["serve"][..], &["config", "check"], &["migrate"]] {
        let (code, said) = run(command, &wrong);
        assert_eq!(code, 64, "{said}");
        assert!(!said.contains("hunter2"), "{said}");
        for part in [
            "EDGE__DB__SYSTEM_URL: required",
            "EDGE__BUS__URL: ",
            "EDGE__WHATSAPP__APPS__ACME__SECRETS: an app secret is empty",
            "EDGE__WHATSAPP__APPS__SHOP__VERIFY_TOKEN: required",
            "EDGE__WHATSAPP__APPS__MANY__SECRETS: at most 3 app secrets may be active",
            "EDGE__WHATSAPP__APPS__DUE__SECRETS: item 1: ",
            "EDGE__RESEND__SECRETS: a signing secret is `whsec_`",
            "EDGE__INTAKE__WRITERS, EDGE__DB__SYSTEM_MAX_CONNECTIONS: ",
            "EDGE__INTAKE__QUEUE: must be at least 1",
            "EDGE__INTAKE__TRUSTED_PROXIES: item 2: ",
            "EDGE__INTAKE__MAX_BUFFERED_BYTES: must be at least 4194304",
        ] {
            assert!(said.contains(part), "{part} is missing in: {said}");
        }
    }
}

#[test]
fn a_service_without_any_app_does_not_start() {
    let (code, said) = run(&["serve"], &RIGHT[..3]);
    assert_eq!(code, 64);
    assert!(
        said.contains("EDGE__WHATSAPP__APPS: name at least one app"),
        "{said}"
    );
}

#[test]
fn every_key_is_documented() {
    let complaints = config::review::<Config>();
    // The aliases set keys inside of `whatsapp.apps`, whose keys are free.
    let inside = |complaint: &String| {
        complaint.ends_with("alias of no key") && complaint.starts_with("WHATSAPP_")
    };
    let others: Vec<_> = complaints
        .into_iter()
        .filter(|complaint| !inside(complaint))
        .collect();
    assert_eq!(others, [""; 0]);
}

#[test]
fn the_readme_has_the_table_of_the_settings() {
    let table = config::to_markdown(&config::schema::<Config>("edge"));
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&table), "put this into README.md:\n{table}");
}
