//! End to end: signed webhooks in, REST and SSE out, WhatsApp played by the sandbox.

mod access;
mod ambiguous_sends;
mod api_rules;
mod event_stream;
mod files;
mod folder;
mod intake;
mod kills;
mod ledger;
mod main_job;
mod revocation;
mod rows;
mod scene;
mod sending;
mod team_day;
mod templates;
mod tenants;
mod undeliverable;
mod webhooks;
mod world;
