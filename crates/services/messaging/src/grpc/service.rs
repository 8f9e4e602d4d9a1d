//! One line per RPC: who asks, what for, and the operation that answers.

use auth::RequestContext;
use db::idempotency::RequestHash;
use errors::to_status;
use proto::messaging::v1::{
    Channel, ConnectChannelRequest, Contact, Conversation, CreateMediaRequest, CreateMediaResponse,
    GetChannelRequest, GetContactRequest, GetConversationRequest, GetMediaRequest,
    GetMessageRequest, ListChannelNoticesRequest, ListChannelNoticesResponse, ListChannelsRequest,
    ListChannelsResponse, ListContactsRequest, ListContactsResponse, ListConversationsRequest,
    ListConversationsResponse, ListMessagesRequest, ListMessagesResponse, ListQuarantineRequest,
    ListQuarantineResponse, MediaFile, Message, OpenConversationRequest, SendMessageRequest,
    WatchEventsRequest, messaging_service_server::MessagingService,
};
use tonic::{Request, Response, Status};

use super::watch::{EventStream, Hub};
use crate::{
    ops::{
        connect_channel::connect_channel,
        create_media::{self, create_media},
        filter,
        get_media::get_media,
        lists::{self, Ask},
        open_conversation::{self, open_conversation},
        send_message::{self, send_message},
        show_media::with_media,
        sight::Sight,
        view,
    },
    outbound::Engine,
};

/// The gRPC server of messaging.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) engine: std::sync::Arc<Engine>,
    pub(crate) hub: Hub,
}

#[tonic::async_trait]
impl MessagingService for Service {
    async fn connect_channel(
        &self,
        request: Request<ConnectChannelRequest>,
    ) -> Result<Response<Channel>, Status> {
        let origin = auth::context(&request)?.origin.clone();
        answer!(self, request, |_db, scope, sight, message| connect_channel(
            &self.engine,
            &scope,
            &origin,
            message
        ))
    }

    async fn list_channels(
        &self,
        request: Request<ListChannelsRequest>,
    ) -> Result<Response<ListChannelsResponse>, Status> {
        answer!(self, request, |db, scope, sight, message| {
            let ask = ask(message.page_size, &message.page_token);
            lists::list_channels(db, &scope, ask)
        })
    }

    async fn get_channel(
        &self,
        request: Request<GetChannelRequest>,
    ) -> Result<Response<Channel>, Status> {
        answer!(self, request, |db, scope, sight, message| {
            lists::get_channel(db, &scope, view::id("channelId", &message.channel_id)?)
        })
    }

    async fn list_channel_notices(
        &self,
        request: Request<ListChannelNoticesRequest>,
    ) -> Result<Response<ListChannelNoticesResponse>, Status> {
        answer!(self, request, |db, scope, sight, message| {
            let channel_id = view::id("channelId", &message.channel_id)?;
            let ask = ask(message.page_size, &message.page_token);
            lists::list_channel_notices(db, &scope, channel_id, ask)
        })
    }

    async fn list_contacts(
        &self,
        request: Request<ListContactsRequest>,
    ) -> Result<Response<ListContactsResponse>, Status> {
        answer!(self, request, |db, scope, sight, message| {
            let ask = ask(message.page_size, &message.page_token);
            lists::list_contacts(db, &scope, ask)
        })
    }

    async fn get_contact(
        &self,
        request: Request<GetContactRequest>,
    ) -> Result<Response<Contact>, Status> {
        answer!(self, request, |db, scope, sight, message| {
            lists::get_contact(db, &scope, view::id("contactId", &message.contact_id)?)
        })
    }

    async fn open_conversation(
        &self,
        request: Request<OpenConversationRequest>,
    ) -> Result<Response<Conversation>, Status> {
        let idempotency = idempotency(auth::context(&request)?, request.get_ref());
        answer!(self, request, |db, scope, sight, message| {
            let input = open_conversation::Input {
                channel_id: view::id("channelId", &message.channel_id)?,
                phone: message.phone,
                contact_name: message.contact_name,
                idempotency,
            };
            open_conversation(db, &scope, &sight, input)
        })
    }

    async fn list_conversations(
        &self,
        request: Request<ListConversationsRequest>,
    ) -> Result<Response<ListConversationsResponse>, Status> {
        answer!(self, request, |db, scope, sight, message| {
            let wanted = filter::of_request(&message);
            let ask = ask(message.page_size, &message.page_token);
            lists::list_conversations(db, &scope, &sight, wanted, ask)
        })
    }

