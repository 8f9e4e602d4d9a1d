//! Work on a timer. Every replica does it; doing it twice is harmless.

pub(crate) mod erase;
pub(crate) mod keep_keys;
pub(crate) mod keep_sso;
pub(crate) mod send_mail;
pub(crate) mod sweep_logins;
pub(crate) mod sweep_sessions;
