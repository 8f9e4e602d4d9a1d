//! End to end: signed webhooks in, REST and SSE out, WhatsApp played by the sandbox.

mod access;
mod ambiguous_sends;
mod api_rules;
mod event_stream;
mod intake;
mod kills;
mod main_job;
mod sending;
mod tenants;
mod world;
