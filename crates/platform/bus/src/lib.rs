//! RabbitMQ for the services: topology from the subscription list, publishing from the outbox with
//! confirms, consuming in batches with the inbox, and dead letters that can be listed and replayed.
//!
//! A service declares its [`Subscription`]s, writes events with `db::outbox::push` and never talks
//! to the broker itself:
//!
//! ```no_run
//! use bus::{BatchHandler, Bus, BusConfig, Consumer, Delivery, HandlerError, ItemOutcome, Parts};
//! use bus::{Subscription, Topology};
//! use db::{Db, SystemTx};
//! use tokio_util::sync::CancellationToken;
//!
//! const WHATSAPP_RECEIVED: Subscription = Subscription {
//!     queue: "messaging.on-whatsapp-received",
//!     exchange: "edge.events",
//!     routing_key: "edge.whatsapp.received.v1",
//! };
//!
//! struct Intake;
//!
//! impl BatchHandler for Intake {
//!     async fn handle(
//!         &self,
//!         tx: &mut SystemTx,
//!         batch: &[Delivery],
//!     ) -> Result<Vec<ItemOutcome>, HandlerError> {
//!         let mut outcomes = Vec::with_capacity(batch.len());
//!         for delivery in batch {
//!             outcomes.push(match delivery.decode::<()>() {
//!                 Ok(_received) => ItemOutcome::Done,
//!                 Err(error) => ItemOutcome::dead(&error),
//!             });
//!         }
//!         // Effects and new events go through `tx`; `?` on any error fails the batch.
//!         let _connection = tx.conn();
//!         Ok(outcomes)
//!     }
//! }
//!
//! # fn start(config: BusConfig, db: Db, stop: CancellationToken, tasks: &mut tokio::task::JoinSet<()>) -> Result<(), bus::BusError> {
//! let topology = Topology::new("messaging", &[WHATSAPP_RECEIVED]).unsubscribed(&["messaging.#"]);
//! let bus = Bus::open(config, topology, Parts::system())?;
//! // Each is a task of the service, which tracks it and stops when it fails.
//! for (name, task) in bus::background(&db, &bus, &stop) {
//!     tasks.spawn(async move { task.await.expect(name) });
//! }
//! let consumer = Consumer::new(db, bus, &WHATSAPP_RECEIVED, Intake);
//! tasks.spawn(consumer.run(stop));
//! # Ok(())
//! # }
//! ```
//!
//! The client library logs a returned message with its body, and every lost connection as an error
//! that needs nobody: the chassis keeps its lines out of logs and reports, whatever the log filter
//! asks for. What matters is logged here.

mod background;
mod backoff;
mod config;
mod connection;
pub mod consumer;
pub mod dead_letters;
mod deadline;
mod delivery;
mod envelope;
mod error;
mod event;
mod handle;
mod link;
mod metrics;
pub mod names;
mod publisher;
pub mod relay;
mod stored;
mod topology;
mod trace;

pub use background::{Task, background};
// Kept under its old name until its users import it from `clock`.
pub use config::BusConfig;
pub use consumer::{BatchHandler, Consumer, HandlerError, ItemOutcome};
pub use delivery::{DecodeError, Delivery};
pub use envelope::{Envelope, EnvelopeError};
pub use error::{BusError, Drift, Object};
pub use event::event;
pub use handle::{Bus, BusHealth, Parts};
pub use link::LinkHealth;
pub use publisher::{Outgoing, PublishOutcome, Publisher};
pub use topology::{Subscription, Topology};
pub use trace::current_traceparent;
