//! Single sign-on.

mod budget;
pub(crate) mod connections;
mod dns;
pub(crate) mod domains;
pub(crate) mod find_login_method;
pub(crate) mod list_traces;
pub(crate) mod login;
mod partners;
pub(crate) mod refresh_metadata;
pub(crate) mod required;
mod secrets;
mod shown;

pub(crate) use partners::Partners;
pub(crate) use shown::Shown;
