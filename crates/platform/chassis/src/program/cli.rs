use std::{ffi::OsString, path::PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::Exit;
use crate::{
    Base, Mode, Service,
    config::{self, Field},
    telemetry,
};

/// What the program was asked to do.
pub(super) struct Arguments {
    pub(super) config: Option<PathBuf>,
    pub(super) action: Action,
}

pub(super) enum Action {
    Serve(Mode),
    Migrate,
    Check,
    Schema {
        json: bool,
    },
    Doctor,
    /// A service's own command.
    Own {
        name: String,
        arguments: ArgMatches,
    },
}

/// The commands every program has, then those of its service.
fn command<S: Service>() -> Command {
    let format = Arg::new("format")
        .long("format")
        .value_parser(["markdown", "json"])
        .default_value("markdown")
        .help("How to print it");
    Command::new(S::NAME)
        .about(S::ABOUT)
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("serve")
                .about("Serve requests and do background work")
                .arg(
                    Arg::new("no-worker")
                        .long("no-worker")
                        .action(ArgAction::SetTrue)
                        .help("Serve requests only"),
                ),
        )
        .subcommand(Command::new("worker").about("Do background work only"))
        .subcommand(Command::new("migrate").about("Bring the database schema up to date"))
        .subcommand(
            Command::new("config")
                .about("Look at the configuration")
                .subcommand_required(true)
                .subcommand(Command::new("check").about("List everything wrong with it"))
                .subcommand(Command::new("schema").about("List every key").arg(format)),
        )
        .subcommand(
            Command::new("doctor")
                .about("Build the service, try what it then depends on once, and report"),
        )
        .subcommands(S::commands())
        .arg(
            Arg::new("config")
                .long("config")
                .global(true)
                .value_parser(value_parser!(PathBuf))
                .help("TOML file; the environment wins over it"),
        )
}

/// Reads the arguments; `Err` if there is nothing more to do.
pub(super) fn parse<S: Service>(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Arguments, Exit> {
    let matches = command::<S>()
        .try_get_matches_from(arguments)
        .map_err(|error| {
            eprintln!("{}", error.render());
            // Help and version are what was asked for.
            if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Success
            }
        })?;
    Ok(Arguments {
        config: matches.get_one::<PathBuf>("config").cloned(),
        action: action(&matches).ok_or(Exit::Usage)?,
    })
}

fn action(matches: &ArgMatches) -> Option<Action> {
    let (name, arguments) = matches.subcommand()?;
    Some(match name {
        "serve" => Action::Serve(Mode {
            work: !arguments.get_flag("no-worker"),
            ..Mode::ALL
        }),
        "worker" => Action::Serve(Mode {
            requests: false,
            ..Mode::ALL
        }),
        "migrate" => Action::Migrate,
        "doctor" => Action::Doctor,
        "config" => match arguments.subcommand()? {
            ("schema", arguments) => Action::Schema {
                json: arguments.get_one::<String>("format")? == "json",
            },
            _ => Action::Check,
        },
        own => Action::Own {
            name: own.to_owned(),
            arguments: arguments.clone(),
        },
    })
}

/// The reference of everything that can be configured.
pub(super) fn schema<S: Service>(json: bool) -> String {
    let mut fields: Vec<Field> = config::schema::<S::Config>(S::NAME);
    let sections = S::PORTS.sections();
    let base = config::schema::<Base>(S::NAME).into_iter();
    fields.extend(base.filter(|field| sections.contains(&field.section())));
    if json {
        return config::to_json(&fields);
    }
    let shared = telemetry::REFERENCE
        .iter()
        .fold(String::new(), |rows, (name, text)| {
            rows + &format!("| `{name}` | {text} |\n")
        });
    format!(
        "{}\nThe whole process:\n\n| variable | meaning |\n|---|---|\n{shared}",
        config::to_markdown(&fields)
    )
}
