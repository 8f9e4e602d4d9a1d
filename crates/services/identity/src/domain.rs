//! Rules without a database or a network.

pub(crate) mod email;
pub(crate) mod refresh_token;
pub(crate) mod secret;
pub(crate) mod session;
