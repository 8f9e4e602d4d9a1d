//! The edge against real servers: what it accepts, what it refuses, and what survives.

mod configuration;
mod intake;
mod limits;
mod outages;
mod resend;
mod schema;
mod signatures;
mod slow_clients;
mod stage;
mod verification;
