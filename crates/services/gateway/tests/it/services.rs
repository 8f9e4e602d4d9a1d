//! The services behind the gateway: the generated traits over a script, with the real access layer
//! in front.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use auth::{LIFETIME, Membership, Principal, Role, Scopes, TokenKey};
use clock::Clock;
use futures::{StreamExt, stream::BoxStream};
use ids::{ApiKeyId, OrganizationId};
use proto::{
    identity::v1::{self as identity, identity_service_server::IdentityService},
    messaging::v1::{self as messaging, messaging_service_server::MessagingService},
};
use secrecy::ExposeSecret;
use tonic::{Request, Response, Status, metadata::MetadataMap};

/// A call that reached a service.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: &'static str,
    pub(crate) metadata: MetadataMap,
    /// The request, as its Debug form.
    pub(crate) request: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.metadata
            .get(name)
            .and_then(|value| value.to_str().ok())
    }
}

/// What an event stream does once it is open.
#[derive(Debug)]
pub(crate) enum Act {
    Send(Box<messaging::Event>),
    /// The service ends the stream in order.
    End,
    Fail(Status),
}

/// What the services do and what they saw. Clones share it.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) key: TokenKey,
    pub(crate) clock: Clock,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    refusals: VecDeque<Status>,
    refusing: Option<Status>,
    hanging: bool,
    answer_headers: Vec<(&'static str, &'static str)>,
    api_key: Option<String>,
    /// One list of acts for each time the event stream is opened; without one it stays silent.
    streams: VecDeque<Vec<Act>>,
}

impl State {
    fn refusal(&mut self) -> Option<Status> {
        self.refusals.pop_front().or_else(|| self.refusing.clone())
    }
}

impl Script {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            key: TokenKey::generate(),
            clock,
            state: Arc::default(),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next call is refused.
    pub(crate) fn refuse(&self, status: Status) {
        self.state().refusals.push_back(status);
    }

    /// Every call is refused from now on, or none any more.
    pub(crate) fn keep_refusing(&self, status: Option<Status>) {
        self.state().refusing = status;
    }

    /// Calls are never answered.
    pub(crate) fn hang(&self) {
        self.state().hanging = true;
    }

    /// Metadata of every answer.
    pub(crate) fn answer_with(&self, headers: &[(&'static str, &'static str)]) {
        self.state().answer_headers = headers.to_vec();
    }

    /// The API key that exists, or none.
    pub(crate) fn api_key(&self, key: Option<&str>) {
        self.state().api_key = key.map(str::to_owned);
    }

