//! One thing out of a delivery.

use chrono::{DateTime, Utc};

use super::{
    channel_field::ChannelField,
    coexistence::{ContactChange, Echo, Handover, HistoryMessage, HistoryProgress, StandbyPayload},
    dedupe::DedupeKey,
    json::Raw,
    message::Message,
    messaging_field::{Call, Preference, UserAction},
    pieces::Fault,
    status::Status,
};

/// One thing out of a delivery: where it belongs, what it is, and its JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Where it belongs.
    pub origin: Origin,
    /// Equal for repetitions of this item.
    pub key: DedupeKey,
    /// What it is.
    pub payload: Payload,
    /// Its own JSON, without its siblings.
    pub raw: Raw,
}

/// Where an item belongs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The WhatsApp business account, also where the entry names a business portfolio.
    pub waba_id: Option<String>,
    /// The entry's id as it is.
    pub entry_id: Option<String>,
    /// The entry's time; absent on messages.
    pub entry_at: Option<DateTime<Utc>>,
    /// The field, `messages`, `account_update`, …
    pub field: Option<String>,
    /// The business number.
    pub number: Number,
}

/// The business number of an item. Account fields have digits only: match those within the WABA.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Number {
    /// Route by this one.
    pub phone_number_id: Option<String>,
    /// Digits in webhooks, formatted in the API.
    pub display: Option<String>,
}

/// What an item is.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// A user wrote to us.
    Message(Box<Message>),
    /// Something became of a message we sent.
    Status(Box<Status>),
    /// A user clicked.
    UserAction(UserAction),
    /// A user wants more or less marketing.
    Preference(Preference),
    /// A call.
    Call(Call),
    /// A person wrote in the WhatsApp Business app.
    Echo(Box<Echo>),
    /// Another party has the conversation. Never reply automatically.
    Standby(StandbyPayload),
    /// The conversation changed hands.
    Handover(Handover),
    /// A message of the past.
    HistoryMessage(Box<HistoryMessage>),
    /// How far the transfer of the past is.
    HistoryProgress(HistoryProgress),
    /// The app's address book changed.
    ContactChange(ContactChange),
    /// The account, a number or a template changed.
    ChannelField(ChannelField),
    /// Errors that belong to no message.
    Faults(Vec<Fault>),
    /// Something this version does not understand. Keep it, raise a metric, don't fail.
    Unknown,
}

impl Payload {
    /// A stable name for metrics and logs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Status(_) => "status",
            Self::UserAction(_) => "user_action",
            Self::Preference(_) => "preference",
            Self::Call(_) => "call",
            Self::Echo(_) => "echo",
            Self::Standby(StandbyPayload::Message(_)) => "standby_message",
            Self::Standby(StandbyPayload::Echo(_)) => "standby_echo",
            Self::Standby(StandbyPayload::Status(_)) => "standby_status",
            Self::Handover(_) => "handover",
            Self::HistoryMessage(_) => "history_message",
            Self::HistoryProgress(_) => "history_progress",
            Self::ContactChange(_) => "contact_change",
            Self::ChannelField(field) => field.name(),
            Self::Faults(_) => "faults",
            Self::Unknown => "unknown",
        }
    }
}
