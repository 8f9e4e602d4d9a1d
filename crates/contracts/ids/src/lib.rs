//! Typed identifiers. Inside they are uuid v7 (sorted by creation time, so indexes stay local);
//! outside they carry a prefix that names their kind: `cv_01h455vb4pex5vsknk084sn02q`.
//!
//! Two kinds never mix: a function that wants a [`ConversationId`] does not compile with a
//! [`MessageId`], and the text form of one does not parse as the other.

mod base32;
mod define;
mod scope;

pub use define::ParseError;
pub use scope::{Actor, TenantScope};

define::define! {
    /// A person's or program's key for the public API.
    ApiKeyId = "key",
    /// One entry of an organization's audit log.
    AuditEntryId = "aud",
    /// One call to a provider on behalf of a message.
    AttemptId = "att",
    /// An answer saved under a shortcut.
    CannedReplyId = "cr",
    /// A WhatsApp number connected by an organization.
    ChannelId = "ch",
    /// What a customer once said about a purpose.
    ConsentId = "cst",
    /// A customer of an organization.
    ContactId = "ct",
    /// What somebody noted about a contact.
    ContactNoteId = "ctn",
    /// The thread between one contact and one channel.
    ConversationId = "cv",
    /// A key that encrypts one organization's secrets of one purpose.
    DataKeyId = "dek",
    /// One dead or deferred delivery of an event to a consumer.
    DeliveryId = "dlv",
    /// A domain event; also the AMQP message id.
    EventId = "ev",
    /// An invitation to join an organization.
    InvitationId = "inv",
    /// A unit of deferred work.
    JobId = "job",
    /// A label of conversations.
    LabelId = "lbl",
    /// A link sent by e-mail that proves who reads it.
    LinkId = "lnk",
    /// A file of a message, or uploaded to be sent with one.
    MediaId = "med",
    /// Two contacts that became one.
    MergeId = "mrg",
    /// A message of a conversation, in either direction.
    MessageId = "msg",
    /// Something a provider reported about a channel besides messages.
    NoticeId = "ntc",
    /// A tenant.
    OrganizationId = "org",
    /// Webhook content that belongs to no known tenant.
    QuarantineId = "qr",
    /// One request at a public border, from its log lines to the caller's error report.
    RequestId = "req",
    /// A role that an organization made up.
    RoleId = "role",
    /// A program that calls our services with OAuth 2 client credentials.
    ServiceClientId = "svc",
    /// A directory that provisions people over SCIM.
    ScimDirectoryId = "dir",
    /// A group that such a directory pushes.
    ScimGroupId = "grp",
    /// A login of a person on one device.
    SessionId = "ses",
    /// A connection to an organization's identity provider.
    SsoConnectionId = "sso",
    /// How one login through an identity provider ended.
    SsoTraceId = "sst",
    /// One login through an identity provider, from its start to its end.
    SsoFlowId = "flow",
    /// A message template of a WhatsApp account, in one language.
    TemplateId = "tpl",
    /// A group of members.
    TeamId = "team",
    /// A person.
    UserId = "usr",
    /// A saved filter of conversations.
    ViewId = "view",
    /// One provider webhook delivery as it was received.
    WebhookId = "wh",
}

impl OrganizationId {
    /// Stands for the platform itself where a table wants an organization: the nil uuid, which no
    /// tenant can have.
    pub const PLATFORM: Self = Self::min_at(0);
}
