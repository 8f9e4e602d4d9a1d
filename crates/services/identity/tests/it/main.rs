//! The identity service over gRPC, on a database of its own.
#![expect(clippy::unwrap_used, reason = "what helps a test panics like a test")]

mod access_matrix;
mod api_keys;
mod audit;
mod configuration;
mod held;
mod in_flight;
mod jobs;
mod log_in;
mod mail;
mod mfa;
mod own_password;
mod own_sessions;
mod people;
mod person;
mod refresh_session;
mod scim;
mod seed;
mod service_clients;
mod sign_up;
mod signing_keys;
mod sso;
mod tenancy;
mod throttling;
mod world;