    async fn get_conversation(
        &self,
        request: Request<GetConversationRequest>,
    ) -> Result<Response<Conversation>, Status> {
        answer!(self, request, |db, scope, sight, message| {
            lists::get_conversation(
                db,
                &scope,
                &sight,
                view::id("conversationId", &message.conversation_id)?,
            )
        })
    }

    async fn list_messages(
        &self,
        request: Request<ListMessagesRequest>,
    ) -> Result<Response<ListMessagesResponse>, Status> {
        answer!(self, request, |db, scope, sight, message| {
            let conversation_id = view::id("conversationId", &message.conversation_id)?;
            let ask = ask(message.page_size, &message.page_token);
            let listing = lists::list_messages(db, &scope, &sight, conversation_id, ask);
            with_media(db, &self.engine.files, &scope, listing)
        })
    }

    async fn get_message(
        &self,
        request: Request<GetMessageRequest>,
    ) -> Result<Response<Message>, Status> {
        answer!(self, request, |db, scope, sight, message| {
            let message_id = view::id("messageId", &message.message_id)?;
            let getting = lists::get_message(db, &scope, &sight, message_id);
            with_media(db, &self.engine.files, &scope, getting)
        })
    }

    async fn send_message(
        &self,
        request: Request<SendMessageRequest>,
    ) -> Result<Response<Message>, Status> {
        let idempotency = idempotency(auth::context(&request)?, request.get_ref());
        answer!(self, request, |db, scope, sight, message| {
            let expires_at = message
                .expires_at
                .map(|at| view::time("expiresAt", at))
                .transpose()?;
            let input = send_message::Input {
                conversation_id: view::id("conversationId", &message.conversation_id)?,
                content: message.content.unwrap_or_default(),
                reply_to: view::optional_id("replyToMessageId", &message.reply_to_message_id)?,
                expires_at,
                idempotency,
            };
            let sending = send_message(db, &scope, &sight, input);
            with_media(db, &self.engine.files, &scope, sending)
        })
    }

    async fn create_media(
        &self,
        request: Request<CreateMediaRequest>,
    ) -> Result<Response<CreateMediaResponse>, Status> {
        let idempotency = idempotency(auth::context(&request)?, request.get_ref());
        answer!(self, request, |db, scope, sight, message| {
            let input = create_media::Input {
                kind: message.kind(),
                filename: message.filename,
                idempotency,
            };
            create_media(db, &self.engine.files, &scope, input)
        })
    }

    async fn get_media(
        &self,
        request: Request<GetMediaRequest>,
    ) -> Result<Response<MediaFile>, Status> {
        answer!(self, request, |db, scope, sight, message| {
            let id = view::id("mediaId", &message.media_id)?;
            get_media(db, &self.engine.files, &scope, &sight, id)
        })
    }

    type WatchEventsStream = EventStream;

    async fn watch_events(
        &self,
        request: Request<WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        let context = auth::context(&request)?;
        let scope = context.require_scope().map_err(|error| to_status(&error))?;
        let (sight, expires_at) = (Sight::of(context), context.expires_at);
        let cursor = request.into_inner().cursor;
        let watching = self
            .hub
            .watch(scope.organization_id, cursor, expires_at, sight);
        watching
            .await
            .map(Response::new)
            .map_err(|error| to_status(&error))
    }

    async fn list_quarantine(
        &self,
        request: Request<ListQuarantineRequest>,
    ) -> Result<Response<ListQuarantineResponse>, Status> {
        let message = request.into_inner();
        let ask = ask(message.page_size, &message.page_token);
        let answered = lists::list_quarantine(&self.engine.db, ask).await;
        answered
            .map(Response::new)
            .map_err(|error| to_status(&error))
    }
}

pub(super) const fn ask(size: u32, token: &str) -> Ask<'_> {
    Ask { size, token }
}

/// The caller's key with a fingerprint of the request it came with.
pub(super) fn idempotency(
    context: &RequestContext,
    request: &impl prost::Message,
) -> Option<(String, RequestHash)> {
    let key = context.idempotency_key.clone()?;
    Some((key, RequestHash::of(&request.encode_to_vec())))
}

#[cfg(test)]
mod tests;
