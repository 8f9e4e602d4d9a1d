//! One line per RPC of the inbox, as in [`super::service`].

mod changes;
#[cfg(test)]
mod tests;

use proto::messaging::v1::{
    AddParticipantsRequest, AssignConversationRequest, CannedReply, ChangeConversationsRequest,
    ChangeConversationsResponse, Conversation, CreateCannedReplyRequest, CreateLabelRequest,
    CreateNoteRequest, CreateViewRequest, DeleteCannedReplyRequest, DeleteCannedReplyResponse,
    DeleteLabelRequest, DeleteLabelResponse, DeleteViewRequest, DeleteViewResponse, Label,
    LabelConversationRequest, ListCannedRepliesRequest, ListCannedRepliesResponse,
    ListLabelsRequest, ListLabelsResponse, ListMentionsRequest, ListMentionsResponse,
    ListParticipantsRequest, ListParticipantsResponse, ListViewsRequest, ListViewsResponse,
    MarkReadRequest, MarkReadResponse, Message, RemoveParticipantRequest,
    SetConversationPriorityRequest, SetConversationStatusRequest, ShareViewRequest,
    UpdateCannedReplyRequest, UpdateLabelRequest, UpdateViewRequest, View,
    inbox_service_server::InboxService,
};
use tonic::{Request, Response, Status};

use super::service::{ask, idempotency};
use crate::{
    ops::{
        canned_replies,
        changes::{change_conversation, change_conversations},
        create_note::{self, create_note},
        following, labels, view, views,
    },
    outbound::Engine,
};

