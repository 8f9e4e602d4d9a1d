//! The gateway as a caller sees it, in front of services that are played.

mod api_keys;
mod bodies;
mod browser;
mod clients;
mod cross_site;
mod events;
mod failures;
mod headers;
mod program;
mod scim;
mod services;
mod sso;
mod surface;
mod tokens;
mod world;
