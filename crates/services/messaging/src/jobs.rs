//! Deferred work.

pub(crate) mod keep_partitions;
pub(crate) mod reconcile_attempt;
