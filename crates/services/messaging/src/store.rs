//! SQL, one file per table family. Functions take the connection of the caller's transaction and
//! never commit; who opens the transaction decides which rows are in sight.

pub(crate) mod agents;
pub(crate) mod attributes;
pub(crate) mod canned_replies;
pub(crate) mod channel_health;
pub(crate) mod channels;
pub(crate) mod consents;
pub(crate) mod contact_notes;
pub(crate) mod contacts;
pub(crate) mod conversations;
pub(crate) mod doomed_files;
pub(crate) mod entries;
pub(crate) mod erasure;
pub(crate) mod intake;
pub(crate) mod labels;
pub(crate) mod lanes;
pub(crate) mod media;
pub(crate) mod media_uploads;
pub(crate) mod merges;
pub(crate) mod messages;
pub(crate) mod moved;
pub(crate) mod notices;
pub(crate) mod participants;
pub(crate) mod quarantine;
pub(crate) mod queue;
pub(crate) mod reads;
pub(crate) mod results;
pub(crate) mod routes;
pub(crate) mod statuses;
pub(crate) mod templates;
pub(crate) mod views;
pub(crate) mod work;
