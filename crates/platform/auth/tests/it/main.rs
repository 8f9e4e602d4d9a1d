//! Attacks on tokens, the cache of keys, the layer, and service tokens.
#![expect(clippy::unwrap_used, reason = "what helps a test panics like a test")]

mod enforcement;
mod forged_claims;
mod forged_tokens;
mod key_cache;
mod round_trip;
mod seen_tokens;
mod service_tokens;
mod world;
