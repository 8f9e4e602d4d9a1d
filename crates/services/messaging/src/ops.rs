//! Operations, one per file, named like their RPCs. Each opens its transaction and commits it. What
//! they read and answer in takes its form in `view`.

pub(crate) mod canned_replies;
pub(crate) mod changes;
pub(crate) mod channel_health;
pub(crate) mod connect_channel;
pub(crate) mod contacts;
pub(crate) mod create_media;
pub(crate) mod create_note;
pub(crate) mod filter;
pub(crate) mod following;
pub(crate) mod get_media;
pub(crate) mod labels;
pub(crate) mod lists;
pub(crate) mod open_conversation;
pub(crate) mod receive_media;
pub(crate) mod rotate_channel_token;
pub(crate) mod send_message;
pub(crate) mod show_media;
pub(crate) mod sight;
pub(crate) mod templates;
pub(crate) mod view;
pub(crate) mod views;
