//! Rules without I/O.

pub(crate) mod attributes;
pub(crate) mod canned;
pub(crate) mod consent;
pub(crate) mod content;
pub(crate) mod failure;
pub(crate) mod health;
pub(crate) mod mask;
pub(crate) mod media;
pub(crate) mod status;
pub(crate) mod template;
pub(crate) mod window;
pub(crate) mod work;
