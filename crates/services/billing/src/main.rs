//! The billing program.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::main::<billing::App>()
}
