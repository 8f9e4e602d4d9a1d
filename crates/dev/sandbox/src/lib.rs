//! Third parties, played on a laptop: they enforce what the real ones enforce, call back as the
//! real ones do, fail when told to, and keep a ledger that tests read.
//!
//! One module per provider. [`meta`] is the WhatsApp Cloud API. The control API lives under
//! `/_sandbox`; the README of this package lists every path.

mod config;
mod locked;
pub mod meta;
mod server;

pub use config::SandboxConfig;
pub use server::{Sandbox, SandboxHandle, StartError};
