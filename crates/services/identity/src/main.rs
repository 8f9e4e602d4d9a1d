//! The identity service as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::main::<identity::App>()
}
