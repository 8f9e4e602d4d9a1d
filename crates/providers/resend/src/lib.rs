//! Resend, which delivers our e-mail: a client that sends, and the reader of its webhooks.
//!
//! The requests and the names of the errors are those of the crate `resend-rs`. The transport is our own
//! [`outbound`]: the crate's discards the body of every 429, so a used-up quota (come back tomorrow) looks like a
//! second that was too busy; it reads answers of any size, has no deadline, takes settings from the environment, and
//! lets one call through per 1.1 s. How fast to send is decided by whoever sends: Resend counts per team, and a team
//! has many processes.
//!
//! No value here prints an address, a subject or a text: those are personal data, and what is printed ends in logs.

pub mod client;
mod email;
pub mod webhook;

pub use client::{Client, Config, Error, Sent};
pub use email::{Email, IdempotencyKey, Invalid, Tag};
