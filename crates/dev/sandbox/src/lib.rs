//! Third parties, played on a laptop: they enforce what the real ones enforce, call back as the
//! real ones do, fail when told to, and keep a ledger that tests read.
//!
//! One module per provider. [`meta`] is the WhatsApp Cloud API, [`resend`] sends e-mail. The control API lives under
//! `/_sandbox`; the README of this package lists every path.

mod callback;
mod config;
mod control;
mod delay;
mod faults;
mod journal;
mod locked;
pub mod meta;
pub mod resend;
mod server;

pub use callback::Outcome;
pub use config::SandboxConfig;
pub use control::ControlError;
pub use delay::DelayRange;
pub use faults::{Repeats, Rule, Scripted};
pub use server::{Sandbox, SandboxHandle, StartError};
