//! What can go wrong in an operation.

use std::borrow::Cow;

use db::{DbError, idempotency::IdempotencyError, outbox::CursorInvalid, page::PageTokenInvalid};
use errors::{Classify, Code, FieldViolation, codes};

/// An operation of messaging failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The database failed.
    #[error("use the database")]
    Db(#[from] DbError),
    /// A leased job can't be ended.
    #[error("end a job")]
    Job(#[from] db::jobs::JobError),
    /// The idempotency key can't be used.
    #[error("use the idempotency key")]
    Idempotency(#[from] IdempotencyError),
    /// The vault failed.
    #[error("seal or open a channel's token")]
    Vault(#[from] vault::Error),
    /// A page token of another list.
    #[error(transparent)]
    PageToken(#[from] PageTokenInvalid),
    /// The feed cursor can't be read.
    #[error(transparent)]
    Cursor(#[from] CursorInvalid),
    /// Events after the cursor are gone.
    #[error("the cursor is older than the events kept")]
    CursorExpired,
    /// No such resource in this organization.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// A field of the request is wrong.
    #[error("the request has {} wrong fields", .0.len())]
    Invalid(Vec<FieldViolation>),
    /// WhatsApp would refuse the content.
    #[error("the content has {} wrong fields", .0.len())]
    Content(Vec<FieldViolation>),
    /// Free-form content outside the 24-hour window.
    #[error("the window is closed")]
    WindowClosed,
    /// The contact has no address on WhatsApp.
    #[error("the contact has no WhatsApp address")]
    RecipientUnknown,
    /// The message to answer is unknown to WhatsApp.
    #[error("the message to answer has no WhatsApp id")]
    ReplyTargetUnknown,
    /// Another organization has the number.
    #[error("the number is connected elsewhere")]
    ChannelTaken,
    /// Somebody else of this organization connected the number at the same moment.
    #[error("the channel was changed at the same time")]
    ChannelChanged,
    /// WhatsApp refused, or can't be reached.
    #[error("ask WhatsApp")]
    WhatsApp(#[from] whatsapp::client::CallError),
    /// This process stops; another one answers.
    #[error("the service is stopping")]
    Stopping,
    /// The channel is blocked.
    #[error("the channel is blocked")]
    ChannelUnavailable,
    /// A stored value can't be read.
    #[error("read {table}.{column}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// What the decoder said.
        #[source]
        source: serde_json::Error,
    },
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(error.into())
    }
}

impl Classify for Error {
    fn code(&self) -> &'static Code {
        match self {
            Self::Db(error) => error.code(),
            Self::Job(error) => error.code(),
            Self::Idempotency(error) => error.code(),
            Self::Vault(error) => error.code(),
            Self::PageToken(error) => error.code(),
            Self::Cursor(error) => error.code(),
            Self::WhatsApp(error) => error.code(),
            Self::CursorExpired => &codes::CURSOR_EXPIRED,
            Self::NotFound(_) => &codes::NOT_FOUND,
            Self::Invalid(_) => &codes::REQUEST_INVALID,
            Self::Content(_) => &codes::CONTENT_INVALID,
            Self::WindowClosed => &codes::WINDOW_CLOSED,
            Self::RecipientUnknown => &codes::RECIPIENT_UNKNOWN,
            Self::ReplyTargetUnknown => &codes::REPLY_TARGET_UNKNOWN,
            Self::ChannelTaken => &codes::CHANNEL_TAKEN,
            Self::ChannelChanged => &codes::CONFLICT,
            Self::Stopping => &codes::UNAVAILABLE,
            Self::ChannelUnavailable => &codes::CHANNEL_UNAVAILABLE,
            Self::Inconsistent { .. } => &codes::INTERNAL,
        }
    }

    fn inner(&self) -> Option<&dyn Classify> {
        match self {
            Self::Db(error) => Some(error),
            Self::Job(error) => Some(error),
            Self::Idempotency(error) => Some(error),
            Self::Vault(error) => Some(error),
            Self::PageToken(error) => Some(error),
            Self::Cursor(error) => Some(error),
            Self::WhatsApp(error) => Some(error),
            _ => None,
        }
    }

    fn detail(&self) -> Cow<'static, str> {
        match (self, self.inner()) {
            (Self::Invalid(fields) | Self::Content(fields), _) => fields.first().map_or_else(
                || Cow::Borrowed(self.code().title),
                |first| Cow::Owned(format!("{}: {}", first.field, first.message)),
            ),
            (_, Some(inner)) => inner.detail(),
            (_, None) => Cow::Borrowed(self.code().title),
        }
    }

    fn fields(&self) -> Vec<FieldViolation> {
        match (self, self.inner()) {
            (Self::Invalid(fields) | Self::Content(fields), _) => fields.clone(),
            (_, Some(inner)) => inner.fields(),
            (_, None) => Vec::new(),
        }
    }
}
