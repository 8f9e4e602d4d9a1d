//! Contact details in answers: what is taken out for those who may not have them.

use proto::messaging::v1::{
    CannedReply, ChangeConversationsResponse, Channel, Contact, ContactIdentity, Conversation,
    CreateMediaResponse, DeleteCannedReplyResponse, DeleteLabelResponse, DeleteViewResponse, Event,
    Label, ListCannedRepliesResponse, ListChannelNoticesResponse, ListChannelsResponse,
    ListContactsResponse, ListConversationsResponse, ListLabelsResponse, ListMentionsResponse,
    ListMessagesResponse, ListParticipantsResponse, ListViewsResponse, MarkReadResponse, MediaFile,
    Message, MessageContent, View, event::Payload, message_content::Kind,
};

use crate::domain::mask;

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
                | Kind::Order(_)
                | Kind::Note(_)
                | Kind::Activity(_),
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
                | Payload::ConversationOpened(_)
                | Payload::ConversationChanged(_)
                | Payload::ConversationAssigned(_)
                | Payload::NoteCreated(_)
                | Payload::ChannelChanged(_)
                | Payload::ChannelHealthChanged(_)
                | Payload::MediaReady(_)
                | Payload::MediaFailed(_)
                | Payload::TemplateChanged(_)
                | Payload::ContactChanged(_)
                | Payload::ContactMerged(_)
                | Payload::ConsentChanged(_),
            ) => {}
        }
    }
}

macro_rules! nothing_to_hide {
    ($($answer:ty),+ $(,)?) => {
        $(impl Details for $answer {
            fn hide(&mut self) {}
        })+
    };
}

// The numbers of a channel are the organization's own. Saved replies are filled with what the caller may see. What
// somebody called a file is left as it is, like what was written in a text.
nothing_to_hide!(
    Channel,
    MediaFile,
    CreateMediaResponse,
    ListChannelsResponse,
    ChangeConversationsResponse,
    ListParticipantsResponse,
    MarkReadResponse,
    Label,
    ListLabelsResponse,
    DeleteLabelResponse,
    View,
    ListViewsResponse,
    DeleteViewResponse,
    CannedReply,
    ListCannedRepliesResponse,
    DeleteCannedReplyResponse,
);

impl Details for ListMentionsResponse {
    fn hide(&mut self) {
        for mention in &mut self.mentions {
            mention.note.hide();
        }
    }
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
