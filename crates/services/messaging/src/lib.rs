//! Messaging: WhatsApp numbers, contacts, conversations and messages.
//!
//! Inbound: `events/on_whatsapp_received.rs` turns batches of webhook bodies into rows.
//! Outbound: `ops/send_message.rs` queues, `outbound/` sends, statuses come back as webhooks.
//! What happened is in the outbox, which `grpc/watch.rs` streams.

mod app;
mod config;
mod domain;
mod error;
mod events;
#[cfg(test)]
mod fixture;
mod grpc;
mod jobs;
mod media;
mod ops;
mod outbound;
mod store;
mod within;

pub use app::{App, MIGRATOR};
pub use config::{Config, Media, WhatsApp};
