//! Messaging alone. What it does together with the others is in `tests/e2e`.

mod configuration;
mod tenancy;
