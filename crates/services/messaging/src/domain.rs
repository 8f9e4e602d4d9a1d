//! Rules without I/O.

pub(crate) mod content;
pub(crate) mod failure;
pub(crate) mod mask;
pub(crate) mod status;
pub(crate) mod window;
