//! The identity service over gRPC, on a database of its own.
#![expect(clippy::unwrap_used, reason = "what helps a test panics like a test")]

mod access_matrix;
mod api_keys;
mod configuration;
mod jobs;
mod log_in;
mod refresh_session;
mod seed;
mod service_clients;
mod sign_up;
mod signing_keys;
mod tenancy;
mod world;
