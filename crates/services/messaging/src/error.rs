//! What can go wrong in an operation.

use std::borrow::Cow;

use db::{DbError, idempotency::IdempotencyError, outbox::CursorInvalid, page::PageTokenInvalid};
use errors::{Classify, Code, FieldViolation, codes};
use ids::ContactId;

use crate::domain::{consent::Purpose, media::Problem};

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
    /// Nothing is sent to a blocked contact.
    #[error("the contact is blocked")]
    ContactBlocked,
    /// The customer took back consent to messages of this purpose.
    #[error("the customer wants no {} messages", .0.word())]
    ConsentWithdrawn(Purpose),
    /// A contact has the number or the address already.
    #[error("contact {id} has this {field} already")]
    ContactExists {
        /// The kind of the identity.
        field: &'static str,
        /// Who has it.
        id: ContactId,
    },
    /// The contact was changed since it was read.
    #[error("the contact was changed at the same time")]
    ContactChanged,
    /// The key of an attribute is taken.
    #[error("there is such an attribute already")]
    AttributeExists,
    /// Contacts have an option that is to be taken away.
    #[error("contacts have an option that is to be taken away")]
    AttributeInUse,
    /// The organization has as many attributes as it may.
    #[error("there are too many attributes")]
    TooManyAttributes,
    /// The merge was taken back before.
    #[error("the merge was taken back before")]
    MergeUndone,
    /// A later merge must be taken back first.
    #[error("a later merge must be taken back first")]
    MergeNotLatest,
    /// The message to answer is unknown to WhatsApp.
    #[error("the message to answer has no WhatsApp id")]
    ReplyTargetUnknown,
    /// Another organization has the number.
    #[error("the number is connected elsewhere")]
    ChannelTaken,
    /// Somebody else of this organization connected the number at the same moment.
    #[error("the channel was changed at the same time")]
    ChannelChanged,
    /// The conversation was changed since the caller read it.
    #[error("the conversation was changed meanwhile")]
    ConversationChanged,
    /// The saved reply was changed since the caller read it.
    #[error("the saved reply was changed meanwhile")]
    CannedReplyChanged,
    /// No active member, as far as is known here.
    #[error("the person is no active member")]
    AssigneeUnknown,
    /// No team, as far as is known here.
    #[error("there is no such team")]
    TeamUnknown,
    /// A label that does not exist.
    #[error("there is no such label")]
    LabelUnknown,
    /// A label's name or a shortcut is in use.
    #[error("the name is taken")]
    NameTaken,
    /// A program asks for what only people have.
    #[error("the caller is no person")]
    PersonWanted,
    /// WhatsApp refused, or can't be reached.
    #[error("ask WhatsApp")]
    WhatsApp(#[from] whatsapp::client::CallError),
    /// A file can't be taken in, kept or had.
    #[error("use a file")]
    Blob(#[from] blobs::BlobError),
    /// The same bytes are being deleted, because nobody named them: they can be kept in a moment.
    #[error("the same file is being deleted at this moment")]
    FileBeingDeleted,
    /// A file is not what WhatsApp takes, or not what it was said to be.
    #[error("the file is refused: {}", .0.as_str())]
    MediaRefused(Problem),
    /// This process stops; another one answers.
    #[error("the service is stopping")]
    Stopping,
    /// The channel is blocked.
    #[error("the channel is blocked")]
    ChannelUnavailable,
    /// Only approved templates go.
    #[error("the template is {status}")]
    TemplateNotSendable {
        /// The table's word.
        status: String,
        /// Meta's words.
        reason: String,
    },
    /// Meta says no to a template.
    #[error("WhatsApp refused the template")]
    TemplateRefused {
        /// Meta's words.
        words: String,
    },
    /// The template's state does not allow the change.
    #[error("the template can't be changed now")]
    TemplateNotChangeable,
    /// The account has a template of this name in this language.
    #[error("there is a template of this name")]
    TemplateExists,
    /// Somebody changed it since it was read.
    #[error("it was changed at the same time")]
    Changed,
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

impl Error {
    /// Whether the request was understood and refused: nothing broke, and the transaction can go on.
    pub(crate) const fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::NotFound(_)
                | Self::Invalid(_)
                | Self::ConversationChanged
                | Self::AssigneeUnknown
                | Self::TeamUnknown
                | Self::LabelUnknown
        )
    }
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
            Self::Blob(blobs::BlobError::TooLarge { .. })
            | Self::MediaRefused(Problem::TooLarge) => &codes::MEDIA_TOO_LARGE,
            Self::MediaRefused(_) => &codes::MEDIA_TYPE_REFUSED,
            Self::Blob(error) => error.code(),
            Self::CursorExpired => &codes::CURSOR_EXPIRED,
            Self::NotFound(_) => &codes::NOT_FOUND,
            Self::Invalid(_) => &codes::REQUEST_INVALID,
            Self::Content(_) => &codes::CONTENT_INVALID,
            Self::WindowClosed => &codes::WINDOW_CLOSED,
            Self::RecipientUnknown => &codes::RECIPIENT_UNKNOWN,
            Self::ContactBlocked => &codes::CONTACT_BLOCKED,
            Self::ConsentWithdrawn(_) => &codes::CONSENT_WITHDRAWN,
            Self::ContactExists { .. } => &codes::CONTACT_EXISTS,
            Self::AttributeExists | Self::TemplateExists => &codes::ALREADY_EXISTS,
            Self::AttributeInUse => &codes::ATTRIBUTE_IN_USE,
            Self::TooManyAttributes => &codes::TOO_MANY_ATTRIBUTES,
            Self::MergeUndone => &codes::MERGE_UNDONE,
            Self::MergeNotLatest => &codes::MERGE_NOT_LATEST,
            Self::ReplyTargetUnknown => &codes::REPLY_TARGET_UNKNOWN,
            Self::ChannelTaken => &codes::CHANNEL_TAKEN,
            Self::ChannelChanged
            | Self::ContactChanged
            | Self::ConversationChanged
            | Self::CannedReplyChanged
            | Self::Changed => &codes::CONFLICT,
            Self::AssigneeUnknown => &codes::ASSIGNEE_UNKNOWN,
            Self::TeamUnknown => &codes::TEAM_UNKNOWN,
            Self::LabelUnknown => &codes::LABEL_UNKNOWN,
            Self::NameTaken => &codes::INBOX_NAME_TAKEN,
            Self::PersonWanted => &codes::PERSON_WANTED,
            Self::Stopping | Self::FileBeingDeleted => &codes::UNAVAILABLE,
            Self::ChannelUnavailable => &codes::CHANNEL_UNAVAILABLE,
            Self::TemplateNotSendable { .. } => &codes::TEMPLATE_NOT_SENDABLE,
            Self::TemplateRefused { .. } => &codes::TEMPLATE_REFUSED,
            Self::TemplateNotChangeable => &codes::TEMPLATE_NOT_CHANGEABLE,
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
            Self::Blob(error) if !matches!(error, blobs::BlobError::TooLarge { .. }) => Some(error),
            _ => None,
        }
    }

    fn detail(&self) -> Cow<'static, str> {
        match (self, self.inner()) {
            (Self::Invalid(fields) | Self::Content(fields), _) => fields.first().map_or_else(
                || Cow::Borrowed(self.code().title),
                |first| Cow::Owned(format!("{}: {}", first.field, first.message)),
            ),
            (Self::TemplateRefused { words }, _) if !words.is_empty() => {
                Cow::Owned(format!("WhatsApp says: {words}"))
            }
            (Self::TemplateNotSendable { status, reason }, _) if reason.is_empty() => {
                Cow::Owned(format!("The template is {status}."))
            }
            (Self::TemplateNotSendable { status, reason }, _) => {
                Cow::Owned(format!("The template is {status}: {reason}"))
            }
            (Self::ContactExists { .. }, _) => Cow::Owned(self.to_string()),
            (Self::ConsentWithdrawn(purpose), _) => Cow::Owned(format!(
                "The customer took back consent to {} messages.",
                purpose.word()
            )),
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
