//! What tests of every service need: a database and a broker of their own, a network that can fail, and waiting without
//! sleeping. Everything here panics instead of returning errors.

mod broker;
mod chaos;
mod database;
mod eventually;
mod stack;
mod tenancy;

pub use broker::TestBroker;
pub use chaos::{ChaosProxy, Mode};
pub use database::TestDb;
pub use eventually::{Attempt, eventually};
pub use stack::Stack;
pub use tenancy::{
    assert_catalogue_is_tenant_safe, assert_nothing_without_tenant, assert_schemas_are_isolated,
};
