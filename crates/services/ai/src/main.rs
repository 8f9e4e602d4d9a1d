//! The ai program.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::main::<ai::App>()
}
