//! Mail that comes back, as the edge tells of it through a real RabbitMQ.

use bus::BusConfig;
use ids::EventId;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    types::{AMQPValue, FieldTable},
};
use prost::Message;
use proto::{edge::events::v1::ResendReceived, events::DomainEvent};
use secrecy::SecretString;
use testkit::TestBroker;

use super::*;

/// The edge, as far as identity hears of it.
struct Edge {
    broker: TestBroker,
    connection: Connection,
    channel: Channel,
}

impl Edge {
    /// Connects the service to a broker, and publishes there.
    async fn start(world: &mut World) -> Self {
        let broker = TestBroker::new().await;
        world.config.bus = BusConfig::new(SecretString::from(broker.url()));
        let connection = Connection::connect(&broker.url(), ConnectionProperties::default())
            .await
            .unwrap();
        let channel = connection.create_channel().await.unwrap();
        let confirm = ConfirmSelectOptions::default();
        channel.confirm_select(confirm).await.unwrap();
        Self {
            broker,
            connection,
            channel,
        }
    }

    /// What Resend says of a mail to an address, once it can be heard; again under the same id if it is given twice.
    async fn tells(&self, world: &World, id: EventId, kind: &str, to: &str, bounce: &str) {
        let now = world.clock.now();
        let body = json!({"type": kind, "created_at": now, "data": {
            "email_id": "1", "to": [to], "bounce": {"type": bounce, "message": "550"},
        }});
        let received = ResendReceived {
            webhook_id: "wh_1".to_owned(),
            delivery_id: "msg_1".to_owned(),
            body: body.to_string().into_bytes(),
            received_at: Some(now.into()),
        };
        let queue = "/queues/{vhost}/identity.on-resend-received/bindings";
        let is_bound = |found: Value| {
            let bindings = found.as_array().cloned().unwrap_or_default();
            bindings.iter().any(|one| one["source"] == "edge.events")
        };
        eventually(DEADLINE, async || {
            self.broker.get(queue).await.is_some_and(is_bound)
        })
        .await;
        let mut headers = FieldTable::default();
        headers.insert("key".into(), AMQPValue::LongString("wh_1".into()));
        let properties = BasicProperties::default()
            .with_message_id(id.to_string().into())
            .with_type(ResendReceived::SPEC.event_type.into())
            .with_timestamp(now.timestamp().unsigned_abs())
            .with_headers(headers);
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let body = received.encode_to_vec();
        let sent = self.channel.basic_publish(
            "edge.events".into(),
            ResendReceived::SPEC.routing_key.into(),
            options,
            &body,
            properties,
        );
        let confirmed = sent.await.unwrap().await.unwrap();
        assert!(confirmed.is_ack(), "{confirmed:?}");
    }

    async fn stop(self) {
        self.connection.close(200, "".into()).await.unwrap();
    }
}

/// Events that were consumed.
async fn heard(world: &World, count: u64) {
    eventually(DEADLINE, async || {
        world.execute("select from identity.inbox").await == count
    })
    .await;
}

async fn notify(world: &World, user: &str) {
    queue(world, &json!({ "letter": "mfa_enabled", "user_id": user })).await;
}

/// The last job, once it is over.
async fn last_job(world: &World) -> (String, Option<String>) {
    eventually(DEADLINE, async || {
        let last = jobs(world).await.pop();
        last.filter(|(state, _)| state == "done" || state == "failed")
    })
    .await
}

const TOLD: &str = "Two-factor authentication is on";

#[tokio::test(flavor = "multi_thread")]
async fn an_address_whose_mail_came_back_gets_none_until_a_link_that_was_mailed_there_is_used() {
    let (mut world, resend) = (World::start().await, resend().await);
    let edge = Edge::start(&mut world).await;
    send_through(&mut world, &resend).await;
    let user = world.sign_up("ada@example.com").await.user.unwrap();
    ask_for_reset(&world, "ada@example.com").await;
    let reset = first(&resend, "Reset your password").await.mail;

    let tells = async |id, kind, bounce| {
        edge.tells(&world, id, kind, "Ada@Example.com", bounce)
            .await;
    };
    tells(EventId::generate(), "email.bounced", "Transient").await;
    tells(EventId::generate(), "email.delivered", "").await;
    heard(&world, 2).await;
    notify(&world, &user.id).await;
    assert_eq!(last_job(&world).await.0, "done");

    let bounced = EventId::generate();
    for id in [bounced, bounced, EventId::generate()] {
        tells(id, "email.bounced", "Permanent").await;
    }
    heard(&world, 4).await;
    notify(&world, &user.id).await;
    let came_back = Some("mail to this address came back".to_owned());
    assert_eq!(last_job(&world).await, ("failed".to_owned(), came_back));
    assert_eq!(received(&resend, TOLD).await.len(), 1);
    let mut admin = world.db.admin().await;
    let kept: Vec<String> = sqlx::query_scalar("select s::text from identity.mail_suppressions s")
        .fetch_all(&mut admin)
        .await
        .unwrap();
    assert!(kept.len() == 1 && !kept[0].contains("ada"), "{kept:?}");

    world.hand.advance(Duration::from_secs(1));
    let request = ResetPasswordRequest {
        secret: secret(&reset, "reset-password"),
        new_password: "another correct horse battery".to_owned(),
    };
    let mut account = AccountServiceClient::new(world.channel.clone());
    account.reset_password(request).await.unwrap();
    first(&resend, "Your password was changed").await;
    edge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bounce_is_forgotten_after_thirty_days_and_a_complaint_never() {
    let (mut world, resend) = (World::start().await, resend().await);
    let edge = Edge::start(&mut world).await;
    send_through(&mut world, &resend).await;
    let [gone, angry] = ["gone@example.com", "angry@example.com"];
    let mut users = Vec::new();
    for address in [gone, angry] {
        users.push(world.sign_up(address).await.user.unwrap().id);
    }
    let (one, other) = (EventId::generate(), EventId::generate());
    edge.tells(&world, one, "email.bounced", gone, "Permanent")
        .await;
    edge.tells(&world, other, "email.complained", angry, "")
        .await;
    heard(&world, 2).await;
    let spam = "the owner of this address called our mail spam".to_owned();
    for (days, to_gone) in [(29, "failed"), (1, "done")] {
        world.hand.advance(Duration::from_hours(24 * days));
        notify(&world, &users[0]).await;
        assert_eq!(last_job(&world).await.0, to_gone);
        notify(&world, &users[1]).await;
        let refused = ("failed".to_owned(), Some(spam.clone()));
        assert_eq!(last_job(&world).await, refused);
    }
    let sent = received(&resend, TOLD).await;
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].mail["to"], json!([gone]));
    edge.stop().await;
}
