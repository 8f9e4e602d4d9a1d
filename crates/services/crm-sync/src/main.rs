//! The crm-sync program.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::main::<crm_sync::App>()
}
