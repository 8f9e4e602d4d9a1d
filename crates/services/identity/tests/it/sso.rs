//! Login through organizations' own identity providers, with providers that are not ours: an independent XML signer and
//! the npm package oidc-provider.

mod connections;
mod domains;
mod limits;
mod linking;
mod name_server;
mod oidc;
mod once;
mod providers;
mod roles;
mod saml;
mod stage;

/// What the tests of the protocols themselves use.
#[path = "../../../../providers/saml/tests/it/documents.rs"]
#[expect(dead_code, reason = "the tests of `saml` use more of it")]
mod documents;
#[path = "../../../../providers/oidc/tests/it/partner.rs"]
mod partner;
#[path = "../../../../providers/saml/tests/it/signer.rs"]
#[expect(dead_code, reason = "the tests of `saml` use more of it")]
mod signer;
