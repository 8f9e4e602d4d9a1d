//! The work of every service that publishes or consumes.

use db::{Db, retention};
use futures::{FutureExt, future::BoxFuture};
use tokio_util::sync::CancellationToken;

use crate::{Bus, BusError, relay};

/// A task and its name.
pub type Task = (&'static str, BoxFuture<'static, Result<(), BusError>>);

/// What a service runs beside its own work, each as a task of its own: `bus` keeps the connections
/// up, `relay` publishes the outbox, `retention` deletes old rows. All of it ends after `stop`: the
/// relay once the consumers of `bus` have finished, the connections once the relay has.
///
/// ```no_run
/// # fn start(db: &db::Db, bus: &bus::Bus, stop: &tokio_util::sync::CancellationToken, spawn: impl Fn(&'static str, futures::future::BoxFuture<'static, Result<(), bus::BusError>>)) {
/// for (name, task) in bus::background(db, bus, stop) {
///     spawn(name, task); // deps.tasks.spawn(name, task)
/// }
/// # }
/// ```
///
/// # Errors
/// A task fails with [`BusError::Drift`] when the broker has other exchanges or queues than this
/// release needs: the service must not go on.
pub fn background(db: &Db, bus: &Bus, stop: &CancellationToken) -> [Task; 3] {
    let connections = bus.clone().run(stop.clone());
    let relay = relay::run(db.clone(), bus.clone(), stop.clone());
    let sweeps = retention::run(db.clone(), bus.topology().kept(), stop.clone());
    [
        ("bus", connections.boxed()),
        ("relay", relay.map(Ok).boxed()),
        ("retention", sweeps.map(Ok).boxed()),
    ]
}
