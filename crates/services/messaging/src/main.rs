//! The messaging program.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::main::<messaging::App>()
}
