//! What a member's view leaves of an answer. Every answer of the service and every event of a stream passes here on its
//! way out; what is stored, and what other services hear, stays whole.

mod details;

use std::collections::{BTreeSet, HashMap};

use auth::{Conversations, Principal, RequestContext};
use ids::{ConversationId, OrganizationId};
use proto::messaging::v1::{Event, event::Payload};
use sqlx::PgConnection;

pub(crate) use self::details::Details;
use crate::{
    error::Error,
    store::conversations::{self, Place, Reach},
};

/// Who has the conversations that events speak of.
pub(crate) type Places = HashMap<ConversationId, Place>;

/// What a caller may see.
#[derive(Debug, Clone)]
pub(crate) struct Sight {
    /// `None`: every conversation.
    reach: Option<Reach>,
    contact_details: bool,
}

impl Sight {
    #[cfg(test)]
    pub(crate) const EVERYTHING: Self = Self {
        reach: None,
        contact_details: true,
    };

    /// Of the caller. Services belong to no organization and see everything.
    pub(crate) fn of(context: &RequestContext) -> Self {
        let Some(principal) = &context.principal else {
            return Self {
                reach: Some(Reach {
                    user: None,
                    teams: Vec::new(),
                }),
                contact_details: false,
            };
        };
        let Some(member) = principal.membership() else {
            return Self {
                reach: None,
                contact_details: true,
            };
        };
        let user = match principal {
            Principal::User { id, .. } => Some(*id),
            Principal::ApiKey { .. } | Principal::Service { .. } => None,
        };
        let teams = match member.view.conversations {
            Conversations::All => None,
            Conversations::Own => Some(Vec::new()),
            Conversations::Team => Some(member.view.teams.clone()),
        };
        Self {
            reach: teams.map(|teams| Reach { user, teams }),
            contact_details: !member.view.hides_contact_details,
        }
    }

    /// Which conversations; `None` for every one.
    pub(crate) const fn reach(&self) -> Option<&Reach> {
        self.reach.as_ref()
    }

    /// Whether numbers and addresses of customers are shown.
    pub(crate) const fn contact_details(&self) -> bool {
        self.contact_details
    }

    /// Somebody asks for one conversation, or for what is in it: the one its id leads to.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] where it is not within reach, as if it did not exist.
    pub(crate) async fn conversation(
        &self,
        conn: &mut PgConnection,
        organization_id: OrganizationId,
        id: ConversationId,
        what: &'static str,
    ) -> Result<ConversationId, Error> {
        let places = conversations::places(conn, organization_id, &[id]).await?;
        match (places.get(&id), &self.reach) {
            (Some(place), None) => Ok(place.id),
            (Some(place), Some(reach)) if reach.includes(place) => Ok(place.id),
            _ => Err(Error::NotFound(what)),
        }
    }

    /// As [`Self::conversation`], for one that is known to exist: asks nothing for those who see all.
    pub(crate) async fn within(
        &self,
        conn: &mut PgConnection,
        organization_id: OrganizationId,
        id: ConversationId,
        what: &'static str,
    ) -> Result<(), Error> {
        if self.reach.is_none() {
            return Ok(());
        }
        self.conversation(conn, organization_id, id, what).await?;
        Ok(())
    }

    /// The answer as the caller may see it.
    pub(crate) fn show<T: Details>(&self, mut answer: T) -> T {
        if !self.contact_details {
            answer.hide();
        }
        answer
    }

    /// The event as the caller may see it; `None` for one that it may not. A conversation is judged by who has it now:
    /// whoever lost it hears no more of it, not even that.
    pub(crate) fn event(&self, event: &Event, places: &Places) -> Option<Event> {
        let shown = match (conversation_of(event), &self.reach) {
            (_, None) | (Of::Nothing, Some(_)) => true,
            (Of::Conversation(id), Some(reach)) => {
                places.get(&id).is_some_and(|place| reach.includes(place))
            }
            (Of::Unreadable, Some(_)) => false,
        };
        shown.then(|| self.show(event.clone()))
    }
}

enum Of {
    /// No conversation.
    Nothing,
    Conversation(ConversationId),
    /// A conversation that can't be told: nobody who sees only some is shown it.
    Unreadable,
}

fn conversation_of(event: &Event) -> Of {
    let id = match &event.payload {
        // Contacts are in every member's sight.
        None
        | Some(
            Payload::ChannelChanged(_)
            | Payload::ChannelHealthChanged(_)
            | Payload::TemplateChanged(_)
            | Payload::ContactChanged(_)
            | Payload::ContactMerged(_)
            | Payload::ConsentChanged(_),
        ) => return Of::Nothing,
        Some(Payload::MessageReceived(received)) => &received.conversation_id,
        Some(Payload::MessageQueued(queued)) => &queued.conversation_id,
        Some(Payload::MessageStatusChanged(changed)) => &changed.conversation_id,
        Some(Payload::MediaReady(ready)) => &ready.conversation_id,
        Some(Payload::MediaFailed(failed)) => &failed.conversation_id,
        Some(Payload::ConversationOpened(opened)) => &opened.conversation_id,
        Some(Payload::ConversationChanged(changed)) => &changed.conversation_id,
        Some(Payload::ConversationAssigned(assigned)) => &assigned.conversation_id,
        Some(Payload::NoteCreated(note)) => &note.conversation_id,
    };
    id.parse().map_or(Of::Unreadable, Of::Conversation)
}

/// The conversations that the events speak of.
pub(crate) fn conversations_of(events: &[Event]) -> BTreeSet<ConversationId> {
    events
        .iter()
        .filter_map(|event| match conversation_of(event) {
            Of::Conversation(id) => Some(id),
            Of::Nothing | Of::Unreadable => None,
        })
        .collect()
}

mod contacts;
#[cfg(test)]
mod tests;
