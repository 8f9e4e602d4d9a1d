//! Message templates: what Meta has, what it would take, and what a message must fill in.

pub(crate) mod check;
pub(crate) mod fill;
pub(crate) mod from_meta;
pub(crate) mod places;
pub(crate) mod state;
pub(crate) mod to_meta;
