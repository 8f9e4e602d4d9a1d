//! SQL, one file per family of tables. Functions take the transaction of the operation and never commit.

pub(crate) mod api_keys;
pub(crate) mod audit;
pub(crate) mod claims;
pub(crate) mod email_links;
pub(crate) mod factors;
pub(crate) mod former_addresses;
pub(crate) mod invitations;
pub(crate) mod letters;
pub(crate) mod members;
pub(crate) mod organizations;
pub(crate) mod passwords;
pub(crate) mod people;
pub(crate) mod revocations;
pub(crate) mod roles;
pub(crate) mod roster;
pub(crate) mod scim;
pub(crate) mod service_clients;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod signing_keys;
pub(crate) mod sso;
pub(crate) mod suppressions;
pub(crate) mod teams;
pub(crate) mod throttles;
pub(crate) mod users;
