//! The gateway as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::main::<gateway::App>()
}
