//! Ratchets for tenancy, to be called from the tests of each service (T-01 to T-03 of the reliability goals).

mod catalogue;
mod isolation;

pub use catalogue::assert_catalogue_is_tenant_safe;
pub use isolation::{assert_nothing_without_tenant, assert_schemas_are_isolated};
