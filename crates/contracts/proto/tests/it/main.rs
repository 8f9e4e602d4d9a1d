//! Ratchets over everything the proto files generate.

mod access;
mod events;
mod golden;
mod openapi;
