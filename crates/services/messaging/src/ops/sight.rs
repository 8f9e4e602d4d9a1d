//! What a member's view leaves of an answer. Every answer of the service and every event of a stream passes here on its
//! way out; what is stored, and what other services hear, stays whole.

use auth::{Conversations, Principal, RequestContext};
use proto::messaging::v1::{
    Channel, Contact, ContactIdentity, Conversation, CreateMediaResponse, Event,
    ListChannelNoticesResponse, ListChannelsResponse, ListContactsResponse,
    ListConversationsResponse, ListMessagesResponse, MediaFile, Message, MessageContent,
    event::Payload, message_content::Kind,
};

use crate::{domain::mask, error::Error};

/// What a caller may see.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sight {
    conversations: bool,
    contact_details: bool,
}

impl Sight {
    #[cfg(test)]
    pub(crate) const EVERYTHING: Self = Self {
        conversations: true,
        contact_details: true,
    };

    /// Of the caller. Services belong to no organization and see everything.
    pub(crate) fn of(context: &RequestContext) -> Self {
        let member = context.principal.as_ref().and_then(Principal::membership);
        let view = member.map(|member| &member.view);
        Self {
            conversations: view.is_none_or(|view| view.conversations == Conversations::All),
            contact_details: view.is_none_or(|view| !view.hides_contact_details),
        }
    }

    /// Whether the caller sees conversations. A conversation is nobody's own and no team's until it can be assigned: a
    /// member who sees only those sees none, not in a list, not by its id, not as an event, and can't write into one.
    pub(crate) const fn conversations(self) -> bool {
        self.conversations
    }

    /// Somebody asks for one conversation, or for what is in it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], as if it did not exist.
    pub(crate) const fn require(self, what: &'static str) -> Result<(), Error> {
        if self.conversations() {
            Ok(())
        } else {
            Err(Error::NotFound(what))
        }
    }

    /// The answer as the caller may see it.
    pub(crate) fn show<T: Details>(self, mut answer: T) -> T {
        if !self.contact_details {
            answer.hide();
        }
        answer
    }

    /// The event as the caller may see it; `None` for one that it may not.
    pub(crate) fn event(self, event: &Event) -> Option<Event> {
        let shown = match &event.payload {
            // Contacts are in every member's sight.
            None
            | Some(
                Payload::ChannelChanged(_)
                | Payload::ChannelHealthChanged(_)
                | Payload::TemplateChanged(_)
                | Payload::ContactChanged(_)
                | Payload::ContactMerged(_)
                | Payload::ConsentChanged(_),
            ) => true,
            Some(
                Payload::MessageReceived(_)
                | Payload::MessageQueued(_)
                | Payload::MessageStatusChanged(_)
                | Payload::MediaReady(_)
                | Payload::MediaFailed(_)
                | Payload::ConversationOpened(_),
            ) => self.conversations(),
        };
        shown.then(|| self.show(event.clone()))
    }
}

/// An answer that may have contact details in it. What a customer or an agent wrote in a text is left as it is.
pub(crate) trait Details {
    /// Takes them out.
    fn hide(&mut self);
}

impl Details for Contact {
    fn hide(&mut self) {
        self.name = mask::text(&self.name);
        for ContactIdentity { kind, value } in &mut self.identities {
            *value = mask::identity(kind, value);
        }
        if let Some(attributes) = &mut self.attributes {
            mask::structure(attributes);
        }
    }
}

impl Details for Conversation {
    fn hide(&mut self) {
        self.contact_name = mask::text(&self.contact_name);
        // It may be the line of a shared contact or of a changed number.
        self.preview = mask::text(&self.preview);
    }
}

impl Details for Message {
    fn hide(&mut self) {
        // WhatsApp's ids have the number inside.
        self.wamid.clear();
        self.content.hide();
    }
}

impl Details for MessageContent {
    fn hide(&mut self) {
        match &mut self.kind {
            Some(Kind::Contacts(contacts)) => {
                for card in &mut contacts.cards {
                    card.formatted_name = mask::text(&card.formatted_name);
                    for phone in &mut card.phones {
                        *phone = mask::text(phone);
                    }
                    for email in &mut card.emails {
                        *email = mask::email(email);
                    }
                }
            }
            Some(Kind::Reaction(reaction)) => reaction.wamid.clear(),
            Some(Kind::Edit(edit)) => edit.original_wamid.clear(),
            Some(Kind::Revoke(revoke)) => revoke.original_wamid.clear(),
            Some(Kind::System(system)) => system.body = mask::text(&system.body),
            Some(Kind::ButtonReply(reply)) => {
                if let Some(form) = &mut reply.form {
                    mask::structure(form);
                }
            }
            Some(Kind::Unsupported(unsupported)) => {
                if let Some(raw) = &mut unsupported.raw {
                    mask::structure(raw);
                }
            }
            None
            | Some(
                Kind::Text(_)
                | Kind::Media(_)
                | Kind::Template(_)
                | Kind::Interactive(_)
                | Kind::Location(_)
                | Kind::Order(_),
            ) => {}
        }
    }
}

impl Details for Event {
    fn hide(&mut self) {
        match &mut self.payload {
            Some(Payload::MessageReceived(received)) => received.content.hide(),
            Some(Payload::MessageQueued(queued)) => queued.content.hide(),
            None
            | Some(
                Payload::MessageStatusChanged(_)
                | Payload::MediaReady(_)
                | Payload::MediaFailed(_)
                | Payload::ConversationOpened(_)
                | Payload::ChannelChanged(_)
                | Payload::ChannelHealthChanged(_)
                | Payload::TemplateChanged(_)
                | Payload::ContactChanged(_)
                | Payload::ContactMerged(_)
                | Payload::ConsentChanged(_),
            ) => {}
        }
    }
}

/// The numbers of a channel are the organization's own.
impl Details for Channel {
    fn hide(&mut self) {}
}

/// What somebody called a file is left as it is, like what was written in a text.
impl Details for MediaFile {
    fn hide(&mut self) {}
}

impl Details for CreateMediaResponse {
    fn hide(&mut self) {}
}

impl Details for ListChannelsResponse {
    fn hide(&mut self) {}
}

impl Details for ListChannelNoticesResponse {
    fn hide(&mut self) {
        for value in self
            .notices
            .iter_mut()
            .filter_map(|notice| notice.value.as_mut())
        {
            mask::structure(value);
        }
    }
}

impl Details for ListContactsResponse {
    fn hide(&mut self) {
        self.contacts.iter_mut().for_each(Details::hide);
    }
}

impl Details for ListConversationsResponse {
    fn hide(&mut self) {
        self.conversations.iter_mut().for_each(Details::hide);
    }
}

impl Details for ListMessagesResponse {
    fn hide(&mut self) {
        self.messages.iter_mut().for_each(Details::hide);
    }
}

impl<T: Details> Details for Option<T> {
    fn hide(&mut self) {
        if let Some(inner) = self {
            inner.hide();
        }
    }
}

mod contacts;
#[cfg(test)]
mod tests;
