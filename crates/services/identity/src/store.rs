//! SQL, one file per family of tables. Functions take the transaction of the operation and never commit.

pub(crate) mod api_keys;
pub(crate) mod organizations;
pub(crate) mod service_clients;
pub(crate) mod sessions;
pub(crate) mod signing_keys;
pub(crate) mod users;
