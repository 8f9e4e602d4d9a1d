//! Chores of the workspace that have logic: `cargo xtask <command>`.

mod check_deps;
mod checkout;
mod documents;
mod prepare_db;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Chores of the workspace")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Who may import whom, inherited lints and versions, file names and lengths.
    CheckDeps,
    /// Write the documents that are made from code.
    Gen {
        /// Write nothing; fail if a document is not what the code says.
        #[arg(long)]
        check: bool,
    },
    /// Create a database with every migration applied and print its address.
    PrepareDb(prepare_db::Arguments),
}

fn main() -> Result<ExitCode> {
    let root = checkout::root()?;
    match Arguments::parse().command {
        Command::CheckDeps => check_deps::run(&root),
        Command::Gen { check } => documents::run(&root, check),
        Command::PrepareDb(arguments) => prepare_db::run(&root, &arguments),
    }
}
