//! Reading webhook deliveries.
//!
//! Meta's payloads are looser than its pages: keys come and go, numbers arrive as strings, new
//! types appear without notice. So nothing here fails on a part: every field is optional, every
//! enumeration is open, what is not understood becomes [`Payload::Unknown`] with its JSON kept, and
//! one odd item never costs its siblings. Only a body that is not a JSON object is refused.
//!
//! The caller verifies the signature over the raw bytes first ([`crate::signature`]).

mod channel_field;
mod coexistence;
mod contact;
mod content;
mod dedupe;
mod envelope;
mod item;
pub(crate) mod json;
mod message;
mod messaging_field;
mod pieces;
mod repair;
mod status;

pub use channel_field::{
    AccountAlert, AccountUpdate, ChannelField, Restriction, TemplateCategory, TemplateQuality,
    TemplateRef, TemplateStatus, VolumeTier, WabaInfo,
};
pub use coexistence::{
    ContactChange, Echo, Handover, HistoryMessage, HistoryProgress, StandbyPayload,
};
pub use contact::Contact;
pub use content::{
    Content, Edit, FlowReply, Interactive, Location, Media, MediaKind, Order, OrderItem, Product,
    Reaction, SharedContact, SharedName, SharedPhone, System, SystemKind, digest,
};
pub use dedupe::DedupeKey;
pub use envelope::{MAX_ITEM_DEPTH, Malformed, Parsed, parse};
pub use item::{Item, Number, Origin, Payload};
pub use json::Raw;
pub use message::{Context, Identity, Message, Referral};
pub use messaging_field::{Call, Preference, PreferenceValue, UserAction};
pub use pieces::Fault;
pub use status::{Conversation, Participant, Pricing, Status, StatusKind};
