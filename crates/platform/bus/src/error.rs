//! What can go wrong between us and the broker.

use lapin::{
    ErrorKind,
    protocol::{AMQPErrorKind, AMQPSoftError},
};

/// A request to the broker that failed.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The settings can't work; each problem is a sentence.
    #[error("the bus settings are not usable: {}", .0.join("; "))]
    Config(Vec<String>),
    /// What this service declares is not what the broker has.
    #[error(transparent)]
    Drift(#[from] Drift),
    /// There is no usable connection at the moment: down, still connecting, or closed for good.
    #[error("no connection to the broker")]
    NotConnected,
    /// The broker ended a subscription: its queue was deleted, or its node goes down.
    #[error("the broker ended the subscription")]
    SubscriptionEnded,
    /// The broker asked publishers to stop: a memory or disk alarm.
    #[error("the broker does not take messages at the moment")]
    Blocked,
    /// The broker did not answer in time.
    #[error("no answer from the broker in time to: {0}")]
    Timeout(&'static str),
    /// The broker or the connection refused.
    #[error("the broker request failed: {request}")]
    Failed {
        /// What was attempted.
        request: &'static str,
        /// Why it failed.
        #[source]
        source: lapin::Error,
    },
}

/// An exchange or queue exists with arguments other than ours. Serving on would mean that messages
/// are dropped after some redeliveries, so the service does not start.
#[derive(Debug, thiserror::Error)]
#[error(
    "{object} {name} exists with other arguments than this release needs ({broker_says}). \
     {}", .object.remedy(.name)
)]
pub struct Drift {
    /// Exchange or queue.
    pub object: Object,
    /// Its name.
    pub name: String,
    /// The broker's own words: which argument, what it has, what we asked for.
    pub broker_says: String,
}

/// What can drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// An exchange.
    Exchange,
    /// A queue.
    Queue,
}

impl Object {
    fn remedy(self, name: &str) -> String {
        match self {
            Self::Queue => format!(
                "Stop its consumers, move its messages away with a shovel (to `{name}.moved`, say), \
                 delete the queue, start this service so that it declares the queue again, and move \
                 the messages back."
            ),
            Self::Exchange => format!(
                "Delete the exchange `{name}` while its publisher is stopped (unpublished events wait \
                 in the outbox) and start the services again: they declare it and its bindings."
            ),
        }
    }
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Exchange => "exchange",
            Self::Queue => "queue",
        })
    }
}

impl BusError {
    pub(crate) fn failed(request: &'static str) -> impl FnOnce(lapin::Error) -> Self {
        move |source| Self::Failed { request, source }
    }
}

/// The broker's words if it refused because an object exists with other arguments.
pub(crate) fn precondition_failed(error: &lapin::Error) -> Option<String> {
    let ErrorKind::ProtocolError(error) = error.kind() else {
        return None;
    };
    match error.kind() {
        AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED) => {
            Some(error.get_message().to_string())
        }
        _ => None,
    }
}
