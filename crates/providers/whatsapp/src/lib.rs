//! The WhatsApp Business Platform (Cloud API): reading its webhooks, sending through it, and the
//! rules and tables that go with both. No database, no protobuf; HTTP through [`outbound`].
//!
//! Rules marked "Meta" come from Meta's own pages, read up to September 2026.

#[macro_use]
mod kept_private;
mod callback;
pub mod client;
pub mod codes;
mod mac;
pub mod phone;
pub mod send;
pub mod signature;
pub mod version;
pub mod webhook;

pub use callback::{CallbackKey, CallbackMark};
pub use client::Client;
pub use version::ApiVersion;
