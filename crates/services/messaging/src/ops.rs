//! Operations, one per file, named like their RPCs. Each opens its transaction and commits it.

pub(crate) mod connect_channel;
pub(crate) mod lists;
pub(crate) mod open_conversation;
pub(crate) mod send_message;
