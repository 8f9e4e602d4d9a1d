use serde::Deserialize;

use super::*;
use crate::{
    Deps,
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

macro_rules! service {
    ($type:ident, $name:literal, $config:ty) => {
        struct $type;

        impl Service for $type {
            const NAME: &'static str = $name;
            const ABOUT: &'static str = "A test";
            const PORTS: Ports = Ports::any();
            type Config = $config;

            async fn build(_: $config, _: Deps) -> anyhow::Result<Self> {
                Ok(Self)
            }

            fn commands() -> Vec<clap::Command> {
                vec![clap::Command::new("replay")]
            }
        }
    };
}

service!(First, "first", Needy);
service!(Second, "second", Needy);
service!(Third, "third", ());

fn program() -> Program {
    Program::new("all", "Everything", Ports::any())
        .service::<First>()
        .service::<Second>()
        .service::<Third>()
}

fn run<const N: usize>(arguments: &[&str], variables: [(&str, &str); N]) -> Exit {
    let arguments = arguments.iter().map(std::ffi::OsString::from);
    program().run(arguments, &EnvSource::from(variables))
}

fn problems<const N: usize>(variables: [(&str, &str); N]) -> Vec<String> {
    let arguments = Arguments {
        config: None,
        action: Action::Check,
    };
    let loaded = program().load(&arguments, &EnvSource::from(variables));
    let found = loaded.err().expect("wrong");
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn the_problems_of_all_services_are_reported_together() {
    let found = problems([
        ("SECOND__URL", "x"),
        ("THIRD__X", "1"),
        ("ALL__ADMIN__LISTEN", "nowhere"),
        ("LOG_FORMAT", "loud"),
    ]);
    let places: Vec<_> = found.iter().filter_map(|p| p.split(':').next()).collect();
    assert_eq!(
        places,
        [
            "LOG_FORMAT",
            "FIRST__URL",
            "SECOND__URL",
            "THIRD__X",
            "ALL__ADMIN__LISTEN"
        ]
    );
}

#[test]
fn commands_of_services_are_grouped_when_there_are_several() {
    let urls = [("FIRST__URL", "a://b"), ("SECOND__URL", "a://b")];
    assert_eq!(run(&["all", "config", "check"], urls), Exit::Success);
    assert_eq!(run(&["all", "replay"], urls), Exit::Usage);
    assert_eq!(run(&["all", "first"], urls), Exit::Usage);
    let arguments = ["all", "second", "replay"].map(std::ffi::OsString::from);
    let parsed = cli::parse(&program(), arguments).expect("a command");
    let Action::Own { service, name, .. } = parsed.action else {
        panic!("a service's own command");
    };
    assert_eq!((service, name.as_str()), ("second", "replay"));
}

#[test]
fn workers_and_servers_can_be_run_apart() {
    let mode = |arguments: &[&str]| {
        let arguments = arguments.iter().map(std::ffi::OsString::from);
        match cli::parse(&program(), arguments).expect("a command").action {
            Action::Serve(mode) => (mode.requests, mode.work),
            _ => panic!("it serves"),
        }
    };
    assert_eq!(mode(&["all", "serve"]), (true, true));
    assert_eq!(mode(&["all", "serve", "--no-worker"]), (true, false));
    assert_eq!(mode(&["all", "worker"]), (false, true));
}