/// The gRPC server of the inbox.
#[derive(Debug, Clone)]
pub(crate) struct Inbox {
    pub(crate) engine: std::sync::Arc<Engine>,
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl InboxService for Inbox {
    async fn assign_conversation(
        &self,
        request: Request<AssignConversationRequest>,
    ) -> Answer<Conversation> {
        answer!(self, request, |db, scope, sight, message| {
            change_conversation(db, &scope, &sight, changes::assign(message)?)
        })
    }

    async fn set_conversation_status(
        &self,
        request: Request<SetConversationStatusRequest>,
    ) -> Answer<Conversation> {
        answer!(self, request, |db, scope, sight, message| {
            change_conversation(db, &scope, &sight, changes::status(&message)?)
        })
    }

    async fn set_conversation_priority(
        &self,
        request: Request<SetConversationPriorityRequest>,
    ) -> Answer<Conversation> {
        answer!(self, request, |db, scope, sight, message| {
            change_conversation(db, &scope, &sight, changes::priority(&message)?)
        })
    }

    async fn label_conversation(
        &self,
        request: Request<LabelConversationRequest>,
    ) -> Answer<Conversation> {
        answer!(self, request, |db, scope, sight, message| {
            change_conversation(db, &scope, &sight, changes::label(&message)?)
        })
    }

    async fn change_conversations(
        &self,
        request: Request<ChangeConversationsRequest>,
    ) -> Answer<ChangeConversationsResponse> {
        let idempotency = idempotency(auth::context(&request)?, request.get_ref());
        answer!(self, request, |db, scope, sight, message| {
            let input = changes::many(message, idempotency)?;
            change_conversations(db, &scope, &sight, input)
        })
    }

    async fn create_note(&self, request: Request<CreateNoteRequest>) -> Answer<Message> {
        let idempotency = idempotency(auth::context(&request)?, request.get_ref());
        answer!(self, request, |db, scope, sight, message| {
            let input = create_note::Input {
                conversation_id: view::id("conversationId", &message.conversation_id)?,
                mentioned: view::ids("mentionedUserIds", &message.mentioned_user_ids)?,
                body: message.body,
                idempotency,
            };
            create_note(db, &scope, &sight, input)
        })
    }

    async fn add_participants(
        &self,
        request: Request<AddParticipantsRequest>,
    ) -> Answer<ListParticipantsResponse> {
        answer!(self, request, |db, scope, sight, message| {
            let id = view::id("conversationId", &message.conversation_id)?;
            let users = view::ids("userIds", &message.user_ids)?;
            following::add_participants(db, &scope, &sight, id, users)
        })
    }

    async fn remove_participant(
        &self,
        request: Request<RemoveParticipantRequest>,
    ) -> Answer<ListParticipantsResponse> {
        answer!(self, request, |db, scope, sight, message| {
            let id = view::id("conversationId", &message.conversation_id)?;
            let user = view::id("userId", &message.user_id)?;
            following::remove_participant(db, &scope, &sight, id, user)
        })
    }

    async fn list_participants(
        &self,
        request: Request<ListParticipantsRequest>,
    ) -> Answer<ListParticipantsResponse> {
        answer!(self, request, |db, scope, sight, message| {
            let id = view::id("conversationId", &message.conversation_id)?;
            following::list_participants(db, &scope, &sight, id)
        })
    }

    async fn mark_read(&self, request: Request<MarkReadRequest>) -> Answer<MarkReadResponse> {
        answer!(self, request, |db, scope, sight, message| {
            let id = view::id("conversationId", &message.conversation_id)?;
            following::mark_read(db, &scope, &sight, id)
        })
    }

    async fn list_mentions(
        &self,
        request: Request<ListMentionsRequest>,
    ) -> Answer<ListMentionsResponse> {
        answer!(self, request, |db, scope, sight, message| {
            let ask = ask(message.page_size, &message.page_token);
            following::list_mentions(db, &scope, &sight, message.unread_only, ask)
        })
    }

    async fn create_label(&self, request: Request<CreateLabelRequest>) -> Answer<Label> {
        answer!(self, request, |db, scope, sight, message| {
            labels::create_label(db, &scope, message.name, message.color)
        })
    }

    async fn update_label(&self, request: Request<UpdateLabelRequest>) -> Answer<Label> {
        answer!(self, request, |db, scope, sight, message| {
            let id = view::id("labelId", &message.label_id)?;
            labels::update_label(db, &scope, id, &message.name, &message.color)
        })
    }

    async fn delete_label(
        &self,
        request: Request<DeleteLabelRequest>,
    ) -> Answer<DeleteLabelResponse> {
        answer!(self, request, |db, scope, sight, message| {
            labels::delete_label(db, &scope, view::id("labelId", &message.label_id)?)
        })
    }

    async fn list_labels(&self, request: Request<ListLabelsRequest>) -> Answer<ListLabelsResponse> {
        answer!(self, request, |db, scope, sight, message| {
            labels::list_labels(db, &scope, ask(message.page_size, &message.page_token))
        })
    }

    async fn create_view(&self, request: Request<CreateViewRequest>) -> Answer<View> {
        answer!(self, request, |db, scope, sight, message| {
            let filter = message.filter.unwrap_or_default();
            views::create_view(db, &scope, message.name, filter)
        })
    }

    async fn update_view(&self, request: Request<UpdateViewRequest>) -> Answer<View> {
        answer!(self, request, |db, scope, sight, message| {
            let id = view::id("viewId", &message.view_id)?;
            let filter = message.filter.unwrap_or_default();
            views::update_view(db, &scope, id, &message.name, filter)
        })
    }

    async fn share_view(&self, request: Request<ShareViewRequest>) -> Answer<View> {
        answer!(self, request, |db, scope, sight, message| {
            let id = view::id("viewId", &message.view_id)?;
            views::share_view(db, &scope, id, message.shared)
        })
    }

    async fn delete_view(&self, request: Request<DeleteViewRequest>) -> Answer<DeleteViewResponse> {
        answer!(self, request, |db, scope, sight, message| {
            views::delete_view(db, &scope, view::id("viewId", &message.view_id)?)
        })
    }

    async fn list_views(&self, request: Request<ListViewsRequest>) -> Answer<ListViewsResponse> {
        answer!(self, request, |db, scope, sight, message| {
            views::list_views(db, &scope, ask(message.page_size, &message.page_token))
        })
    }

    async fn create_canned_reply(
        &self,
        request: Request<CreateCannedReplyRequest>,
    ) -> Answer<CannedReply> {
        answer!(self, request, |db, scope, sight, message| {
            canned_replies::create_canned_reply(db, &scope, message)
        })
    }

    async fn update_canned_reply(
        &self,
        request: Request<UpdateCannedReplyRequest>,
    ) -> Answer<CannedReply> {
        answer!(self, request, |db, scope, sight, message| {
            let id = view::id("cannedReplyId", &message.canned_reply_id)?;
            canned_replies::update_canned_reply(db, &scope, id, message)
        })
    }

    async fn delete_canned_reply(
        &self,
        request: Request<DeleteCannedReplyRequest>,
    ) -> Answer<DeleteCannedReplyResponse> {
        answer!(self, request, |db, scope, sight, message| {
            let id = view::id("cannedReplyId", &message.canned_reply_id)?;
            canned_replies::delete_canned_reply(db, &scope, id)
        })
    }

    async fn list_canned_replies(
        &self,
        request: Request<ListCannedRepliesRequest>,
    ) -> Answer<ListCannedRepliesResponse> {
        answer!(self, request, |db, scope, sight, message| {
            let about = view::optional_id("conversationId", &message.conversation_id)?;
            let ask = ask(message.page_size, &message.page_token);
            let beginning = &message.shortcut;
            canned_replies::list_canned_replies(db, &scope, &sight, beginning, about, ask)
        })
    }
}
