//! Two services on one stage: `shop` publishes, `desk` consumes.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bus::{
    BatchHandler, Bus, BusConfig, Consumer, Delivery, HandlerError, ItemOutcome, LinkHealth, Parts,
    Subscription, Topology, names, relay,
};
use clock::{Clock, Jitter};
use db::{Db, DbError, SystemTx, outbox};
use ids::EventId;
use lapin::{options::QueueDeclareOptions, types::FieldTable};
use secrecy::SecretString;
use sqlx::{Connection, migrate::Migrator};
use testkit::{TestBroker, TestDb, eventually};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) const ORDERS: Subscription = Subscription {
    queue: "desk.on-order-placed",
    exchange: "shop.events",
    routing_key: "shop.order.placed.v1",
};

/// Real servers on a machine that others use too.
pub(crate) const SOON: Duration = Duration::from_secs(30);

static NOTHING_OF_THEIR_OWN: Migrator = Migrator::DEFAULT;

pub(crate) struct Stage {
    pub(crate) broker: TestBroker,
    pub(crate) database: TestDb,
    pub(crate) shop: Db,
    pub(crate) desk: Db,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let schemas = [
            ("shop", &NOTHING_OF_THEIR_OWN),
            ("desk", &NOTHING_OF_THEIR_OWN),
        ];
        let database = TestDb::new("bus", &schemas).await;
        let mut admin = database.admin().await;
        sqlx::raw_sql(
            "create table desk.effects (event_id uuid not null, body text not null);
             grant select, insert on desk.effects to desk_system;",
        )
        .execute(&mut admin)
        .await
        .expect("a table for effects");
        admin.close().await.expect("goodbye");
        Self {
            broker: TestBroker::new().await,
            shop: database.db("shop").await,
            desk: database.db("desk").await,
            database,
        }
    }

    pub(crate) fn config(&self) -> BusConfig {
        config(&self.broker.url())
    }

    /// Writes one event for each body, each under its own key.
    pub(crate) async fn place_orders(&self, bodies: &[&str]) -> Vec<EventId> {
        let keyed: Vec<(String, &str)> = bodies
            .iter()
            .enumerate()
            .map(|(index, body)| (format!("order-{index}"), *body))
            .collect();
        self.push(ORDERS.routing_key, &keyed).await
    }

    pub(crate) async fn push(&self, routing_key: &str, keyed: &[(String, &str)]) -> Vec<EventId> {
        let events: Vec<outbox::Event> = keyed
            .iter()
            .map(|(key, body)| event(routing_key, key, body))
            .collect();
        let mut tx = SystemTx::begin(&self.shop, "test").await.expect("begin");
        outbox::push(&mut tx, &events).await.expect("push");
        tx.commit().await.expect("commit");
        events.iter().map(|event| event.event_id).collect()
    }

    /// Bodies of all effects, sorted; an event with two effects is there twice.
    pub(crate) async fn effects(&self) -> Vec<String> {
        let mut tx = SystemTx::begin(&self.desk, "test").await.expect("begin");
        sqlx::query_scalar("select body from desk.effects order by body, event_id")
            .fetch_all(tx.conn())
            .await
            .expect("effects")
    }

    pub(crate) async fn wait_for_effects(&self, count: usize) -> Vec<String> {
        eventually(SOON, || async { self.effects().await.len() >= count }).await;
        self.effects().await
    }

    pub(crate) async fn unpublished(&self) -> u64 {
        let mut tx = SystemTx::begin(&self.shop, "test").await.expect("begin");
        outbox::backlog(&mut tx).await.expect("backlog").count
    }

    /// `(attempts, last_error)` of an outbox row.
    pub(crate) async fn publishing_of(&self, event_id: EventId) -> (i32, Option<String>) {
        let mut tx = SystemTx::begin(&self.shop, "test").await.expect("begin");
        sqlx::query_as("select attempts, last_error from shop.outbox where event_id = $1")
            .bind(event_id.as_uuid())
            .fetch_one(tx.conn())
            .await
            .expect("the row")
    }

    /// `(state, attempts, last_error)` of a deferred delivery.
    pub(crate) async fn deferred(&self, event_id: EventId) -> Option<(String, i32, String)> {
        let mut tx = SystemTx::begin(&self.desk, "test").await.expect("begin");
        sqlx::query_as(
            "select state, attempts, last_error from desk.deferred_deliveries where event_id = $1",
        )
        .bind(event_id.as_uuid())
        .fetch_optional(tx.conn())
        .await
        .expect("the row")
    }

    /// Orders that the broker still has for the consumer. Ask once it has stopped: what it had not
    /// acknowledged is back in the queue by then.
    pub(crate) async fn left_with_the_broker(&self) -> u32 {
        let (_connection, channel) = raw_channel(self).await;
        let passive = QueueDeclareOptions::durable().passive();
        let queue = channel
            .queue_declare(ORDERS.queue.into(), passive, FieldTable::default())
            .await
            .expect("the queue");
        queue.message_count()
    }
}

