//! Single sign-on: connections, domains, and what logins leave behind. The tenant is a parameter of most functions:
//! whoever comes back from a provider names a connection before any tenant is known.

pub(crate) mod connections;
pub(crate) mod domains;
pub(crate) mod flows;
pub(crate) mod identities;
pub(crate) mod traces;
