//! Responses as identity providers and attackers write them, signed by a tool that is not ours.

mod accepted;
mod attributes;
mod documents;
mod metadata;
mod mutations;
mod questions;
mod readers;
mod requests;
mod signatures;
mod signer;
mod times;
mod world;
mod wrapping;
