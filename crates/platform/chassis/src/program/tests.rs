use serde::Deserialize;

use super::*;
use crate::{
    Deps, Ports,
    config::{Settings as Configured, Validate},
};

#[derive(Debug, Deserialize)]
struct Needy {
    url: String,
}

impl Validate for Needy {
    fn validate(&self, problems: &mut Problems) {
        if !self.url.contains("://") {
            problems.invalid("url", "no scheme");
        }
    }
}

impl Configured for Needy {}

struct App;

impl Service for App {
    const NAME: &'static str = "app";
    const ABOUT: &'static str = "A test";
    const PORTS: Ports = Ports::any().without_grpc();
    type Config = Needy;

    async fn build(_: Needy, _: Deps) -> anyhow::Result<Self> {
        Ok(Self)
    }

    fn commands() -> Vec<clap::Command> {
        vec![clap::Command::new("replay")]
    }
}

fn parse(arguments: &[&str]) -> Result<Action, Exit> {
    let arguments = arguments.iter().map(std::ffi::OsString::from);
    cli::parse::<App>(arguments).map(|parsed| parsed.action)
}

fn problems<const N: usize>(variables: [(&str, &str); N]) -> Vec<String> {
    let arguments = Arguments {
        config: None,
        action: Action::Check,
    };
    let loaded = load::<App>(&arguments, &EnvSource::from(variables));
    let found = loaded.err().expect("wrong");
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn problems_of_the_process_the_service_and_the_chassis_are_reported_together() {
    let found = problems([
        ("APP__URL", "x"),
        ("APP__X", "1"),
        ("APP__ADMIN__LISTEN", "nowhere"),
        ("LOG_FORMAT", "loud"),
    ]);
    let places: Vec<_> = found.iter().filter_map(|p| p.split(':').next()).collect();
    assert_eq!(
        places,
        ["LOG_FORMAT", "APP__ADMIN__LISTEN", "APP__X", "APP__URL"]
    );
}

#[test]
fn a_service_has_no_settings_for_a_server_it_does_not_have() {
    let schema = cli::schema::<App>(false);
    assert!(schema.contains("`APP__HTTP__LISTEN`"), "{schema}");
    // A limit that only calls have is no setting of HTTP.
    for unknown in ["APP__GRPC__LISTEN", "APP__HTTP__REQUEST_TIMEOUT_MS"] {
        assert!(!schema.contains(unknown), "{schema}");
        let found = problems([("APP__URL", "a://b"), (unknown, "1")]);
        assert_eq!(found, [format!("{unknown}: unknown key")]);
    }
}

#[test]
fn a_command_of_the_service_is_known_by_its_name() {
    let parsed = parse(&["app", "replay"]);
    assert!(matches!(parsed, Ok(Action::Own { name, .. }) if name == "replay"));
    assert_eq!(parse(&["app", "dance"]).err(), Some(Exit::Usage));
}

#[test]
fn workers_and_servers_can_be_run_apart() {
    let mode = |arguments: &[&str]| match parse(arguments) {
        Ok(Action::Serve(mode)) => (mode.requests, mode.work),
        _ => panic!("it serves"),
    };
    assert_eq!(mode(&["app", "serve"]), (true, true));
    assert_eq!(mode(&["app", "serve", "--no-worker"]), (true, false));
    assert_eq!(mode(&["app", "worker"]), (false, true));
}