fn event(routing_key: &str, key: &str, body: &str) -> outbox::Event {
    outbox::Event {
        event_id: EventId::generate(),
        organization_id: None,
        event_type: "shop.events.v1.OrderPlaced",
        routing_key: routing_key.to_owned(),
        key: key.to_owned(),
        payload: body.as_bytes().to_vec(),
        headers: outbox::OutboxHeaders::default(),
        occurred_at: Clock::system().now(),
    }
}

pub(crate) fn config(url: &str) -> BusConfig {
    let mut config = BusConfig::new(SecretString::from(url));
    config.reconnect_min_ms = 20;
    config.reconnect_max_ms = 200;
    config.confirm_timeout_ms = 3_000;
    config.connect_timeout_ms = 2_000;
    config.heartbeat_s = 2;
    config
}

pub(crate) fn parts() -> Parts {
    Parts {
        jitter: Jitter::seeded(7),
        ..Parts::system()
    }
}

pub(crate) fn shop() -> Topology {
    Topology::new("shop", &[])
}

pub(crate) fn desk() -> Topology {
    Topology::new("desk", &[ORDERS])
}

/// Tasks of one service; dropping it is a crash.
pub(crate) struct Running {
    pub(crate) bus: Bus,
    pub(crate) shutdown: CancellationToken,
    pub(crate) tasks: JoinSet<()>,
}

impl Running {
    pub(crate) async fn start(config: BusConfig, topology: Topology) -> Self {
        let running = Self::launch(config, topology);
        running.wait_until_up().await;
        running
    }

    /// Without waiting for the broker.
    pub(crate) fn launch(config: BusConfig, topology: Topology) -> Self {
        let bus = Bus::open(config, topology, parts()).expect("a bus");
        let shutdown = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let connections = bus.clone().run(shutdown.clone());
        tasks.spawn(async move { connections.await.expect("the topology is ours") });
        Self {
            bus,
            shutdown,
            tasks,
        }
    }

    /// The producer with its relay.
    pub(crate) async fn shop(stage: &Stage, config: BusConfig) -> Self {
        let mut running = Self::start(config, shop()).await;
        running.relay(&stage.shop);
        running
    }

    /// The consumer.
    pub(crate) async fn desk(stage: &Stage, config: BusConfig, clerk: Clerk) -> Self {
        let mut running = Self::start(config, desk()).await;
        running.consume(&stage.desk, clerk);
        running
    }

    pub(crate) fn relay(&mut self, db: &Db) {
        self.tasks.spawn(relay::run(
            db.clone(),
            self.bus.clone(),
            self.shutdown.clone(),
        ));
    }

    pub(crate) fn consume(&mut self, db: &Db, clerk: Clerk) {
        let consumer = Consumer::new(db.clone(), self.bus.clone(), &ORDERS, clerk).prefetch(20);
        self.tasks.spawn(consumer.run(self.shutdown.clone()));
    }

