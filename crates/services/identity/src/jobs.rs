//! Work on a timer. Every replica does it; doing it twice is harmless.

pub(crate) mod keep_keys;
pub(crate) mod sweep_sessions;