    /// The next opening of the event stream does this.
    pub(crate) fn stream(&self, acts: Vec<Act>) {
        self.state().streams.push_back(acts);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    pub(crate) fn seen_of(&self, method: &str) -> Vec<Seen> {
        let mut seen = self.seen();
        seen.retain(|call| call.method == method);
        seen
    }

    fn note<T: std::fmt::Debug>(&self, method: &'static str, request: &Request<T>) {
        self.state().seen.push(Seen {
            method,
            metadata: request.metadata().clone(),
            request: format!("{:?}", request.get_ref()),
        });
    }

    async fn answer<T: Default>(&self) -> Result<Response<T>, Status> {
        let (refusal, hanging, headers) = {
            let mut state = self.state();
            let refusal = state.refusal();
            (refusal, state.hanging, state.answer_headers.clone())
        };
        if let Some(mut status) = refusal {
            for (name, value) in headers {
                let value = value.parse().expect("metadata");
                status.metadata_mut().insert(name, value);
            }
            return Err(status);
        }
        if hanging {
            std::future::pending::<()>().await;
        }
        let mut response = Response::new(T::default());
        for (name, value) in headers {
            let value = value.parse().expect("metadata");
            response.metadata_mut().insert(name, value);
        }
        Ok(response)
    }

    /// A token as identity signs it.
    pub(crate) fn token(&self, principal: &Principal) -> String {
        self.token_for(principal, LIFETIME)
    }

    pub(crate) fn token_for(&self, principal: &Principal, lifetime: Duration) -> String {
        self.key
            .sign(principal, self.clock.now(), lifetime)
            .expect("a token")
            .expose_secret()
            .to_owned()
    }

    fn access_token(&self, principal: &Principal) -> Response<identity::AccessToken> {
        Response::new(identity::AccessToken {
            access_token: self.token(principal),
            expires_in: u32::try_from(LIFETIME.as_secs()).expect("minutes"),
        })
    }
}

/// Every method notes the call and answers with an empty message, or with what is given.
macro_rules! played {
    ($service:path, $module:ident, {
        $($rpc:ident $name:ident($request:ident) -> $response:ident;)*
    }, { $($own:tt)* }) => {
        #[tonic::async_trait]
        impl $service for Script {
            $(async fn $name(
                &self,
                request: Request<$module::$request>,
            ) -> Result<Response<$module::$response>, Status> {
                self.note(stringify!($rpc), &request);
                self.answer().await
            })*
            $($own)*
        }
    };
}

played!(IdentityService, identity, {
    SignUp sign_up(SignUpRequest) -> SignUpResponse;
    LogIn log_in(LogInRequest) -> LogInResponse;
    RefreshSession refresh_session(RefreshSessionRequest) -> RefreshSessionResponse;
    LogOut log_out(LogOutRequest) -> LogOutResponse;
    GetCaller get_caller(GetCallerRequest) -> Caller;
    ListRoles list_roles(ListRolesRequest) -> ListRolesResponse;
    CreateApiKey create_api_key(CreateApiKeyRequest) -> CreateApiKeyResponse;
    ListApiKeys list_api_keys(ListApiKeysRequest) -> ListApiKeysResponse;
    RevokeApiKey revoke_api_key(RevokeApiKeyRequest) -> ApiKey;
}, {
    async fn get_jwks(
        &self,
        request: Request<identity::GetJwksRequest>,
    ) -> Result<Response<identity::Jwks>, Status> {
        self.note("GetJwks", &request);
        Ok(Response::new(identity::Jwks { keys: vec![self.key.jwk()] }))
    }

    async fn issue_service_token(
        &self,
        request: Request<identity::IssueServiceTokenRequest>,
    ) -> Result<Response<identity::AccessToken>, Status> {
        self.note("IssueServiceToken", &request);
        assert_eq!(request.get_ref().client_secret, "gateway-secret");
        Ok(self.access_token(&Principal::Service { name: "gateway".into() }))
    }

    async fn exchange_api_key(
        &self,
        request: Request<identity::ExchangeApiKeyRequest>,
    ) -> Result<Response<identity::AccessToken>, Status> {
        self.note("ExchangeApiKey", &request);
        let known = self.state().api_key.clone();
        if self.state().refusals.front().is_some() {
            return self.answer().await;
        }
        if known.as_deref() == Some(request.get_ref().secret.as_str()) {
            Ok(self.access_token(&api_key()))
        } else {
            Err(errors::status_of(&errors::codes::AUTH_API_KEY_INVALID))
        }
    }
});

played!(MessagingService, messaging, {
    ConnectChannel connect_channel(ConnectChannelRequest) -> Channel;
    ListChannels list_channels(ListChannelsRequest) -> ListChannelsResponse;
    GetChannel get_channel(GetChannelRequest) -> Channel;
    ListChannelNotices list_channel_notices(ListChannelNoticesRequest) -> ListChannelNoticesResponse;
    ListContacts list_contacts(ListContactsRequest) -> ListContactsResponse;
    GetContact get_contact(GetContactRequest) -> Contact;
    OpenConversation open_conversation(OpenConversationRequest) -> Conversation;
    ListConversations list_conversations(ListConversationsRequest) -> ListConversationsResponse;
    GetConversation get_conversation(GetConversationRequest) -> Conversation;
    ListMessages list_messages(ListMessagesRequest) -> ListMessagesResponse;
    GetMessage get_message(GetMessageRequest) -> Message;
    SendMessage send_message(SendMessageRequest) -> Message;
    ListQuarantine list_quarantine(ListQuarantineRequest) -> ListQuarantineResponse;
}, {
    type WatchEventsStream = BoxStream<'static, Result<messaging::Event, Status>>;

    async fn watch_events(
        &self,
        request: Request<messaging::WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        self.note("WatchEvents", &request);
        let refusal = self.state().refusal();
        if let Some(status) = refusal {
            return Err(status);
        }
        let acts = self.state().streams.pop_front();
        // After its last act a stream stays open and silent, unless it was ended.
        let stream = futures::stream::iter(acts.unwrap_or_default())
            .map(Some)
            .chain(futures::stream::once(std::future::pending()))
            .scan(false, |ended, act| {
                let item = match act {
                    _ if *ended => None,
                    None | Some(Act::End) => None,
                    Some(Act::Send(event)) => Some(Ok(*event)),
                    Some(Act::Fail(status)) => {
                        *ended = true;
                        Some(Err(status))
                    }
                };
                std::future::ready(item)
            });
        Ok(Response::new(stream.boxed()))
    }
});

/// A person with this role.
pub(crate) fn user(role: Role) -> Principal {
    Principal::User {
        id: ids::UserId::generate(),
        session_id: ids::SessionId::generate(),
        member: member(role),
    }
}

fn api_key() -> Principal {
    Principal::ApiKey {
        id: ApiKeyId::generate(),
        member: member(Role::Agent),
    }
}

fn member(role: Role) -> Membership {
    Membership {
        organization_id: OrganizationId::generate(),
        role,
        scopes: Scopes::All,
    }
}
