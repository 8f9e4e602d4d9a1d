pub(crate) mod apps;
pub(crate) mod webhook;
