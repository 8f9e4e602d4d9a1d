//! From webhook bodies to rows, a batch at a time: sort what arrived, find or make the people, store
//! the messages, move the statuses, keep the rest.

pub(crate) mod apply;
pub(crate) mod consents;
pub(crate) mod files;
pub(crate) mod people;
pub(crate) mod routing;
pub(crate) mod sort;
pub(crate) mod templates;

#[cfg(test)]
pub(crate) mod played;
