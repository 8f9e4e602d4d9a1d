//! Message content: WhatsApp's form → ours, ours → WhatsApp's, and a line for lists.

pub(crate) mod inbound;
pub(crate) mod outbound;
pub(crate) mod preview;
