//! The same on the command line.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use clap::{Arg, ArgGroup, ArgMatches, Command, builder::NonEmptyStringValueParser, value_parser};
use db::{Db, page};
use ids::{DeliveryId, OrganizationId};

use super::{DeadLetterError, Decision, Details, Filter, Table, discard, get, list, replay};

/// Arguments of which `replay` takes one letter or any of the others.
const FILTERS: [&str; 5] = ["consumer", "organization", "type", "since", "until"];

/// Why a `dead-letters` command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The operation failed.
    #[error(transparent)]
    DeadLetters(#[from] DeadLetterError),
    /// The arguments were not parsed by [`command`].
    #[error("these are not arguments of `dead-letters`")]
    Arguments,
    /// Standard output is gone. A decision has been made nevertheless.
    #[error("print the answer")]
    Print(#[from] io::Error),
}

/// `dead-letters list | show | replay | discard`, for `chassis::Service::commands`.
pub fn command() -> Command {
    Command::new("dead-letters")
        .about("Events that could not be processed")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("list")
                .about("List them, the oldest first")
                .args(filters())
                .arg(limit())
                .arg(option(
                    "token",
                    "TOKEN",
                    "Go on behind a page; repeat its filters",
                )),
        )
        .subcommand(
            Command::new("show")
                .about("Show one, without its body: that may hold what a customer wrote")
                .arg(id().required(true)),
        )
        .subcommand(
            Command::new("replay")
                .about("Hand one, or all that match, to their consumer again")
                .arg(id().conflicts_with_all(FILTERS))
                .group(
                    ArgGroup::new("which")
                        .args(["id", "consumer"])
                        .required(true),
                )
                .args(filters())
                .args(decision()),
        )
        .subcommand(
            Command::new("discard")
                .about("Put one aside for good")
                .arg(id().required(true))
                .args(decision()),
        )
}

/// Does what `arguments`, parsed by [`command`], say, and prints the answer to standard output.
///
/// # Errors
/// When the operation fails, or the answer can't be printed.
pub async fn run(db: &Db, arguments: &ArgMatches) -> Result<(), CommandError> {
    let answer = execute(db, arguments).await?;
    let mut out = io::stdout().lock();
    out.write_all(answer.as_bytes())?;
    Ok(out.flush()?)
}

/// As [`run`], but answers the text for the terminal.
///
/// # Errors
/// When the operation fails.
pub async fn execute(db: &Db, arguments: &ArgMatches) -> Result<String, CommandError> {
    let (name, arguments) = arguments.subcommand().ok_or(CommandError::Arguments)?;
    let filter = filter(arguments);
    Ok(match name {
        "list" => {
            let limit = value::<u32>(arguments, "limit").unwrap_or_default();
            let token = value::<String>(arguments, "token").unwrap_or_default();
            Table(&list(db, &filter, limit, &token).await?).to_string()
        }
        "show" => {
            let id = filter.id.ok_or(CommandError::Arguments)?;
            Details(&get(db, id).await?).to_string()
        }
        "replay" => {
            let replayed = replay(db, &filter, &decided(arguments)?).await?;
            format!("{replayed} handed to the consumer again\n")
        }
        "discard" if filter.id.is_some() => {
            let discarded = discard(db, &filter, &decided(arguments)?).await?;
            format!("{discarded} discarded\n")
        }
        _ => return Err(CommandError::Arguments),
    })
}

fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

fn id() -> Arg {
    Arg::new("id")
        .value_name("ID")
        .value_parser(value_parser!(DeliveryId))
        .help("A dead letter, dlv_…")
}

fn limit() -> Arg {
    option("limit", "NUMBER", "How many at most")
        .value_parser(value_parser!(u32).range(1..=i64::from(page::MAX_SIZE)))
}

fn filters() -> [Arg; FILTERS.len()] {
    [
        option("consumer", "QUEUE", "Of this consumer")
            .value_parser(NonEmptyStringValueParser::new()),
        option("organization", "ID", "Of this organization, org_…")
            .value_parser(value_parser!(OrganizationId)),
        option("type", "EVENT", "Of this type, as `list` shows it")
            .value_parser(NonEmptyStringValueParser::new()),
        option(
            "since",
            "TIME",
            "First failed then or later: 2026-11-22T08:00:00Z",
        )
        .value_parser(time),
        option("until", "TIME", "First failed before").value_parser(time),
    ]
}

fn decision() -> [Arg; 2] {
    [
        option("reason", "TEXT", "Why; kept with the decision").required(true),
        option("by", "NAME", "Who decides; kept with the decision").default_value("operator"),
    ]
}

fn time(text: &str) -> Result<DateTime<Utc>, chrono::ParseError> {
    DateTime::parse_from_rfc3339(text).map(|time| time.to_utc())
}

/// What was given for an argument that the subcommand may not even have.
fn value<T: Clone + Send + Sync + 'static>(arguments: &ArgMatches, name: &str) -> Option<T> {
    arguments.try_get_one::<T>(name).ok().flatten().cloned()
}

fn filter(arguments: &ArgMatches) -> Filter {
    Filter {
        id: value(arguments, "id"),
        consumer: value(arguments, "consumer"),
        organization_id: value(arguments, "organization"),
        event_type: value(arguments, "type"),
        since: value(arguments, "since"),
        until: value(arguments, "until"),
    }
}

fn decided(arguments: &ArgMatches) -> Result<Decision, CommandError> {
    Ok(Decision {
        by: value(arguments, "by").ok_or(CommandError::Arguments)?,
        reason: value(arguments, "reason").ok_or(CommandError::Arguments)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "dlv_01h455vb4pex5vsknk084sn02q";

    fn understood(line: &str) -> bool {
        let words = ["dead-letters"].into_iter().chain(line.split(' '));
        command().try_get_matches_from(words).is_ok()
    }

    #[test]
    fn the_command_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn a_replay_names_one_letter_or_a_consumer_and_always_a_reason() {
        assert!(understood(&format!("replay {ID} --reason fixed")));
        assert!(understood(
            "replay --consumer q --since 2026-11-22T08:00:00Z --reason fixed"
        ));
        assert!(!understood(&format!("replay {ID}")));
        assert!(!understood("replay --reason fixed"), "everything at once");
        assert!(!understood(
            "replay --since 2026-11-22T08:00:00Z --reason fixed"
        ));
        assert!(!understood(&format!(
            "replay {ID} --consumer q --reason fixed"
        )));
    }

    #[test]
    fn letters_are_discarded_one_by_one() {
        assert!(understood(&format!("discard {ID} --reason gone")));
        assert!(!understood("discard --consumer q --reason gone"));
    }

    #[test]
    fn what_is_not_an_id_a_time_or_a_size_is_refused() {
        assert!(understood("list --limit 100"));
        for line in [
            "list --limit 0",
            "list --limit 101",
            "list --since yesterday",
            "list --consumer ",
            "show msg_01h455vb4pex5vsknk084sn02q",
        ] {
            assert!(!understood(line), "{line}");
        }
    }
}
