//! A whole message.

use serde::{Serialize, Serializer};

use super::{
    content::Content,
    limits::{Check, Violations},
    recipient::Recipient,
};

kept_private!(Outgoing, |message| message.content().kind());
kept_private!(Draft, |draft| draft.content.kind());

/// A message within Meta's limits. Serialises to the body of the send call.
#[derive(Clone, PartialEq)]
pub struct Outgoing(Draft);

/// A message being put together.
#[derive(Clone, PartialEq)]
#[must_use = "a draft is not a message until it is built"]
pub struct Draft {
    recipient: Recipient,
    content: Content,
    reply_to: Option<String>,
    callback_data: Option<String>,
    recipient_identity_key_hash: Option<String>,
    messaging_account_id: Option<String>,
}

impl Draft {
    /// A message to somebody.
    pub const fn new(recipient: Recipient, content: Content) -> Self {
        Self {
            recipient,
            content,
            reply_to: None,
            callback_data: None,
            recipient_identity_key_hash: None,
            messaging_account_id: None,
        }
    }

    /// Quotes a message. An old or deleted one is silently not quoted.
    pub fn reply_to(mut self, message_id: impl Into<String>) -> Self {
        self.reply_to = Some(message_id.into());
        self
    }

    /// Comes back with every status of the message; see [`crate::CallbackKey`]. Visible to every
    /// app on the account.
    pub fn callback_data(mut self, data: impl Into<String>) -> Self {
        self.callback_data = Some(data.into());
        self
    }

    /// Sends only if the recipient's key is still this one (137000 otherwise).
    pub fn recipient_identity_key_hash(mut self, hash: impl Into<String>) -> Self {
        self.recipient_identity_key_hash = Some(hash.into());
        self
    }

    /// Chooses among several messaging accounts of one number.
    pub fn messaging_account_id(mut self, id: impl Into<String>) -> Self {
        self.messaging_account_id = Some(id.into());
        self
    }

    /// Checks the limits.
    ///
    /// # Errors
    /// [`Violations`] with every field that is outside.
    pub fn build(self) -> Result<Outgoing, Violations> {
        let mut check = Check::default();
        self.recipient.check(&mut check);
        self.content.check(&mut check);
        if let Some(message_id) = &self.reply_to {
            check.text("context.message_id", message_id, 512);
            let reaction = matches!(self.content, Content::Reaction { .. });
            check.absent("context", reaction, "is not possible with a reaction");
        }
        check.optional("biz_opaque_callback_data", self.callback_data.as_ref(), 512);
        check.optional(
            "recipient_identity_key_hash",
            self.recipient_identity_key_hash.as_ref(),
            512,
        );
        check.optional(
            "messaging_account_id",
            self.messaging_account_id.as_ref(),
            128,
        );
        check.finish()?;
        Ok(Outgoing(self))
    }
}

impl Outgoing {
    /// What it says.
    pub const fn content(&self) -> &Content {
        &self.0.content
    }

    /// Whom it goes to.
    pub const fn recipient(&self) -> &Recipient {
        &self.0.recipient
    }
}

#[derive(Serialize)]
struct Wire<'m> {
    messaging_product: &'static str,
    recipient_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient: Option<&'m str>,
    #[serde(flatten)]
    content: &'m Content,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<WireContext<'m>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    biz_opaque_callback_data: Option<&'m str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient_identity_key_hash: Option<&'m str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messaging_account_id: Option<&'m str>,
}

#[derive(Serialize)]
struct WireContext<'m> {
    message_id: &'m str,
}

impl Serialize for Outgoing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let draft = &self.0;
        let (recipient_type, to, recipient) = match &draft.recipient {
            Recipient::Phone(number) => ("individual", Some(Recipient::dialled(number)), None),
            Recipient::BusinessScoped(id) => ("individual", None, Some(id.as_str())),
            Recipient::Group(id) => ("group", Some(id.clone()), None),
        };
        let wire = Wire {
            messaging_product: "whatsapp",
            recipient_type,
            to,
            recipient,
            content: &draft.content,
            context: draft
                .reply_to
                .as_deref()
                .map(|message_id| WireContext { message_id }),
            biz_opaque_callback_data: draft.callback_data.as_deref(),
            recipient_identity_key_hash: draft.recipient_identity_key_hash.as_deref(),
            messaging_account_id: draft.messaging_account_id.as_deref(),
        };
        wire.serialize(serializer)
    }
}
