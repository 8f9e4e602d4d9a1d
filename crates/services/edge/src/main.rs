//! The edge as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::main::<edge::App>()
}
