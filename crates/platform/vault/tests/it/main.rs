//! The vault over a key store in memory.
#![expect(clippy::unwrap_used, reason = "what helps a test panics like a test")]

mod caching;
mod keys_in_memory;
mod local_provider;
mod sealing;
