//! Login through an organization's own identity provider.

mod addresses;
mod admission;
mod connection;
mod email_domain;
mod flow;
mod return_path;
mod role_mapping;

pub(crate) use addresses::Addresses;
pub(crate) use admission::{Admission, Claim, Refused, Standing, admit};
pub(crate) use connection::{Connection, Oidc, OidcKind, Provider, ProviderKind, Saml};
pub(crate) use email_domain::{DomainFault, EmailDomain};
pub(crate) use flow::{Flow, FlowFault, LASTS, browser_secret, flow_id, random_text};
pub(crate) use return_path::ReturnPath;
pub(crate) use role_mapping::{RoleMapping, followed, mapped};
