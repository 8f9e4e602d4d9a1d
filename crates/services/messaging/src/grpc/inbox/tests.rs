//! The inbox as people of one organization use it.

mod configure;
mod follow;
mod lists;
mod merged;
mod wake;
mod wall;
mod work;

use auth::{Principal, View as Sees};
use bus::{BatchHandler, Delivery, Envelope};
use ids::{EventId, LabelId, TeamId, UserId};
use prost::Message as _;
use proto::{
    edge::events::v1::WhatsAppReceived,
    events::DomainEvent,
    messaging::v1::{
        Activity, ConversationStatus, GetConversationRequest, ListMessagesRequest, Priority,
        message_content::Kind, messaging_service_server::MessagingService,
    },
};
use tonic::Code;

use super::*;
use crate::{
    events::on_whatsapp_received::{self, OnWhatsAppReceived},
    fixture::{Fixture, Thread, member_context},
    grpc::{service::Service, watch::Hub},
    store::agents::{self, Agent, Team},
};

/// A tenant with a customer, and the services its people call.
struct Desk {
    inbox: Inbox,
    messaging: Service,
    thread: Thread,
    fixture: Fixture,
}

const PHONE: &str = "4917012345678";

impl Desk {
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        let thread = fixture.conversation(PHONE).await;
        let engine = std::sync::Arc::clone(&fixture.engine);
        Self {
            inbox: Inbox {
                engine: std::sync::Arc::clone(&engine),
            },
            messaging: Service {
                engine,
                hub: Hub::new(fixture.db.clone()),
            },
            thread,
            fixture,
        }
    }

    /// A member that identity has told of.
    async fn agent(&self) -> UserId {
        let user_id = UserId::generate();
        self.tell(user_id, true).await;
        user_id
    }

    async fn tell(&self, user_id: UserId, active: bool) {
        let agent = Agent {
            organization_id: self.fixture.route.organization_id,
            user_id,
            active,
            changed_at: self.fixture.now(),
        };
        let mut tx = self.fixture.system().await;
        agents::record_agent(tx.conn(), agent).await.expect("told");
        tx.commit().await.expect("commit");
    }

    async fn team(&self, members: &[UserId]) -> TeamId {
        let id = TeamId::generate();
        self.tell_team(id, Some(members.to_vec())).await;
        id
    }

    async fn tell_team(&self, id: TeamId, members: Option<Vec<UserId>>) {
        let team = Team {
            organization_id: self.fixture.route.organization_id,
            id,
            members,
            changed_at: self.fixture.now(),
        };
        let mut tx = self.fixture.system().await;
        agents::record_team(tx.conn(), &team).await.expect("told");
        tx.commit().await.expect("commit");
    }

    /// A member who sees everything asks.
    fn asks<T>(&self, who: UserId, message: T) -> Request<T> {
        self.asks_seeing(who, Sees::default(), message)
    }

    fn asks_seeing<T>(&self, who: UserId, sees: Sees, message: T) -> Request<T> {
        let mut context = member_context(&self.fixture);
        if let Some(Principal::User { id, member, .. }) = &mut context.principal {
            *id = who;
            member.view = sees;
        }
        let mut request = Request::new(message);
        request.extensions_mut().insert(context);
        request
    }

    fn with_key<T>(&self, who: UserId, key: &str, message: T) -> Request<T> {
        let mut request = self.asks(who, message);
        if let Some(context) = request.extensions_mut().get_mut::<auth::RequestContext>() {
            context.idempotency_key = Some(key.to_owned());
        }
        request
    }

    async fn assign(
        &self,
        who: UserId,
        assignee: Option<UserId>,
        team: Option<TeamId>,
    ) -> Result<Conversation, Status> {
        let request = AssignConversationRequest {
            conversation_id: self.thread.id.to_string(),
            assignee_id: assignee.map(|id| id.to_string()).unwrap_or_default(),
            team_id: team.map(|id| id.to_string()).unwrap_or_default(),
            version: 0,
        };
        let answer = self
            .inbox
            .assign_conversation(self.asks(who, request))
            .await;
        answer.map(Response::into_inner)
    }

    async fn set_status(
        &self,
        who: UserId,
        status: ConversationStatus,
        snoozed_until: Option<chrono::DateTime<chrono::Utc>>,
    ) -> Result<Conversation, Status> {
        let request = SetConversationStatusRequest {
            conversation_id: self.thread.id.to_string(),
            status: status.into(),
            snoozed_until: snoozed_until.map(Into::into),
            version: 0,
        };
        let answer = self
            .inbox
            .set_conversation_status(self.asks(who, request))
            .await;
        answer.map(Response::into_inner)
    }

    async fn get(&self, who: UserId) -> Conversation {
        let request = GetConversationRequest {
            conversation_id: self.thread.id.to_string(),
        };
        let answer = self
            .messaging
            .get_conversation(self.asks(who, request))
            .await;
        answer.expect("a conversation").into_inner()
    }

    async fn label(&self, who: UserId, name: &str) -> Label {
        let request = CreateLabelRequest {
            name: name.to_owned(),
            color: "#00ff00".to_owned(),
        };
        let made = self.inbox.create_label(self.asks(who, request)).await;
        made.expect("a label").into_inner()
    }

    /// What is in the stream, the oldest first.
    async fn stream(&self, who: UserId) -> Vec<Message> {
        let request = ListMessagesRequest {
            conversation_id: self.thread.id.to_string(),
            ..ListMessagesRequest::default()
        };
        let listed = self.messaging.list_messages(self.asks(who, request)).await;
        let mut messages = listed.expect("messages").into_inner().messages;
        messages.reverse();
        messages
    }

    async fn activities(&self, who: UserId) -> Vec<(String, Activity)> {
        let messages = self.stream(who).await.into_iter();
        messages
            .filter_map(|message| match message.content?.kind? {
                Kind::Activity(activity) => Some((message.author, activity)),
                _ => None,
            })
            .collect()
    }

    /// The customer writes, as a webhook says it.
    async fn customer_writes(&self, number: u32) {
        let at = self.fixture.now().timestamp();
        let body = serde_json::json!({"object": "whatsapp_business_account", "entry": [{"id": "2001", "changes": [{
            "field": "messages",
            "value": {
                "messaging_product": "whatsapp",
                "metadata": {"display_phone_number": "49301", "phone_number_id": "1001"},
                "contacts": [{"profile": {"name": "Ada"}, "wa_id": PHONE}],
                "messages": [{"from": PHONE, "id": format!("wamid.{number}"), "timestamp": at.to_string(),
                    "type": "text", "text": {"body": "Hello?"}}],
            },
        }]}]});
        let received = WhatsAppReceived {
            webhook_id: "wh_1".to_owned(),
            app: "default".to_owned(),
            body: body.to_string().into_bytes(),
            received_at: Some(self.fixture.now().into()),
        };
        let delivery = Delivery {
            envelope: envelope(&self.fixture, &received),
            exchange: on_whatsapp_received::SUBSCRIPTION.exchange.to_owned(),
            routing_key: on_whatsapp_received::SUBSCRIPTION.routing_key.to_owned(),
            payload: received.encode_to_vec(),
            attempts: 0,
        };
        let handler = OnWhatsAppReceived {
            clock: self.fixture.db.clock().clone(),
            callback: self.fixture.engine.callback.clone(),
        };
        let mut tx = self.fixture.system().await;
        let outcomes = handler
            .handle(&mut tx, &[delivery])
            .await
            .expect("outcomes");
        assert_eq!(outcomes, [bus::ItemOutcome::Done]);
        tx.commit().await.expect("commit");
    }

    /// Events of a type in the outbox, in their order.
    async fn events<E: DomainEvent + Default>(&self) -> Vec<E> {
        let payloads: Vec<Vec<u8>> = sqlx::query_scalar(
            "select payload from messaging.outbox where event_type = $1 order by seq",
        )
        .bind(E::SPEC.event_type)
        .fetch_all(&mut self.fixture.admin().await)
        .await
        .expect("payloads");
        let decoded = payloads.iter().map(|bytes| E::decode(bytes.as_slice()));
        decoded.collect::<Result<_, _>>().expect("events")
    }
}

fn envelope<E: DomainEvent>(fixture: &Fixture, _: &E) -> Envelope {
    Envelope {
        event_id: EventId::generate_at(fixture.db.clock().unix_ms()),
        event_type: E::SPEC.event_type.to_owned(),
        organization_id: None,
        key: String::new(),
        occurred_at: fixture.now(),
        traceparent: None,
        causation_id: None,
        actor: None,
        aggregate_version: None,
    }
}

/// The stable code of a refusal.
fn code(status: &Status) -> String {
    errors::Problem::from_status(status).code
}

fn line(kind: &str, before: &str, after: &str) -> Activity {
    Activity {
        kind: kind.to_owned(),
        before: before.to_owned(),
        after: after.to_owned(),
        snoozed_until: None,
    }
}
