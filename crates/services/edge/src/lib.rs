//! The boundary to other people's HTTP: provider webhooks come in here.
//!
//! A delivery is verified over its raw bytes, committed, and only then answered with 200. Nobody
//! looks inside it here, so a strange body can't stop the ones behind it; whoever consumes
//! `WhatsAppReceived` or `ResendReceived` does that. Intake needs PostgreSQL and nothing else.

mod app;
mod config;
mod domain;
mod error;
mod events;
mod http;
mod jobs;
mod metrics;
mod ops;
mod store;

pub use app::{App, MIGRATOR};
pub use config::{Config, Intake, Resend, Secret, WhatsApp, WhatsAppApp};