    pub(crate) async fn wait_until_up(&self) {
        let up = |health| matches!(health, LinkHealth::Up | LinkHealth::Unused);
        eventually(SOON, || async {
            let health = self.bus.health();
            up(health.publishing) && up(health.consuming)
        })
        .await;
    }

    /// Shuts down in order and waits for it.
    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        let ended = async {
            while let Some(task) = self.tasks.join_next().await {
                task.expect("no panic");
            }
        };
        tokio::time::timeout(SOON, ended)
            .await
            .expect("a drain within its bound");
    }
}

type Trick = Box<dyn FnMut() + Send>;

/// Writes each order's body as an effect, unless the body says to fail.
#[derive(Clone, Default)]
pub(crate) struct Clerk {
    /// Orders seen, rolled back ones included.
    pub(crate) seen: Arc<Mutex<Vec<String>>>,
    pub(crate) healed: Arc<AtomicU32>,
    /// Done once all effects of a batch are in its transaction.
    pub(crate) before_commit: Arc<Mutex<Option<Trick>>>,
}

impl Clerk {
    pub(crate) fn times_seen(&self, body: &str) -> usize {
        self.seen
            .lock()
            .expect("not poisoned")
            .iter()
            .filter(|seen| *seen == body)
            .count()
    }

    /// Whatever failed so far succeeds from now on.
    pub(crate) fn heal(&self) {
        self.healed.store(1, Ordering::SeqCst);
    }

    pub(crate) fn once_before_commit(&self, trick: impl FnMut() + Send + 'static) {
        *self.before_commit.lock().expect("not poisoned") = Some(Box::new(trick));
    }

    async fn enter(
        &self,
        tx: &mut SystemTx,
        delivery: &Delivery,
    ) -> Result<ItemOutcome, HandlerError> {
        let body = String::from_utf8_lossy(&delivery.payload).into_owned();
        self.seen.lock().expect("not poisoned").push(body.clone());
        let healed = self.healed.load(Ordering::SeqCst) > 0;
        match body.as_str() {
            "later" if !healed => return Ok(ItemOutcome::Retry("not yet".to_owned())),
            "never" if !healed => return Ok(ItemOutcome::Dead("no such order".to_owned())),
            _ => {}
        }
        sqlx::query("insert into desk.effects (event_id, body) values ($1, $2)")
            .bind(delivery.envelope.event_id.as_uuid())
            .bind(&body)
            .execute(tx.conn())
            .await
            .map_err(DbError::from)?;
        match body.as_str() {
            "poison" if !healed => {
                let divided = sqlx::query("select 1 / 0").execute(tx.conn()).await;
                divided.map_err(DbError::from)?;
            }
            "echo" => outbox::push(tx, &[event("desk.order.echoed.v1", "k", "echoed")]).await?,
            "panic" if !healed => panic!("the clerk stumbles"),
            "undecodable" if !healed => {
                return Err(HandlerError::permanent(
                    delivery
                        .decode::<()>()
                        .map_or_else(|error| error.to_string(), |()| "trailing bytes".to_owned()),
                ));
            }
            _ => {}
        }
        Ok(ItemOutcome::Done)
    }
}

impl BatchHandler for Clerk {
    async fn handle(
        &self,
        tx: &mut SystemTx,
        batch: &[Delivery],
    ) -> Result<Vec<ItemOutcome>, HandlerError> {
        let mut outcomes = Vec::new();
        for delivery in batch {
            outcomes.push(self.enter(tx, delivery).await?);
        }
        if let Some(mut trick) = self.before_commit.lock().expect("not poisoned").take() {
            trick();
        }
        Ok(outcomes)
    }
}

/// A raw channel, for what our own code never does.
pub(crate) async fn raw_channel(stage: &Stage) -> (lapin::Connection, lapin::Channel) {
    let properties = lapin::ConnectionProperties::default();
    let connection = lapin::Connection::connect(&stage.broker.url(), properties)
        .await
        .expect("connect");
    let channel = connection.create_channel().await.expect("a channel");
    (connection, channel)
}

pub(crate) fn graveyard() -> String {
    names::dead_letter_queue(ORDERS.queue)
}
