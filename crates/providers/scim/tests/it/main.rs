//! What directories send, and what they get.

mod discovery;
mod documents;
mod entra;
mod filters;
mod fuzz;
mod okta;
mod patching;
mod people;
mod queries;
