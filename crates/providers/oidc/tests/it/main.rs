//! Logins at a real provider (oidc-provider, on loopback) and at one that lies.

mod answers;
mod browser;
mod cached;
mod endpoints;
mod forge;
mod hostile;
mod partner;
mod real;
mod setup;
mod tokens;
mod world;
